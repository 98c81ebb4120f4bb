"""The covariance of the estimates that the model implies, and Kenward and Roger's correction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.inference.source import Source


@dataclass(frozen=True, slots=True)
class ModelBased:
    """Φ = (X'ΩX)⁻¹, or Φ adjusted.

    Attributes
    ----------
    matrix : ndarray, shape (q, q)
        Φ, or Φ_A.
    source : Source
        Whose Φ, with its derivatives, gives the degrees of freedom.
    """

    matrix: Array
    source: Source
    name: str = "model-based"

    @classmethod
    def of(cls, source: Source) -> ModelBased:
        """Φ."""
        return cls(source.fit.point.Phi, source)

    def satterthwaite(self, L: Array) -> Array:
        """By Φ and its derivatives, also where Φ is adjusted."""
        fit = self.source.fit
        return one_row_df(L, fit.point.Phi, fit.P, self.source.W)


def adjusted(source: Source) -> ModelBased:
    """Kenward and Roger's Φ_A, with the second derivatives of V: SAS's DDFM=KR."""
    return ModelBased(phi_adjusted(source.fit, source.W), source, "Kenward-Roger")


def adjusted_linear(source: Source) -> ModelBased:
    """Φ_A without them, whatever the parameterisation: SAS's DDFM=KR(LINEAR)."""
    Phi_A = phi_adjusted(source.fit, source.W, linear=True)
    return ModelBased(Phi_A, source, "Kenward-Roger (linear)")


def phi_adjusted(fit: GaussianFit, W: Array, *, linear: bool = False) -> Array:
    """Φ_A = Φ + 2ΦΛΦ, Λ = Σ_hk w_hk (Q_hk − P_hΦP_k − ¼R_hk), in the orthonormal basis.

    Parameters
    ----------
    fit : GaussianFit
    W : ndarray
    linear : bool
        Leave the R term out, as SAS's DDFM=KR(LINEAR). It is zero where V is linear in its natural
        parameters: unstructured, compound symmetry, Toeplitz, random effects.
    """
    Phi, P = fit.point.Phi, fit.P
    WQ = fit.likelihood.weighted_Q(fit.theta, fit.point, W)
    WP = np.tensordot(W, Phi @ P, 1)
    q = Phi.shape[0]
    WPP = P.transpose(1, 0, 2).reshape(q, -1) @ WP.reshape(-1, q)
    Lambda = WQ - WPP
    if not linear:
        Lambda = Lambda - fit.likelihood.weighted_R(fit.theta, fit.point, W) / 4.0
    result: Array = Phi + 2.0 * Phi @ ((Lambda + Lambda.T) / 2.0) @ Phi
    return result


def one_row_df(L: Array, Phi: Array, P: Array, W: Array) -> Array:
    """Df = 2(l'Φl)² / (g'Wg), g_h = −l'ΦP_hΦl, for every row l of L.

    Parameters
    ----------
    L : ndarray, shape (r, q)
    Phi : ndarray, shape (…, q, q)
    P : ndarray, shape (…, m, q, q)
    W : ndarray, shape (…, m, m)

    Returns
    -------
    ndarray, shape (…, r)
    """
    v = L @ Phi
    variance = (v * L).sum(axis=-1)
    each = v[..., None, :, :]
    g = ((each @ P) * each).sum(axis=-1)  # … × m × r
    spread = (g * (W @ g)).sum(axis=-2)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0.0, 2.0 * variance**2 / spread, np.inf)
