"""A part of a normal vector given the rest, for many means and covariances at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray


def conditional(
    mean: Array, Sigma: Array, y: Array, missing: BoolArray, noise: Array | None = None
) -> Array:
    """The missing visits of subjects that were observed at the same visits.

    Parameters
    ----------
    mean : ndarray, shape (D, m, T)
        Of m subjects, under D sets of parameters.
    Sigma : ndarray, shape (D, T, T)
    y : ndarray, shape (m, T)
        The responses; only those observed are read.
    missing : ndarray of bool, shape (T,)
    noise : ndarray, shape (D, m, missing visits), optional
        Standard normal; without it the conditional mean is returned.

    Returns
    -------
    ndarray, shape (D, m, missing visits)

    Notes
    -----
    y_u | y_o ~ N(μ_u + W'(y_o − μ_o), Σ_uu − W'Σ_ou) with W = Σ_oo⁻¹Σ_ou, u the visits that are
    missing and o those observed.
    """
    u, o = np.flatnonzero(missing), np.flatnonzero(~missing)
    S_ou = Sigma[:, o[:, None], u]
    W = np.linalg.solve(Sigma[:, o[:, None], o], S_ou)
    values: Array = mean[..., u] + (y[:, o] - mean[..., o]) @ W
    if noise is None:
        return values
    spread = Sigma[:, u[:, None], u] - np.swapaxes(S_ou, 1, 2) @ W
    root = np.linalg.cholesky((spread + np.swapaxes(spread, 1, 2)) / 2.0)
    return values + noise @ np.swapaxes(root, 1, 2)


def joined(own: Array, other: Array, first: int) -> Array:
    """One covariance before a visit, another's regression on the past from it on.

    Parameters
    ----------
    own, other : ndarray, shape (…, T, T)
    first : int
        The first visit that follows the other.

    Notes
    -----
    With 1 the visits before, 2 those after, D the own and R the other: Σ₁₁ = D₁₁, Σ₂₁ = K D₁₁,
    Σ₂₂ = R₂₂ − K (R₁₁ − D₁₁) K', K = R₂₁ R₁₁⁻¹ (Carpenter, Roger and Kenward, J Biopharm Stat
    2013;23:1352).
    """
    if first == 0 or own is other:
        return other
    before, after = slice(None, first), slice(first, None)
    D, R = own[..., before, before], other[..., before, before]
    K = np.swapaxes(np.linalg.solve(R, other[..., before, after]), -1, -2)
    found = np.empty(np.broadcast_shapes(own.shape, other.shape))
    found[..., before, before] = D
    found[..., after, before] = K @ D
    found[..., before, after] = np.swapaxes(found[..., after, before], -1, -2)
    found[..., after, after] = other[..., after, after] - K @ (R - D) @ np.swapaxes(K, -1, -2)
    return found
