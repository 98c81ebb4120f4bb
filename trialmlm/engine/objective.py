"""−2 log-likelihood, REML and ML, from the summary, and its derivatives in the entries of Σ.

Notation: Ω_p = V_p⁻¹, zero outside the pattern's visits; Φ = (X'ΩX)⁻¹; r = y − Xβ̂. All in the
orthonormal basis and the units of :class:`~trialmlm.engine.summary.Summary`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.engine.summary import Summary


@dataclass(frozen=True)
class State:
    """The likelihood at one Σ.

    Attributes
    ----------
    Sigma : ndarray, shape (G, T, T)
        One per covariance group.
    Omega : ndarray, shape (P, T, T)
        V_p⁻¹, zero outside the pattern's visits.
    Phi : ndarray, shape (q, q)
        (X'ΩX)⁻¹.
    beta : ndarray, shape (q,)
        Generalised least-squares coefficients.
    deviance : float
        −2 log-likelihood of the scaled data, without the constant of the basis.
    """

    Sigma: Array
    Omega: Array
    Phi: Array
    beta: Array
    deviance: float

    @cached_property
    def condition(self) -> float:
        """The smallest eigenvalue of the groups' correlation matrices."""
        sd = np.sqrt(np.diagonal(self.Sigma, axis1=1, axis2=2))
        return float(np.linalg.eigvalsh(self.Sigma / (sd[:, :, None] * sd[:, None, :])).min())

    @property
    def vanishing(self) -> float:
        """The smallest variance relative to the largest of its group."""
        variances = np.diagonal(self.Sigma, axis1=1, axis2=2)
        return float((variances.min(axis=1) / variances.max(axis=1)).min())


def evaluate(summary: Summary, Sigma: Array, *, reml: bool) -> State:
    """−2l at Σ: Σ n_p log|V_p| + y'Ωy − β̂'X'Ωy (+ log|X'ΩX| for REML) + constant.

    Parameters
    ----------
    summary : Summary
    Sigma : ndarray, shape (G, T, T)
    reml : bool

    Raises
    ------
    numpy.linalg.LinAlgError
        If Σ or X'ΩX is not positive definite.
    """
    Omega, log_dets = inverses(Sigma, summary)
    XtOX = project(summary, Omega, summary.M)
    XtOy = _weighted_cross(summary, Omega)
    factor = np.linalg.cholesky(XtOX)
    half = np.linalg.inv(factor)
    Phi = half.T @ half
    beta = Phi @ XtOy
    n = summary.n_observations
    q = summary.q if reml else 0
    deviance = (
        float(summary.n @ log_dets)
        + float(np.vdot(Omega, summary.Y))
        - float(XtOy @ beta)
        + (n - q) * np.log(2.0 * np.pi)
        - summary.log_weights
    )
    if reml:
        deviance += 2.0 * float(np.log(np.diag(factor)).sum())
    return State(Sigma, Omega, Phi, beta, deviance)


def inverses(Sigma: Array, summary: Summary) -> tuple[Array, Array]:
    """Ω_p and log|V_p| of every pattern, one batched Cholesky for all."""
    factors = np.linalg.cholesky(covariances(Sigma, summary))
    halves = np.linalg.inv(factors)
    Omega = np.where(summary.together, halves.transpose(0, 2, 1) @ halves, 0.0)
    log_dets = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    return Omega, log_dets


def covariances(Sigma: Array, summary: Summary) -> Array:
    """Σ of every pattern's group on its visits, P × T × T, the identity where it has none."""
    counts = [group.stop - group.start for group in summary.groups]
    return np.where(summary.together, np.repeat(Sigma, counts, axis=0), np.eye(summary.n_visits))


def project(summary: Summary, weights: Array, M: Array) -> Array:
    """Σ_p Σ_jk weights_p[j, k] B_j M_p B_k': X'ΩX for weights = Ω, one matrix product."""
    P, T, _ = weights.shape
    s = M.shape[1]
    K = weights.reshape(P, T * T).T @ M.reshape(P, s * s)
    K = K.reshape(T, T, s, s).transpose(0, 2, 1, 3).reshape(T * s, T * s)
    flat = _flat(summary)
    result: Array = flat @ K @ flat.T
    return result


def _flat(summary: Summary) -> Array:
    """(B_1 … B_T) side by side, q × T s."""
    T, q, s = summary.B.shape
    return summary.B.transpose(1, 0, 2).reshape(q, T * s)


def _weighted_cross(summary: Summary, Omega: Array) -> Array:
    """X'Ωy = Σ_j B_j Σ_p,k Ω_p[j, k] N_p[:, k]."""
    by_visit = (summary.N @ Omega).sum(axis=0)
    result: Array = _flat(summary) @ by_visit.T.reshape(-1)
    return result


@dataclass(frozen=True, slots=True)
class Derivatives:
    """First and second derivatives of −2l along directions in which the Σ of the groups move.

    A direction E_h moves one group's Σ: ∂(−2l) along it is ⟨E_h, G_g⟩, and the second
    derivatives are contractions of fourth-order tensors with E_h and E_k.

    Attributes
    ----------
    G : ndarray, shape (number of groups, T, T)
        Σ_p n_pΩ_p − Ω_p S_p Ω_p over the patterns of the group.
    P : ndarray, shape (m, q, q)
        P_h = −Σ X'ΩE_hΩX.
    J : ndarray, shape (m, m)
        Expected Hessian.
    A : ndarray, shape (m, m)
        Average information, the mean of expected and observed Hessian.
    """

    G: Array
    P: Array
    J: Array
    A: Array

    @property
    def H(self) -> Array:
        """Observed Hessian, 2A − J (along straight lines, so no curvature term)."""
        return 2.0 * self.A - self.J


def gradient(summary: Summary, state: State, *, reml: bool) -> Array:
    """The gradient of −2l in each Σ as a symmetric matrix, number of groups × T × T."""
    S = residual_products(summary, state)
    if reml:
        S = S + leverages(summary, state)
    Omega = state.Omega
    return _by_group(summary, summary.n[:, None, None] * Omega - Omega @ S @ Omega)


def _by_group(summary: Summary, values: Array) -> Array:
    """Sums over the patterns of each group."""
    return np.stack([values[piece].sum(axis=0) for piece in summary.groups])


def residual_products(summary: Summary, state: State) -> Array:
    """S⁰_p = Σ_i r_i r_i', P × T × T (meaningful inside the pattern's visits)."""
    fit = summary.B.transpose(0, 2, 1) @ state.beta  # T × s: r_ij = y_ij − fit_j'u_i
    cross = fit @ summary.N
    result: Array = fit @ summary.M @ fit.T + summary.Y - cross - cross.transpose(0, 2, 1)
    return result


def leverages(summary: Summary, state: State) -> Array:
    """F_p = Σ_i X_i Φ X_i', P × T × T."""
    T, _, s = summary.B.shape
    flat = _flat(summary)
    H = (flat.T @ state.Phi @ flat).reshape(T, s, T, s).transpose(0, 2, 1, 3)
    F = summary.M.reshape(-1, s * s) @ H.reshape(T * T, s * s).T
    return F.reshape(-1, T, T)


def derivatives(
    summary: Summary, state: State, bases: Sequence[Array], *, reml: bool
) -> Derivatives:
    """Gradient, expected Hessian and average information along directions of every group.

    Parameters
    ----------
    summary : Summary
    state : State
    bases : sequence of ndarray, shape (m_g, T, T)
        The directions of each group, one group after the other in the results.
    reml : bool
    """
    Omega, Phi = state.Omega, state.Phi
    S0 = residual_products(summary, state)
    F = leverages(summary, state)
    OSO, OFO = Omega @ S0 @ Omega, Omega @ F @ Omega
    scaled = summary.n[:, None, None] * Omega
    slope, outer = scaled - OSO, scaled
    if reml:
        slope, outer = slope - OFO, scaled - 2.0 * OFO
    q, T = summary.q, summary.n_visits
    flats = [basis.reshape(-1, T * T) for basis in bases]
    pieces = [*zip(summary.groups, bases, flats, strict=True)]
    P = -np.concatenate(
        [f @ _score_products(summary, Omega, g).reshape(T * T, -1) for g, _, f in pieces]
    ).reshape(-1, q, q)
    c = np.concatenate([f @ _score_residuals(summary, state, g) for g, _, f in pieces])
    J = block_diagonal([contract(basis, Omega[g], outer[g]) for g, basis, _ in pieces])
    A = block_diagonal([contract(basis, Omega[g], OSO[g]) for g, basis, _ in pieces])
    if reml:
        PhiP = Phi @ P
        J = J + PhiP.reshape(len(P), -1) @ PhiP.transpose(0, 2, 1).reshape(len(P), -1).T
    A = A - c @ Phi @ c.T
    return Derivatives(_by_group(summary, slope), P, (J + J.T) / 2.0, (A + A.T) / 2.0)


def block_diagonal(blocks: Sequence[Array]) -> Array:
    """Square blocks down a diagonal."""
    if len(blocks) == 1:
        return blocks[0]
    ends = np.cumsum([len(block) for block in blocks])
    found = np.zeros((ends[-1], ends[-1]))
    for end, block in zip(ends, blocks, strict=True):
        found[end - len(block) : end, end - len(block) : end] = block
    return found


def contract(basis: Array, Omega: Array, W: Array) -> Array:
    """Σ_p tr(E_h Ω_p E_k W_p), m × m, one matrix product over the patterns."""
    P, T, _ = Omega.shape
    return contracted(basis, Omega.reshape(P, T * T).T @ W.reshape(P, T * T))


def contracted(basis: Array, products: Array) -> Array:
    """Σ_p tr(E_h Ω_p E_k W_p) from Σ_p vec(Ω_p) vec(W_p)', T² × T²."""
    m, T, _ = basis.shape
    # [b, c, d, a] = Σ_p Ω_p[b, c] W_p[d, a];  tr(E Ω E' W) = Σ E[a, b] Ω[b, c] E'[c, d] W[d, a]
    tensor = products.reshape(T, T, T, T).transpose(3, 0, 1, 2).reshape(T * T, T * T)
    flat = basis.reshape(m, T * T)
    result: Array = flat @ tensor @ flat.T
    return result


def _score_products(summary: Summary, Omega: Array, group: slice) -> Array:
    """Z_ab = Σ X'Ωe_a e_b'ΩX of a group: one product of the roots of M_p with themselves."""
    T, q, s = summary.B.shape
    first, end = np.searchsorted(summary.root_pattern, (group.start, group.stop))
    root, pattern = summary.root[first:end], summary.root_pattern[first:end]
    BR = (summary.B.reshape(T * q, s) @ root.T).reshape(T, q, -1).transpose(2, 0, 1)
    W = (Omega[pattern] @ BR).reshape(-1, T * q)
    return (W.T @ W).reshape(T, q, T, q).transpose(0, 2, 1, 3)


def _score_residuals(summary: Summary, state: State, group: slice) -> Array:
    """d_ab = Σ (X'Ωe_a)(e_b'Ωr) of a group, T² × q."""
    T, q, s = summary.B.shape
    Omega = state.Omega[group]
    fit = summary.B.transpose(0, 2, 1) @ state.beta
    Ur = (summary.N[group] - summary.M[group] @ fit.T) @ Omega  # P × s × T: Σ_i u_i (Ωr_i)'
    P = len(Ur)
    products = Omega.reshape(P, T * T).T @ Ur.reshape(P, s * T)
    by_visit = products.reshape(T, T, s, T).transpose(0, 3, 1, 2).reshape(T * T, T * s)
    result: Array = by_visit @ summary.B.transpose(0, 2, 1).reshape(T * s, q)
    return result
