"""Whether the observed values determine the coefficients and the covariance of a model."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray

#: a column whose part outside the others is smaller than this share of it is collinear
COLLINEAR = 1e-9


def independent_columns(X: Array, observed: BoolArray) -> tuple[Array, Array]:
    """Columns that are orthonormal over the observed rows, and the way back.

    Parameters
    ----------
    X : ndarray, shape (n, T, p)
    observed : ndarray of bool, shape (n, T)

    Returns
    -------
    (ndarray of shape (n, T, p), ndarray of shape (p, p))
        Q, zero where not observed, and R⁻¹ of X = QR.

    Raises
    ------
    DataError
        If a column is a combination of those before it.
    """
    rows = X[observed]
    size = np.sqrt((rows * rows).sum(axis=0))
    Q, R = np.linalg.qr(rows / np.where(size > 0, size, 1.0))
    short = np.abs(np.diagonal(R)) < COLLINEAR
    if len(rows) < X.shape[-1] or short.any() or not size.all():
        found = ", ".join(str(k) for k in np.flatnonzero(short | (size == 0))) or "some"
        msg = (
            f"the mean model has {X.shape[-1]} columns, but over the {len(rows):,} observed values "
            f"columns {found} (counted from 0) are zero or combinations of others; leave them out"
        )
        raise DataError(msg)
    orthonormal = np.zeros(X.shape)
    orthonormal[observed] = Q
    return orthonormal, np.linalg.inv(R) / size[:, None]


def check_estimable(Y: Array, X: Array, group: IntArray, *, proper: bool) -> None:
    """Raise where arrays do not fit one another, or an improper prior has no posterior.

    Under Jeffreys' prior the posterior of Σ is proper if at every two visits at least T subjects
    more are observed at both than the mean has columns there: with monotone gaps and a mean
    saturated by visit that is what the regressions of each visit on the earlier ones need.
    """
    n, T = Y.shape
    if X.shape[:2] != (n, T) or group.shape != (n,):
        msg = f"found Y {Y.shape}, X {X.shape}, group {group.shape}; expected the same subjects"
        raise UsageError(msg)
    unknown = ~np.isnan(Y) & ~np.isfinite(X).all(axis=2)
    if unknown.any():
        i, t = (int(k) for k in np.argwhere(unknown)[0])
        msg = (
            f"{int(unknown.sum())} observed values have a missing or infinite covariate, the first "
            f"that of subject {i} at visit {t} (counted from 0); complete the covariates first"
        )
        raise DataError(msg)
    if proper:
        return
    for code in range(int(group.max()) + 1):
        _check_pairs(~np.isnan(Y[group == code]), X[group == code], code)


def _check_pairs(observed: BoolArray, X: Array, code: int) -> None:
    T = observed.shape[1]
    together = observed.astype(int).T @ observed.astype(int)
    columns = [_rank(X[observed[:, t], t]) for t in range(T)]
    spare = together - np.maximum.outer(columns, columns)
    if (spare < T).any():
        t, u = (int(k) for k in np.argwhere(spare < T)[0])
        both = f"visit {t + 1}" if t == u else f"both visits {t + 1} and {u + 1}"
        msg = (
            f"covariance group {code}: {together[t, u]} subjects are observed at {both}, and the "
            f"mean has {max(columns[t], columns[u])} columns there; an unstructured covariance of "
            f"{T} visits needs at least {T} subjects more than columns: share the covariance "
            "between arms, simplify the model, or give an inverse Wishart prior"
        )
        raise DataError(msg)


def _rank(rows: Array) -> int:
    return int(np.linalg.matrix_rank(rows)) if len(rows) else 0
