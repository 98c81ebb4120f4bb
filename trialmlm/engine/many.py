"""Refits of one repeated-measures fit with its subjects counted otherwise, all at once.

The jackknife and the bootstrap ask for hundreds of fits that differ in the subjects' counts alone.
They share the summary's basis, the start and its inverse Hessian, and walk side by side as arrays
with a leading axis; each ends at its own exact optimum.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.stacked import sigmas, slopes
from trialmlm.engine.control import Control
from trialmlm.engine.leave_out import LeaveOut
from trialmlm.engine.many_lost import coefficients_lost, parameters_lost
from trialmlm.engine.many_points import gradients, points
from trialmlm.engine.many_search import descend
from trialmlm.engine.many_sums import recounted
from trialmlm.engine.refitted import Refitted
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.many_sums import Sums
    from trialmlm.engine.pattern_likelihood import PatternLikelihood

#: numbers that the sums of a batch, and what is made of them, may hold
_HELD = 4_000_000
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

    @property
    def likelihood(self) -> PatternLikelihood:
        """Of all subjects, each counted once."""
        return self.one.likelihood

    def recount(self, counts: IntArray) -> Refitted:
        """The fits in which subject i counts ``counts[d, i]`` times.

        Parameters
        ----------
        counts : ndarray of int, shape (D, n)
            0 or more, subjects in the order of the design's rows.

        Returns
        -------
        Refitted
            Each at the optimum of the data so counted; one that is not says why.

        Raises
        ------
        ValueError
            If `counts` has another number of subjects.
        """
        if counts.ndim != 2 or counts.shape[1] != self.one.n_subjects:
            msg = f"counts of shape {counts.shape} are not D × {self.one.n_subjects} subjects"
            raise ValueError(msg)
        return Refitted.joined([self._batch(counts[rows]) for rows in self._batches(len(counts))])

    def _batches(self, D: int) -> Iterator[slice]:
        """Batches that hold a bounded amount of memory; at least one, be it empty."""
        data = self.likelihood.data
        T, s = data.n_visits, data.M.shape[-1]
        held = len(data.visits) * ((s + T) ** 2 + 5 * T * T) + 3 * (s * T) ** 2
        size = max(1, _HELD // held)
        return (slice(start, start + size) for start in range(0, max(1, D), size))

    def _batch(self, counts: IntArray) -> Refitted:
        data = self.likelihood.data
        sums = recounted(data, self.one.subjects, counts)
        coefficients = coefficients_lost(data, sums)
        tangents = [spread.tangent for spread in visit_covariances(self.one.fit)]
        parameters = parameters_lost(data, sums, tangents)
        reasons = np.where(coefficients.any(axis=1) | parameters.any(axis=1), _NOT_DETERMINED, "")
        reasons = reasons.astype(object)
        theta = np.full((len(counts), self.one.fit.theta.size), np.nan)
        able = np.flatnonzero(reasons == "")
        theta[able], arrived = self._searched(sums[able])
        for d in able[~arrived]:
            theta[d], reasons[d] = self._with_care(counts[d])
        beta, Sigma = self._in_own_units(sums, theta, reasons == "")
        return Refitted(
            beta=beta,
            Sigma=Sigma,
            converged=reasons == "",
            lost_coefficients=coefficients,
            lost_parameters=parameters,
            reasons=tuple(reasons),
        )

    def _searched(self, sums: Sums) -> tuple[Array, BoolArray]:
        """θ of each, and whether it is an optimum away from a singular Σ."""

        def gradient(rows: IntArray, theta: Array) -> Array:
            return self._gradient(sums[rows], theta)

        if not len(sums.n):
            return np.zeros((0, self.one.fit.theta.size)), np.zeros(0, dtype=bool)
        with np.errstate(over="ignore", invalid="ignore"):  # a search may go astray
            ends = descend(gradient, self.one.fit.theta, self.one.inverse, len(sums.n))
        arrived = ends.arrived.copy()
        if arrived.any():
            arrived[arrived] = _regular(self._sigma(ends.theta[arrived]))
        return ends.theta, arrived

    def _with_care(self, counts: IntArray) -> tuple[Array, str]:
        """θ by Newton's method with safeguards, and why it is not the optimum, if so."""
        try:
            found = self.one.searched(counts)
        except FitError as error:
            return np.full_like(self.one.fit.theta, np.nan), str(error)
        ended = found.convergence
        return found.theta, "" if ended.converged else str(ended)

    def _gradient(self, sums: Sums, theta: Array) -> Array:
        """∂(−2l)/∂θ, a row each; NaN where a matrix is singular."""
        data, likelihood = self.likelihood.data, self.likelihood
        try:
            at = points(data, sums, self._sigma(theta))
        except np.linalg.LinAlgError:
            if len(theta) == 1:
                return np.full_like(theta, np.nan)
            rows = np.arange(len(theta))[:, None]
            return np.concatenate([self._gradient(sums[d], theta[d]) for d in rows])
        G = gradients(data, sums, at, reml=likelihood.reml)
        return slopes(likelihood.covariance, self._split(theta), G).reshape(theta.shape)

    def _sigma(self, theta: Array) -> Array:
        """Σ of each group, D × G × T × T."""
        return sigmas(self.likelihood.covariance, self._split(theta))

    def _split(self, theta: Array) -> Array:
        """θ of each group, D × G × k."""
        return theta.reshape(len(theta), len(self.likelihood.data.groups), -1)

    def _in_own_units(self, sums: Sums, theta: Array, converged: BoolArray) -> tuple[Array, Array]:
        """β in the coefficients' basis and Σ, NaN but at the optima."""
        data, basis = self.likelihood.data, self.likelihood.basis
        beta = np.full((len(theta), basis.n_columns), np.nan)
        Sigma = np.full((len(theta), *self.one.fit.point.Sigma.shape), np.nan)
        if converged.any():
            at = points(data, sums[converged], self._sigma(theta[converged]))
            own = (data.offset + data.scale * at.beta) @ basis.R_inverse.T
            beta[np.ix_(converged, basis.kept)] = own
            Sigma[converged] = at.Sigma * data.scale**2
        return beta, Sigma


def _regular(Sigma: Array) -> BoolArray:
    """Whether no variance is near zero and no correlation near one, D × G × T × T in, D out."""
    control = Control()
    variances = np.diagonal(Sigma, axis1=2, axis2=3)
    sd = np.sqrt(variances)
    correlation = Sigma / (sd[..., :, None] * sd[..., None, :])
    vanishing = (variances.min(axis=2) / variances.max(axis=2)).min(axis=1)
    condition = np.linalg.eigvalsh(correlation).min(axis=(1, 2))
    found: BoolArray = (vanishing >= control.vanishing) & (condition >= control.singular)
    return found
