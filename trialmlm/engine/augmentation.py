"""Sweeps of monotone data augmentation for normal repeated measures with gaps.

Tanner and Wong (1987), Schafer (1997, ch. 5 and 6.5). One sweep draws, for C chains at once,

    β     | Σ, y_obs          with all gaps integrated out: generalised least squares,
    y_mis | β, Σ, y_obs       the regression of the gaps on what was observed,
    Σ     | β, y_obs, y_mis   from each visit's regression on the earlier ones.

What is missing after a subject's last visit is not needed for Σ; only intermittent gaps are filled.
As β and the gaps are drawn together given Σ, only Σ hands anything on from sweep to sweep.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.inverse_wishart import draw_from_monotone

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.incomplete import Incomplete
    from trialmlm.engine.inverse_wishart import InverseWishart


def sweep(
    data: Incomplete, Sigma: Array, prior: InverseWishart, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Carry every chain one sweep on.

    Parameters
    ----------
    data : Incomplete
    Sigma : ndarray, shape (C, G, T, T)
    prior : InverseWishart
        Of Σ; that of β is flat.
    rng : Generator

    Returns
    -------
    (ndarray of shape (C, p), ndarray of shape (C, G, T, T))
        β, of the columns as given, and Σ.
    """
    swept = _swept(data, Sigma)
    coefficients = _coefficients(data, swept, rng)
    S = _crossproducts(data, coefficients, swept, rng)
    S += np.reshape(prior.scale, (-1, 1, *np.shape(prior.scale)[-2:]))
    return coefficients @ data.basis.T, draw_from_monotone(rng, data.reached + prior.df, S)


def _swept(data: Incomplete, Sigma: Array) -> Array:
    """Σ of each kind swept on the visits observed, T × T × C × K: Goodnight (1979).

    It holds -Σ_oo⁻¹, the regression Σ_oo⁻¹Σ_om of gaps on what was observed, and the variance
    Σ_mm - Σ_mo Σ_oo⁻¹ Σ_om that it leaves. Chains and kinds stand last, to be swept side by side.
    """
    swept = np.ascontiguousarray(Sigma.transpose(2, 3, 0, 1)[..., data.group])
    for t, seen in enumerate(data.observed.T):
        row = swept[t].copy()
        scaled = row * np.where(seen, 1.0 / row[t], 0.0)
        swept -= scaled[:, None] * row
        swept[t] = swept[:, t] = np.where(seen, scaled, row)
        swept[t, t] = np.where(seen, -1.0 / row[t], row[t])
    return swept


def _coefficients(data: Incomplete, swept: Array, rng: np.random.Generator) -> Array:
    """β ~ N(I⁻¹ Σ_i X_i'V_i⁻¹y_i, I⁻¹), I = Σ_i X_i'V_i⁻¹X_i, in the orthonormal basis."""
    C, p = swept.shape[2], data.X.shape[-1]
    kind, row, column = data.pairs
    V_inv = -swept[row, column, :, kind].T
    information = np.zeros((C, p, p))
    # a Cholesky factor is made of the lower triangle alone
    information[:, *np.tril_indices(p)] = V_inv @ data.XX
    L = np.linalg.cholesky(information)
    half = np.linalg.solve(L, (V_inv @ data.XY)[..., None])
    noise = rng.standard_normal((C, p, 1))
    drawn: Array = np.linalg.solve(L.swapaxes(-1, -2), half + noise)[..., 0]
    return drawn


def _crossproducts(
    data: Incomplete, coefficients: Array, swept: Array, rng: np.random.Generator
) -> Array:
    """Σ_i r_i r_i' over the subjects of a group that reach each visit, C × G × T × T × T.

    Residuals after a subject's last visit are 0: they count in no block that is used.
    """
    C, (n, T, p) = len(coefficients), data.X.shape
    residuals = data.Y - (coefficients @ data.X.reshape(-1, p).T).reshape(C, n, T)
    S = np.zeros((C, data.n_groups, T, T, T))
    for k, (rows, last) in enumerate(zip(data.rows, data.last, strict=True)):
        r, gap = residuals[:, rows], ~data.observed[k]
        if gap[:last].any():
            r[..., gap] = _gaps(r, gap, swept[..., k], rng)
            r[:, :, last + 1 :] = 0.0
        S[:, data.group[k], last] += r.swapaxes(-1, -2) @ r
    for t in range(T - 1, 0, -1):
        S[:, :, t - 1] += S[:, :, t]
    return S


def _gaps(r: Array, gap: BoolArray, swept: Array, rng: np.random.Generator) -> Array:
    """Residuals at the gaps of one kind, drawn given those observed; C × n × gaps."""
    slopes = swept[:, gap].transpose(2, 0, 1)
    # the upper triangular root of what is left: a gap is drawn given those after it
    root = np.linalg.cholesky(slopes[:, gap][:, ::-1, ::-1])[:, ::-1, ::-1]
    noise = rng.standard_normal((*r.shape[:2], int(gap.sum())))
    drawn: Array = r @ slopes + noise @ root.swapaxes(-1, -2)
    return drawn
