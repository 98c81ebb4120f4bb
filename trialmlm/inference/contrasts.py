"""Estimates of rows L β with standard errors, intervals and tests."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.inference.distributions import t_quantile, t_two_sided
from trialmlm.inference.method import FTest
from trialmlm.inference.rows import Rows

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.inference.method import Method


@dataclass(frozen=True, slots=True)
class JointTest:
    """An F test, and the rows given that do not count in it."""

    test: FTest
    redundant: int
    not_estimable: int


@dataclass(frozen=True, slots=True)
class Estimates:
    """One element per row of L; NaN where the row is not estimable."""

    estimate: Array
    std_error: Array
    df: Array
    statistic: Array
    p_value: Array
    ci_low: Array
    ci_high: Array


def estimates(
    method: Method, L: Array, confidence: float = 0.95, extra: Array | None = None
) -> Estimates:
    """Each row of L by itself.

    Parameters
    ----------
    method : Method
    L : ndarray, shape (r, columns of X)
    confidence : float
        Of the two-sided intervals, between 0 and 1.
    extra : ndarray, shape (r,), optional
        A variance from elsewhere, taken as known, in squared units of the response: as that of
        the rows of L themselves where they are averages over sampled subjects. The df become
        those of the sum, ν (V + extra)² / V², as R's mmrm has them.

    Raises
    ------
    UsageError
        If `confidence` is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        msg = f"confidence: found {confidence!r}, expected a number between 0 and 1, as 0.95"
        raise UsageError(msg)
    coefficients = method.coefficients
    estimable = coefficients.basis.estimable(L)
    rows = Rows.of(coefficients.basis, L)
    value = rows.basis @ coefficients.beta
    variance = ((rows.basis @ method.vcov) * rows.basis).sum(axis=1)
    error = coefficients.scale * np.sqrt(variance.clip(0.0))
    df = method.df(rows)
    if extra is not None:
        alone, error = error**2, np.sqrt(error**2 + extra)
        with np.errstate(divide="ignore", invalid="ignore"):
            df = df * (error**2 / alone) ** 2
    value, error, df = (np.where(estimable, part, np.nan) for part in (value, error, df))
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = value / error
        half = t_quantile(0.5 + confidence / 2.0, df) * error
    p_value = t_two_sided(statistic, df)
    return Estimates(value, error, df, statistic, p_value, value - half, value + half)


def correlation(method: Method, L: Array, extra: Array | None = None) -> Array:
    """Correlation of the estimates of estimable rows of L.

    Parameters
    ----------
    method : Method
    L : ndarray, shape (r, columns of X)
    extra : ndarray, shape (r, r), optional
        A covariance from elsewhere, in squared units of the response.
    """
    rows = method.coefficients.basis.rows(L)
    covariance = rows @ method.vcov @ rows.T
    if extra is not None:
        covariance = covariance + extra / method.coefficients.scale**2
    sd = np.sqrt(np.diag(covariance).clip(1e-300))
    R: Array = covariance / np.outer(sd, sd)
    np.fill_diagonal(R, 1.0)
    return R


def f_test(method: Method, L: Array) -> FTest:
    """All rows of L together; redundant and inestimable rows do not count.

    Returns
    -------
    FTest
        With 0 numerator df and NaN elsewhere if nothing of L is estimable.
    """
    return joint_test(method, L).test


def joint_test(method: Method, L: Array) -> JointTest:
    """The same, and how many rows do not count, and why."""
    basis = method.coefficients.basis
    rows = Rows.of(basis, L[basis.estimable(L)])
    independent = _independent_rows(rows.basis)
    counts = len(rows) - independent.size, len(L) - len(rows)
    if not independent.size:
        return JointTest(FTest(np.nan, 0, np.nan, np.nan), *counts)
    return JointTest(method.test(rows.take(independent)), *counts)


def _independent_rows(rows: Array) -> IntArray:
    """Rows that are not combinations of earlier ones."""
    kept: list[int] = []
    Q = np.zeros((rows.shape[1], 0))
    for position, row in enumerate(rows):
        rest = row - Q @ (Q.T @ row)
        rest = rest - Q @ (Q.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > 1e-9 * float(np.linalg.norm(row)) and length > 0.0:
            kept.append(position)
            Q = np.column_stack([Q, rest / length])
    return np.array(kept, dtype=np.intp)
