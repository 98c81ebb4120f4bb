"""−2 log-likelihood, REML and ML, from the summary, and its derivatives in the entries of Σ.

Notation: Ω_p = V_p⁻¹, zero outside the pattern's visits; Φ = (X'ΩX)⁻¹; r = y − Xβ̂. All in the
orthonormal basis and the units of :class:`~trialmlm.engine.summary.Summary`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.summary import Summary


@dataclass(frozen=True, slots=True)
class State:
    """The likelihood at one Σ.

    Attributes
    ----------
    Sigma : ndarray, shape (T, T)
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


def evaluate(summary: Summary, Sigma: Array, *, reml: bool) -> State:
    """−2l at Σ: Σ n_p log|V_p| + y'Ωy − β̂'X'Ωy (+ log|X'ΩX| for REML) + constant.

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
    )
    if reml:
        deviance += 2.0 * float(np.log(np.diag(factor)).sum())
    return State(Sigma, Omega, Phi, beta, deviance)


def inverses(Sigma: Array, summary: Summary) -> tuple[Array, Array]:
    """Ω_p and log|V_p| of every pattern, one batched Cholesky for all."""
    together = summary.visits[:, :, None] & summary.visits[:, None, :]
    identity = np.eye(summary.n_visits)
    factors = np.linalg.cholesky(np.where(together, Sigma, identity))
    halves = np.linalg.inv(factors)
    Omega = np.where(together, halves.transpose(0, 2, 1) @ halves, 0.0)
    log_dets = 2.0 * np.log(np.diagonal(factors, axis1=1, axis2=2)).sum(axis=1)
    return Omega, log_dets


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
    """First and second derivatives of −2l in the entries of Σ.

    With E_h the symmetric basis of the entries, ∂(−2l)/∂σ_h = ⟨E_h, G⟩ and the second
    derivatives are the contractions of fourth-order tensors with E_h and E_k.

    Attributes
    ----------
    G : ndarray, shape (T, T)
        Σ_p n_pΩ_p − Ω_p S_p Ω_p.
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
        """Observed Hessian, 2A − J (Σ is linear in its entries, so no curvature term)."""
        return 2.0 * self.A - self.J


def gradient(summary: Summary, state: State, *, reml: bool) -> Array:
    """G, T × T: the gradient of −2l in Σ as a symmetric matrix."""
    S = residual_products(summary, state)
    if reml:
        S = S + leverages(summary, state)
    Omega = state.Omega
    result: Array = np.tensordot(summary.n, Omega, 1) - (Omega @ S @ Omega).sum(axis=0)
    return result


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


def derivatives(summary: Summary, state: State, basis: Array, *, reml: bool) -> Derivatives:
    """Gradient, expected Hessian and average information in the span of `basis` (m × T × T)."""
    Omega, Phi = state.Omega, state.Phi
    S0 = residual_products(summary, state)
    F = leverages(summary, state)
    OSO, OFO = Omega @ S0 @ Omega, Omega @ F @ Omega
    G = np.tensordot(summary.n, Omega, 1) - OSO.sum(axis=0)
    scaled = summary.n[:, None, None] * Omega
    outer, inner = scaled, OSO
    if reml:
        G = G - OFO.sum(axis=0)
        outer = scaled - 2.0 * OFO
    Z = _score_products(summary, Omega)
    m, T, _ = basis.shape
    P = -(basis.reshape(m, T * T) @ Z.reshape(T * T, -1)).reshape(m, *Phi.shape)
    J = contract(basis, Omega, outer)
    if reml:
        PhiP = Phi @ P
        J = J + PhiP.reshape(m, -1) @ PhiP.transpose(0, 2, 1).reshape(m, -1).T
    c = basis.reshape(m, T * T) @ _score_residuals(summary, state)
    A = contract(basis, Omega, inner) - c @ Phi @ c.T
    return Derivatives(G, P, (J + J.T) / 2.0, (A + A.T) / 2.0)


def contract(basis: Array, Omega: Array, W: Array) -> Array:
    """Σ_p tr(E_h Ω_p E_k W_p), m × m, one matrix product over the patterns."""
    P, T, _ = Omega.shape
    m = basis.shape[0]
    # [b, c, d, a] = Σ_p Ω_p[b, c] W_p[d, a];  tr(E Ω E' W) = Σ E[a, b] Ω[b, c] E'[c, d] W[d, a]
    tensor = Omega.reshape(P, T * T).T @ W.reshape(P, T * T)
    tensor = tensor.reshape(T, T, T, T).transpose(3, 0, 1, 2).reshape(T * T, T * T)
    flat = basis.reshape(m, T * T)
    result: Array = flat @ tensor @ flat.T
    return result


def _score_products(summary: Summary, Omega: Array) -> Array:
    """Z_ab = Σ X'Ωe_a e_b'ΩX, T × T × q × q: one product of the roots of M_p with themselves."""
    T, q, s = summary.B.shape
    BR = (summary.B.reshape(T * q, s) @ summary.root.T).reshape(T, q, -1).transpose(2, 0, 1)
    W = (Omega[summary.root_pattern] @ BR).reshape(-1, T * q)
    return (W.T @ W).reshape(T, q, T, q).transpose(0, 2, 1, 3)


def _score_residuals(summary: Summary, state: State) -> Array:
    """d_ab = Σ (X'Ωe_a)(e_b'Ωr), T² × q."""
    T, q, s = summary.B.shape
    fit = summary.B.transpose(0, 2, 1) @ state.beta
    Ur = (summary.N - summary.M @ fit.T) @ state.Omega  # P × s × T: Σ_i u_i (Ωr_i)'
    P = len(Ur)
    products = state.Omega.reshape(P, T * T).T @ Ur.reshape(P, s * T)
    by_visit = products.reshape(T, T, s, T).transpose(0, 3, 1, 2).reshape(T * T, T * s)
    result: Array = by_visit @ summary.B.transpose(0, 2, 1).reshape(T * s, q)
    return result
