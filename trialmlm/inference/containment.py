"""Containment degrees of freedom beside random effects: SAS's DDFM=CONTAIN."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.ranks import rank_contributions

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.inference.method import CovarianceOfEstimates
    from trialmlm.inference.rows import Rows
    from trialmlm.inference.source import Hierarchical

#: a coefficient counts in a row if its part of Lβ is larger than this, relatively to the largest
COUNTS = 1e-9


@dataclass(frozen=True, slots=True)
class Containment:
    """The smallest df among the effects that a row gives weight to, the intercept's if it is alone.

    Attributes
    ----------
    by_coefficient : ndarray, shape (q,)
        Of the columns that are not aliased.
    sizes : ndarray, shape (q,)
        The largest absolute value of each column.
    constant, classes : ndarray of bool, shape (q,)
        The intercept, and terms of factors alone. A row with a weight on the intercept and on
        others is a mean: where every level of a factor has a coefficient, as in SAS, it has weights
        on all of these.
    """

    by_coefficient: Array
    sizes: Array
    constant: BoolArray
    classes: BoolArray
    name: str = "containment"

    @classmethod
    def of(cls, source: Hierarchical, covariance: CovarianceOfEstimates) -> Containment:
        """From the ranks of the design.

        Of the random effects that contain a fixed one the smallest contribution to the rank of
        [X Z] (each beyond X and the random effects before it) is its df; where none contains it,
        N − rank [X Z] is (the documentation of PROC MIXED, MODEL statement, DDFM=CONTAIN).
        """
        del covariance
        kept = source.fit.likelihood.basis.kept
        total, added = rank_contributions(source.X, source.effects)
        left = float(source.fit.n_observations - total)
        table = np.where(source.contains[kept], np.array(added, dtype=float), np.inf)
        smallest = table.min(axis=1)
        df = np.where(np.isinf(smallest), left, smallest)
        X = source.X[:, kept]
        constant = np.ptp(X, axis=0) <= 1e-12 * np.abs(X).max(axis=0)
        df = np.where(df > 0.0, df, np.nan)
        return cls(df, np.abs(X).max(axis=0), constant, source.classes[kept])

    def df(self, rows: Rows) -> Array:
        """The smallest among the effects with a weight."""
        parts = np.abs(rows.kept) * self.sizes
        counts = parts > COUNTS * parts.max(axis=1, keepdims=True)
        others, means = counts & ~self.constant, (counts & self.constant).any(axis=1)[:, None]
        counts = np.where(others.any(axis=1)[:, None], others | (means & self.classes), counts)
        smallest: Array = np.where(counts, self.by_coefficient, np.inf).min(axis=1)
        return smallest

    def scale_and_df(self, rows: Rows) -> tuple[float, float]:
        """The Wald statistic as it is, the smallest df of the rows."""
        return 1.0, float(self.df(rows).min())
