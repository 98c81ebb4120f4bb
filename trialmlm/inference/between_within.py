"""Between-within degrees of freedom: a coefficient rests on subjects, or on visits within them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.design import Design
    from trialmlm.inference.method import CovarianceOfEstimates
    from trialmlm.inference.rows import Rows
    from trialmlm.inference.source import Repeated

#: a column varies if it does by more than this, relatively to its largest value
VARIES = 1e-12
#: a coefficient counts in a row if its part of Lβ is larger than this, relatively to the largest
COUNTS = 1e-9


@dataclass(frozen=True, slots=True)
class Columns:
    """What the columns of X that are not aliased depend on, over the responses there are.

    Attributes
    ----------
    within : ndarray of bool, shape (q,)
        Varies within a subject.
    constant : ndarray of bool, shape (q,)
        The same everywhere: the intercept.
    sizes : ndarray, shape (q,)
        The largest absolute value.
    """

    within: BoolArray
    constant: BoolArray
    sizes: Array


def columns_of(design: Design, kept: IntArray) -> Columns:
    """Look at each of the columns `kept` of X, one at a time."""
    observed = design.observed
    within, constant, sizes = [], [], []
    for k in kept:
        table = design.U @ design.B[:, k].T
        high = np.where(observed, table, -np.inf).max(axis=1)
        low = np.where(observed, table, np.inf).min(axis=1)
        size = max(abs(float(high.max())), abs(float(low.min())))
        within.append(bool((high - low).max() > VARIES * size))
        constant.append(bool(high.max() - low.min() <= VARIES * size))
        sizes.append(size)
    return Columns(np.array(within), np.array(constant), np.array(sizes))


@dataclass(frozen=True, slots=True)
class BetweenWithin:
    """The rule of R's mmrm, and of SAS's DDFM=BETWITHIN for the effects of a model.

    The df of a row are the smallest among the coefficients it gives weight to, those of an F test
    the smallest of its rows.

    Attributes
    ----------
    by_coefficient : ndarray, shape (q,)
        Of the columns that are not aliased; NaN where none are left.
    sizes : ndarray, shape (q,)
        The largest absolute value of each column.
    """

    by_coefficient: Array
    sizes: Array
    name: str = "between-within"

    @classmethod
    def of(cls, source: Repeated, covariance: CovarianceOfEstimates) -> BetweenWithin:
        """From the design; the columns counted are those that are not aliased to earlier ones.

        Within subjects: observations − subjects − columns that vary within a subject. Between:
        subjects − other columns, the intercept among them. The intercept takes those within, or
        those between if none are left within, as with one visit per subject.
        """
        del covariance
        design = source.design
        columns = columns_of(design, source.fit.likelihood.basis.kept)
        subjects = int(design.observed.any(axis=1).sum())
        within = source.fit.n_observations - subjects - int(columns.within.sum())
        between = subjects - int((~columns.within).sum())
        in_use = columns.within | (columns.constant & (within > 0))
        df = np.where(in_use, within, between).astype(float)
        return cls(np.where(df > 0.0, df, np.nan), columns.sizes)

    def df(self, rows: Rows) -> Array:
        """The smallest among the coefficients with a weight."""
        parts = np.abs(rows.kept) * self.sizes
        counts = parts > COUNTS * parts.max(axis=1, keepdims=True)
        smallest: Array = np.where(counts, self.by_coefficient, np.inf).min(axis=1)
        return smallest

    def scale_and_df(self, rows: Rows) -> tuple[float, float]:
        """The Wald statistic as it is, the smallest df of the rows."""
        return 1.0, float(self.df(rows).min())
