"""Rules whose degrees of freedom are one number: residual, containment, and none at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.inference.method import CovarianceOfEstimates
    from trialmlm.inference.rows import Rows
    from trialmlm.inference.source import Repeated, Source


@dataclass(frozen=True, slots=True)
class FixedDf:
    """Wald tests with the same degrees of freedom for every row; infinity is the normal's."""

    value: float
    name: str

    def df(self, rows: Rows) -> Array:
        """The same for every row."""
        return np.full(len(rows), self.value)

    def scale_and_df(self, rows: Rows) -> tuple[float, float]:
        """The Wald statistic as it is."""
        del rows
        return 1.0, self.value


def residual(source: Source, covariance: CovarianceOfEstimates) -> FixedDf:
    """N − rank(X) degrees of freedom."""
    del covariance
    return FixedDf(_left(source), "residual")


def containment(source: Repeated, covariance: CovarianceOfEstimates) -> FixedDf:
    """N − rank(X) degrees of freedom: no random effect contains a fixed one.

    PROC MIXED's DDFM=CONTAIN looks for a random effect that contains the fixed effect tested, and
    takes N − rank(X) where there is none (its documentation, MODEL statement). A model with a
    residual covariance alone, a REPEATED statement without RANDOM, has none.
    """
    del covariance
    return FixedDf(_left(source), "containment")


def asymptotic(source: Source, covariance: CovarianceOfEstimates) -> FixedDf:
    """The normal and χ² distributions."""
    del source, covariance
    return FixedDf(float("inf"), "asymptotic")


def _left(source: Source) -> float:
    return float(source.fit.n_observations - source.fit.rank)
