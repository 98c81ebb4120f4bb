"""Kenward and Roger (1997): a covariance that knows θ was estimated, and an F test to match."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.distributions import f_upper
from trialmlm.inference.method import Coefficients, FTest
from trialmlm.inference.satterthwaite import coefficients_of, one_row_df

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit


def adjusted(fit: GaussianFit, W: Array, *, linear: bool = False) -> Array:
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


@dataclass(frozen=True, slots=True)
class KenwardRoger:
    """The adjusted covariance, one-row df, and the scaled F test.

    Attributes
    ----------
    vcov : ndarray
        Φ_A.
    Phi : ndarray
        The unadjusted covariance.
    P, W : ndarray
        Derivatives of Φ⁻¹, and the covariance of the natural parameters.
    """

    coefficients: Coefficients
    vcov: Array
    Phi: Array
    P: Array
    W: Array
    name: str = "kenward-roger"

    @classmethod
    def of(cls, fit: GaussianFit, information: str = "observed") -> KenwardRoger:
        """From a REML fit; SAS's DDFM=KR."""
        W = fit.information(information)
        return cls(coefficients_of(fit), adjusted(fit, W), fit.point.Phi, fit.P, W)

    @classmethod
    def linear(cls, fit: GaussianFit, information: str = "observed") -> KenwardRoger:
        """From a REML fit; SAS's DDFM=KR(LINEAR), whatever the parameterisation."""
        W = fit.information(information)
        Phi_A = adjusted(fit, W, linear=True)
        found = coefficients_of(fit)
        return cls(found, Phi_A, fit.point.Phi, fit.P, W, "kenward-roger-linear")

    def df(self, L: Array) -> Array:
        """For one row λ = 1 and m is Satterthwaite's df with the same W."""
        return one_row_df(L, self.Phi, self.P, self.W)

    def test(self, L: Array) -> FTest:
        """The scaled statistic λF and its denominator df m (the 1997 paper, section 3).

        Attributes of the returned test: λF, the number of rows ℓ, and m.
        """
        rank = len(L)
        estimate = L @ self.coefficients.beta / self.coefficients.scale
        F = float(estimate @ np.linalg.solve(L @ self.vcov @ L.T, estimate)) / rank
        if rank == 1:
            m = float(self.df(L)[0])
            return FTest(F, 1, m, f_upper(F, 1, m))
        A1, A2 = self._moments(L)
        scale, m = _scale_and_df(A1, A2, rank)
        return FTest(scale * F, rank, m, f_upper(scale * F, rank, m))

    def _moments(self, L: Array) -> tuple[float, float]:
        """A₁ = Σ w tr(ΘΦP_hΦ)tr(ΘΦP_kΦ) and A₂ = Σ w tr(ΘΦP_hΦΘΦP_kΦ), Θ = L'(LΦL')⁻¹L."""
        half = np.linalg.inv(np.linalg.cholesky(L @ self.Phi @ L.T)) @ L @ self.Phi
        inner = half @ self.P @ half.T  # m × ℓ × ℓ
        traces = np.trace(inner, axis1=1, axis2=2)
        flat = inner.reshape(len(inner), -1)
        return float(traces @ self.W @ traces), float((self.W * (flat @ flat.T)).sum())


def _scale_and_df(A1: float, A2: float, rank: int) -> tuple[float, float]:
    """λ and m, in the paper's letters."""
    B = (A1 + 6.0 * A2) / (2.0 * rank)
    g = ((rank + 1) * A1 - (rank + 4) * A2) / ((rank + 2) * A2)
    d = 3.0 * rank + 2.0 * (1.0 - g)
    c1, c2, c3 = g / d, (rank - g) / d, (rank + 2 - g) / d
    E = 1.0 / (1.0 - A2 / rank)
    V = (2.0 / rank) * (1.0 + c1 * B) / ((1.0 - c2 * B) ** 2 * (1.0 - c3 * B))
    rho = V / (2.0 * E**2)
    m = 4.0 + (rank + 2) / (rank * rho - 1.0)
    return m / (E * (m - 2.0)), m
