"""Satterthwaite degrees of freedom: match the variance of a variance to a χ²'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.inference.method import CovarianceOfEstimates
    from trialmlm.inference.rows import Rows
    from trialmlm.inference.source import Source


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """Satterthwaite (1946) for one row, Fai and Cornelius (1996) for several.

    The df of one row does not depend on how the covariance is parameterised. Those of an F test
    depend on the basis of its rows; which rows :mod:`~trialmlm.formula.hypotheses` takes is said
    there.

    Attributes
    ----------
    covariance : CovarianceOfEstimates
        Model-based or a sandwich; it gives the df of one row.
    """

    covariance: CovarianceOfEstimates
    name: str = "satterthwaite"

    @classmethod
    def of(cls, source: Source, covariance: CovarianceOfEstimates) -> Satterthwaite:
        """With any covariance of the estimates."""
        del source
        return cls(covariance)

    def df(self, rows: Rows) -> Array:
        """One per row."""
        return self.covariance.satterthwaite(rows.basis)

    def scale_and_df(self, rows: Rows) -> tuple[float, float]:
        """F is a mean of squared independent t's; its df comes from theirs."""
        L = rows.basis
        _, vectors = np.linalg.eigh(L @ self.covariance.matrix @ L.T)
        return 1.0, pooled_df(self.covariance.satterthwaite(vectors.T @ L))


def pooled_df(df: Array) -> float:
    """2E/(E − r) with E = Σ ν/(ν − 2); 2 where a row has too few to have a mean."""
    if np.isinf(df).all() or np.ptp(df) <= 1e-8 * df.max():
        return float(df.mean())
    if (df <= 2.0).any():
        return 2.0
    expectation = float((1.0 / (1.0 - 2.0 / df)).sum())
    return 2.0 * expectation / (expectation - df.size)
