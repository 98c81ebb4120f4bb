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
    from trialmlm.arrays import Array
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
    V_inv, slopes, roots = _conditionals(data, np.linalg.inv(Sigma))
    coefficients = _coefficients(data, V_inv, rng)
    S = _crossproducts(data, coefficients, slopes, roots, rng)
    S += np.reshape(prior.scale, (-1, 1, *np.shape(prior.scale)[-2:]))
    return coefficients @ data.basis.T, draw_from_monotone(rng, data.reached + prior.df, S)


def _conditionals(data: Incomplete, Omega: Array) -> tuple[Array, Array, Array]:
    """Per chain and kind, from Ω = Σ⁻¹, padded with zeros to T × T.

    V_oo⁻¹ = Ω_oo - Ω_om Ω_mm⁻¹ Ω_mo; the slopes -Ω_mm⁻¹ Ω_mo of gaps on what was observed; and
    L⁻¹ of LL' = Ω_mm, with which z'L⁻¹ has the variance Ω_mm⁻¹ of the gaps.
    """
    seen, gap = data.observed, ~data.observed
    precision = Omega[:, data.group]
    own = np.where(gap[:, :, None] & gap[:, None, :], precision, np.eye(gap.shape[1]))
    roots = np.linalg.inv(np.linalg.cholesky(own))
    across = np.where(gap[:, :, None] & seen[:, None, :], precision, 0.0)
    slopes = -(roots.swapaxes(-1, -2) @ (roots @ across))
    kept = precision + across.swapaxes(-1, -2) @ slopes
    return np.where(seen[:, :, None] & seen[:, None, :], kept, 0.0), slopes, roots


def _coefficients(data: Incomplete, V_inv: Array, rng: np.random.Generator) -> Array:
    """β ~ N(I⁻¹ Σ_i X_i'V_i⁻¹y_i, I⁻¹), I = Σ_i X_i'V_i⁻¹X_i, in the orthonormal basis."""
    C, p = len(V_inv), data.X.shape[-1]
    flat = V_inv.reshape(C, -1)
    L = np.linalg.cholesky((flat @ data.XX).reshape(C, p, p))
    half = np.linalg.solve(L, (flat @ data.XY)[..., None])
    noise = rng.standard_normal((C, p, 1))
    drawn: Array = np.linalg.solve(L.swapaxes(-1, -2), half + noise)[..., 0]
    return drawn


def _crossproducts(
    data: Incomplete, coefficients: Array, slopes: Array, roots: Array, rng: np.random.Generator
) -> Array:
    """Σ_i r_i r_i' over the subjects of a group that reach each visit, C × G × T × T × T.

    Residuals after a subject's last visit are 0: they count in no block that is used.
    """
    C, T = len(coefficients), data.Y.shape[1]
    residuals = data.Y - np.tensordot(coefficients, data.X, axes=(1, 2))
    S = np.zeros((C, data.n_groups, T, T, T))
    for k, (rows, last) in enumerate(zip(data.rows, data.last, strict=True)):
        r, gap = residuals[:, rows], ~data.observed[k]
        if gap[:last].any():
            noise = rng.standard_normal((C, r.shape[1], int(gap.sum())))
            r = r + r @ slopes[:, k].swapaxes(-1, -2) + noise @ roots[:, k, gap]
            r[:, :, last + 1 :] = 0.0
        S[:, data.group[k], last] += r.swapaxes(-1, -2) @ r
    reached: Array = S[:, :, ::-1].cumsum(axis=2)[:, :, ::-1]
    return reached
