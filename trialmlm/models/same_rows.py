"""A fitted mixed model's estimates of other responses on the same rows.

Data sets that were imputed, or drawn from a fit, have their rows in common. What only the rows
make - design, ranks, cross-products - is made once.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.clusters import ClusterLikelihood
from trialmlm.engine.many_clusters import ManyClusters
from trialmlm.engine.many_newton import settle
from trialmlm.engine.many_responses import Responses, SharedRows
from trialmlm.inference.model_based import one_row_df

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, IntArray
    from trialmlm.models.lmm_fit import LmmFit

#: numbers per entry of the small matrices that are worked on at a time: they stay in the cache
_HELD = 60_000
#: a residual below this share of the response is rounding
_NOTHING = 1e-13


@dataclass(frozen=True, slots=True)
class SameRows:
    """Rows of a fit, ready for other responses.

    Attributes
    ----------
    rows : SharedRows
    order : ndarray of int, shape (N,)
        The fit's rows, sorted by cluster.
    theta : ndarray
        The fit's optimum.
    reml : bool
    """

    rows: SharedRows
    order: IntArray
    theta: Array
    reml: bool

    @classmethod
    def of(cls, fit: LmmFit) -> SameRows | None:
        """Of a converged fit; None of one that is not summed up by cluster.

        That is where there are several grouping factors or terms, residual variances, weights or
        a sandwich, degrees of freedom other than Satterthwaite's with the observed information, or
        a variance of zero.
        """
        likelihood, asked = fit.gaussian.likelihood, fit.options
        usual = (asked.df, asked.information, asked.vcov, asked.weights)
        if (
            not isinstance(likelihood, ClusterLikelihood)
            or usual != ("satterthwaite", "observed", None, None)
            or any(likelihood.singular(fit.gaussian.theta, fit.gaussian.point))
        ):
            return None
        (part,) = fit.parts
        order = np.argsort(part.groups.codes, kind="stable")
        first = np.flatnonzero(np.diff(part.groups.codes[order], prepend=-1))
        X = fit.coding.matrix(fit.variables, order.size)
        Z = part.matrix(fit.variables, order.size)
        rows = SharedRows.of(X[order], Z[order], first)
        return cls(rows, order, fit.gaussian.theta, fit.gaussian.reml)

    def estimates(self, Y: Array, L: Array, counts: IntArray | None = None) -> Array:
        """Lβ̂ of each response, its standard error and Satterthwaite's df.

        Parameters
        ----------
        Y : ndarray, shape (D, N)
            In the order of the fit's rows.
        L : ndarray, shape (k, columns of X)
            Estimable.
        counts : ndarray of int, shape (D, N), optional
            How often the cluster of each row counts; as so many clusters, all alike.

        Returns
        -------
        ndarray, shape (D, 3, k)
            NaN where the optimum is not found at the first attempt: fit that response alone.
        """
        basis = self.rows.basis.rows(L)
        found = np.full((len(Y), 3, len(L)), np.nan)
        start = self._start(Y)
        for some in self.batches(len(Y)):
            given = Responses.of(self.rows, Y[some][:, self.order], self._counts(counts, some))
            size = np.sqrt((Y[some] * Y[some]).mean(axis=1))
            found[some] = self._batch(given, size, basis, start)
        return found

    def _counts(self, counts: IntArray | None, some: slice) -> Array | None:
        """Of each cluster."""
        if counts is None:
            return None
        return counts[some][:, self.order[self.rows.first]].astype(float)

    def _start(self, Y: Array) -> Array:
        """Where the searches start: at the first response's optimum, sought from the fit's."""
        first = Responses.of(self.rows, Y[:1, self.order])
        if not first.scale[0] > 0.0:
            return self.theta
        ends = settle(ManyClusters(first, self.reml), self.theta)
        return ends.theta[0] if ends.arrived[0] else self.theta

    def batches(self, D: int) -> Iterator[slice]:
        """D responses in batches that are worked on at a time."""
        size = max(1, _HELD // (self.rows.r**2 * self.rows.n_clusters))
        return (slice(start, start + size) for start in range(0, D, size))

    def _batch(self, given: Responses, size: Array, basis: Array, start: Array) -> Array:
        found = np.full((len(given), 3, len(basis)), np.nan)
        varied = np.flatnonzero(given.scale > _NOTHING * size)
        many = ManyClusters(given.among(varied), self.reml)
        ends = settle(many, start)
        done = np.flatnonzero(ends.arrived)
        if not done.size:
            return found
        many = many.among(done)
        at = many.evaluate(ends.theta[done])
        curve, P = many.natural(at)
        scale = many.data.scale[:, None]
        value = (many.data.offset + scale * at.beta) @ basis.T
        variance = ((basis @ at.Phi) * basis).sum(axis=2)
        df = one_row_df(basis, at.Phi, P, 2.0 * np.linalg.inv(curve.H))
        found[varied[done]] = np.stack([value, scale * np.sqrt(variance), df], axis=1)
        return found
