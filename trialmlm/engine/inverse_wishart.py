"""The inverse Wishart distribution: the conjugate prior of a covariance matrix, and its draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class InverseWishart:
    """A prior |Σ|^-(ν + T + 1)/2 exp(-tr(Ψ Σ⁻¹)/2) of each covariance matrix.

    Attributes
    ----------
    df : float
        ν ≥ 0.
    scale : ndarray, shape (T, T) or (G, T, T), or float
        Ψ in squared units of the response; 0 with ν = 0 is Jeffreys' prior.
    """

    df: float = 0.0
    scale: Array | float = 0.0

    @classmethod
    def around(cls, Sigma: Array) -> InverseWishart:
        """The weak prior of R's rbmi: ν = T + 2 and a mean of Σ, which is the REML estimate.

        Parameters
        ----------
        Sigma : ndarray, shape (G, T, T)
        """
        return cls(Sigma.shape[-1] + 2.0, Sigma)


#: |Σ|^-(T + 1)/2, the default of SAS PROC MI
JEFFREYS = InverseWishart()


def draw_inverse_wishart(rng: np.random.Generator, df: Array, scale: Array) -> Array:
    """Draw Σ ~ IW(ν, Ψ).

    With Ψ = CC' and AA' ~ W(ν, I) as Bartlett (1933) factorises it, Σ = (CA'⁻¹)(CA'⁻¹)'.

    Parameters
    ----------
    rng : Generator
    df : ndarray, shape (...)
        ν, above T - 1; it broadcasts against the leading axes of `scale`.
    scale : ndarray, shape (..., T, T)
        Ψ, positive definite.

    Returns
    -------
    ndarray, shape (..., T, T)
    """
    T = scale.shape[-1]
    steps = np.arange(T)
    A = np.tril(rng.standard_normal(scale.shape), -1)
    chi2 = rng.chisquare(np.broadcast_to(np.asarray(df)[..., None] - steps, scale.shape[:-1]))
    A[..., steps, steps] = np.sqrt(chi2)
    root = np.linalg.solve(A, np.linalg.cholesky(scale).swapaxes(-1, -2))
    drawn: Array = root.swapaxes(-1, -2) @ root
    return drawn


def draw_from_monotone(rng: np.random.Generator, df: Array, S: Array) -> Array:
    """Draw Σ given products of residuals that stop at different visits.

    With y_j = Σ_k<j φ_jk y_k + e_j, var e_j = d_j, an inverse Wishart prior makes the pairs
    (φ_j, d_j) independent, and so does what is observed up to visit j: Schafer (1997), 6.5. Then
    d_j ~ RSS_j/χ²(ν_j - T + j) and φ_j ~ N(S_j,11⁻¹ s_j, d_j S_j,11⁻¹), and Σ = FF' with
    F = (I - Φ)⁻¹ D^½. Where all S_j are the same this is IW(ν, S).

    Parameters
    ----------
    rng : Generator
    df : ndarray, shape (..., T)
        ν_j of the prior and of the subjects observed at visit j or later, above T - j.
    S : ndarray, shape (..., T, T, T)
        S_j: the prior's Ψ and the products of the residuals of those subjects; only its leading
        j × j block counts.

    Returns
    -------
    ndarray, shape (..., T, T)
    """
    T = S.shape[-1]
    F = np.zeros((*S.shape[:-3], T, T))
    chi2 = rng.chisquare(np.broadcast_to(df - T + np.arange(1, T + 1), S.shape[:-2]))
    noise = rng.standard_normal((*S.shape[:-3], T, T))
    for j in range(T):
        L = np.linalg.cholesky(S[..., j, : j + 1, : j + 1])
        sd = L[..., j, j] / np.sqrt(chi2[..., j])
        F[..., j, j] = sd
        if j:
            scores = L[..., j, :j] + sd[..., None] * noise[..., j, :j]
            phi = np.linalg.solve(L[..., :j, :j].swapaxes(-1, -2), scores[..., None])
            F[..., j, :j] = (phi.swapaxes(-1, -2) @ F[..., :j, :j])[..., 0, :]
    drawn: Array = F @ F.swapaxes(-1, -2)
    return drawn
