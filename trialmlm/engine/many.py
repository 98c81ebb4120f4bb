"""Refits of one repeated-measures fit with its subjects counted otherwise, all at once.

The jackknife and the bootstrap ask for hundreds of fits that differ in the subjects' counts alone.
They share the summary's basis, the start and its inverse Hessian, and walk side by side as arrays
with a leading axis; each ends at its own exact optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.freed_memory import keep_freed_memory
from trialmlm.engine.leave_out import LeaveOut
from trialmlm.engine.many_lost import coefficients_lost, parameters_lost
from trialmlm.engine.many_optima import ManyLikelihoods, find_optima
from trialmlm.engine.many_sums import Sums, recounted, without_each
from trialmlm.engine.pattern_tree import PatternTree
from trialmlm.engine.refitted import Refitted
from trialmlm.engine.visit_covariance import visit_covariances

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.many_optima import Optima

#: numbers that the sums of a batch, and what is made of them, may hold
_HELD = 1_000_000
_NOT_DETERMINED = "the subjects counted do not determine every parameter"


@dataclass(frozen=True, slots=True)
class Refits:
    """Refits of one fit, many at a time.

    Attributes
    ----------
    one : LeaveOut
        The same, one at a time and with safeguards: the way out of a search that goes astray.
    """

    one: LeaveOut

    @classmethod
    def of(cls, fit: GaussianFit, design: Design) -> Refits:
        """For a converged fit of repeated measures and its design.

        Raises
        ------
        NotAvailableError
            If the likelihood is not summed up by pattern.
        """
        return cls(LeaveOut.of(fit, design))

    def recount(self, counts: IntArray) -> Refitted:
        """The fits in which subject i counts ``counts[d, i]`` times.

        Parameters
        ----------
        counts : ndarray of int, shape (D, n)
            0 or more, subjects in the order of the design's rows.

        Returns
        -------
        Refitted
            Each at the optimum of the data so counted; one that is not says why. A refit is the
            same to the last bit whatever stands beside it, so that D may be shared out.

        Raises
        ------
        ValueError
            If `counts` has another number of subjects.
        """
        if counts.ndim != 2 or counts.shape[1] != self.one.n_subjects:
            msg = f"counts of shape {counts.shape} are not D × {self.one.n_subjects} subjects"
            raise ValueError(msg)
        return Refitted.joined([self._recounted(counts[k]) for k in self.batches(len(counts))])

    def without(self, left: IntArray) -> Optima:
        """The fits of all subjects but one: `LeaveOut.lost` tells before what the others lack.

        Parameters
        ----------
        left : ndarray of int, shape (D,)
            The subject left out of each, a row of the design; no more at a time than `batches`
            holds.
        """
        sums = without_each(self.one.likelihood.data, self.one.subjects, left)
        return find_optima(self.one, sums, lambda d: self.one.refit(int(left[d])))

    @property
    def everyone(self) -> ManyLikelihoods:
        """The likelihood of all subjects, to be evaluated at many θ."""
        data = self.one.likelihood.data
        return ManyLikelihoods(self.one.likelihood, Sums.of(data), PatternTree.of(data))

    def batches(self, D: int) -> Iterator[slice]:
        """D refits in batches that hold a bounded amount of memory; at least one, be it empty."""
        data = self.one.likelihood.data
        T, s = data.n_visits, data.M.shape[-1]
        held = len(data.visits) * ((s + T) ** 2 + 5 * T * T) + 3 * (s * T) ** 2
        size = max(1, _HELD // held)
        keep_freed_memory()
        return (slice(start, min(D, start + size)) for start in range(0, max(1, D), size))

    def _recounted(self, counts: IntArray) -> Refitted:
        data = self.one.likelihood.data
        sums = recounted(data, self.one.subjects, counts)
        coefficients = coefficients_lost(data, sums)
        tangents = [spread.tangent for spread in visit_covariances(self.one.fit)]
        parameters = parameters_lost(data, sums, tangents)
        lost = coefficients.any(axis=1) | parameters.any(axis=1)
        able = np.flatnonzero(~lost)
        optima = find_optima(self.one, sums[able], lambda d: self.one.searched(counts[able[d]]))
        reasons = np.where(lost, _NOT_DETERMINED, "").astype(object)
        reasons[able] = optima.reasons
        return Refitted(
            beta=_spread(self._own_units(optima.beta), able, len(counts)),
            Sigma=_spread(optima.Sigma * data.scale**2, able, len(counts)),
            converged=reasons == "",
            lost_coefficients=coefficients,
            lost_parameters=parameters,
            reasons=tuple(reasons),
        )

    def _own_units(self, beta: Array) -> Array:
        """β of the columns of X, NaN where aliased."""
        data = self.one.likelihood.data
        found = np.full((len(beta), data.basis.n_columns), np.nan)
        own = (data.offset + data.scale * beta)[:, :, None]
        found[:, data.basis.kept] = (data.basis.R_inverse @ own)[:, :, 0]
        return found


def _spread(values: Array, rows: IntArray, D: int) -> Array:
    """Values in some of D rows, NaN in the others."""
    found = np.full((D, *values.shape[1:]), np.nan)
    found[rows] = values
    return found
