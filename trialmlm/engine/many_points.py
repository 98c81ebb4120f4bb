"""The likelihood of many data sets, each at a Σ of its own: β̂, Φ, and the gradient of −2l.

The formulas are those of :mod:`~trialmlm.engine.objective`, with a leading axis for the data sets.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.many_sums import Sums
    from trialmlm.engine.summary import Summary


@dataclass(frozen=True, slots=True)
class Points:
    """D data sets, each at its Σ.

    Attributes
    ----------
    Sigma : ndarray, shape (D, G, T, T), or 1 for all
    Omega : ndarray, shape (D, P, T, T), or 1 for all
        V_p⁻¹, zero outside the pattern's visits.
    Phi : ndarray, shape (D, q, q)
        (X'ΩX)⁻¹.
    beta : ndarray, shape (D, q)
        In the basis and units of the summary.
    """

    Sigma: Array
    Omega: Array
    Phi: Array
    beta: Array


def points(summary: Summary, sums: Sums, Sigma: Array, Omega: Array) -> Points:
    """Φ and β̂ at Σ and its Ω, which may be the same for all.

    Raises
    ------
    numpy.linalg.LinAlgError
        If one of the matrices is singular.
    """
    Phi = np.linalg.inv(information(summary, sums, Omega))
    beta = Phi @ _weighted_cross(summary, sums, Omega)[:, :, None]
    return Points(Sigma, Omega, Phi, beta[:, :, 0])


def deviances(summary: Summary, sums: Sums, at: Points, *, reml: bool) -> Array:
    """−2l of each but for constants: Σ n_p log|V_p| + y'Ωy − β̂'X'Ωy (+ log|X'ΩX| for REML)."""
    # outside the pattern's visits the identity, which adds nothing to the determinant
    filled = at.Omega + np.where(summary.together, 0.0, np.eye(summary.n_visits))
    found = -(sums.n * np.linalg.slogdet(filled)[1]).sum(axis=1)
    found = found + (at.Omega * sums.Y).sum(axis=(1, 2, 3))
    found = found - (_weighted_cross(summary, sums, at.Omega) * at.beta).sum(axis=1)
    if reml:
        found = found - np.linalg.slogdet(at.Phi)[1]
    return np.asarray(found)


def information(summary: Summary, sums: Sums, Omega: Array) -> Array:
    """X'ΩX of each, D × q × q; Ω or the sums may be the same for all."""
    P, s = sums.M.shape[1:3]
    T = summary.n_visits
    K = Omega.reshape(len(Omega), P, T * T).swapaxes(1, 2) @ sums.M.reshape(len(sums.M), P, s * s)
    D = len(K)
    K = K.reshape(D, T, T, s, s).transpose(0, 1, 3, 2, 4).reshape(D, T * s, T * s)
    return _both_sides(K, _flat(summary).T)


def _weighted_cross(summary: Summary, sums: Sums, Omega: Array) -> Array:
    """X'Ωy of each, D × q."""
    by_visit = (sums.N @ Omega).sum(axis=1).swapaxes(1, 2)
    flat = by_visit.reshape(len(by_visit), 1, -1)
    found: Array = (flat @ _flat(summary).T)[:, 0]
    return found


def gradients(summary: Summary, sums: Sums, at: Points, *, reml: bool) -> Array:
    """∂(−2l)/∂Σ of each, symmetric, D × G × T × T: Σ_p n_pΩ_p − Ω_p S_p Ω_p."""
    S = _residual_products(summary, sums, at)
    if reml:
        S += _leverages(summary, sums, at)
    found = sums.n[:, :, None, None] * at.Omega - at.Omega @ S @ at.Omega
    return np.stack([found[:, piece].sum(axis=1) for piece in summary.groups], axis=1)


def _residual_products(summary: Summary, sums: Sums, at: Points) -> Array:
    """S⁰_p = Σ r r', D × P × T × T."""
    T, _, s = summary.B.shape
    fit = (at.beta[:, None] @ _flat(summary)).reshape(-1, 1, T, s)
    cross = fit @ sums.N
    found: Array = fit @ sums.M @ fit.swapaxes(2, 3) + sums.Y - cross - cross.swapaxes(2, 3)
    return found


def _leverages(summary: Summary, sums: Sums, at: Points) -> Array:
    """F_p = Σ X_i Φ X_i', D × P × T × T."""
    T, _, s = summary.B.shape
    D, P = sums.n.shape
    H = _both_sides(at.Phi, _flat(summary))
    H = H.reshape(D, T, s, T, s).transpose(0, 2, 4, 1, 3).reshape(D, s * s, T * T)
    return (sums.M.reshape(D, P, s * s) @ H).reshape(D, P, T, T)


def _both_sides(A: Array, F: Array) -> Array:
    """F'A_dF, D × a × a and a × b in; one product per data set, which others do not change."""
    found: Array = F.T @ (A @ F)
    return found


def _flat(summary: Summary) -> Array:
    """(B_1 … B_T) side by side, q × T s."""
    T, q, s = summary.B.shape
    return summary.B.transpose(1, 0, 2).reshape(q, T * s)
