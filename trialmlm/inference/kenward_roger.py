"""Kenward and Roger (1997): an F test to match a covariance that knows θ was estimated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.model_based import one_row_df

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.inference.method import CovarianceOfEstimates
    from trialmlm.inference.rows import Rows
    from trialmlm.inference.source import Source


@dataclass(frozen=True, slots=True)
class KenwardRoger:
    """One-row df, and the scale and the df of the F test, of a REML fit.

    Attributes
    ----------
    Phi : ndarray
        The unadjusted covariance.
    P, W : ndarray
        Derivatives of Φ⁻¹, and the covariance of the natural parameters.
    """

    Phi: Array
    P: Array
    W: Array
    name: str = "kenward-roger"

    @classmethod
    def of(cls, source: Source, covariance: CovarianceOfEstimates) -> KenwardRoger:
        """Beside Φ_A: SAS's DDFM=KR."""
        del covariance
        return cls(source.fit.point.Phi, source.fit.P, source.W)

    @classmethod
    def linear(cls, source: Source, covariance: CovarianceOfEstimates) -> KenwardRoger:
        """Beside Φ_A without second derivatives: SAS's DDFM=KR(LINEAR)."""
        del covariance
        return cls(source.fit.point.Phi, source.fit.P, source.W, "kenward-roger-linear")

    def df(self, rows: Rows) -> Array:
        """For one row λ = 1 and m is Satterthwaite's df with the same W."""
        return one_row_df(rows.basis, self.Phi, self.P, self.W)

    def scale_and_df(self, rows: Rows) -> tuple[float, float]:
        """λ and m (the 1997 paper, section 3)."""
        rank = len(rows)
        if rank == 1:
            return 1.0, float(self.df(rows)[0])
        return _scale_and_df(*self._moments(rows.basis), rank)

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
