"""Methods whose degrees of freedom are one number: residual, and none at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.distributions import f_upper
from trialmlm.inference.method import Coefficients, FTest
from trialmlm.inference.satterthwaite import coefficients_of

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit


@dataclass(frozen=True, slots=True)
class FixedDf:
    """Wald tests with the same degrees of freedom for every row; infinity is the normal's."""

    coefficients: Coefficients
    vcov: Array
    value: float
    name: str

    def df(self, L: Array) -> Array:
        """The same for every row."""
        return np.full(len(L), self.value)

    def test(self, L: Array) -> FTest:
        """F = (Lβ)'(LVL')⁻¹Lβ / rank."""
        estimate = L @ self.coefficients.beta / self.coefficients.scale
        rank = len(L)
        F = float(estimate @ np.linalg.solve(L @ self.vcov @ L.T, estimate)) / rank
        return FTest(F, rank, self.value, f_upper(F, rank, self.value))


def residual(fit: GaussianFit, information: str = "observed") -> FixedDf:
    """N − rank(X) degrees of freedom."""
    del information
    df = float(fit.n_observations - fit.rank)
    return FixedDf(coefficients_of(fit), fit.point.Phi, df, "residual")


def asymptotic(fit: GaussianFit, information: str = "observed") -> FixedDf:
    """The normal and χ² distributions."""
    del information
    return FixedDf(coefficients_of(fit), fit.point.Phi, float("inf"), "asymptotic")
