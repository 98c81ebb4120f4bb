"""Exact refits without one subject, or with the subjects counted otherwise, from the full fit.

Every refit starts at the full fit's θ with its inverse Hessian, asks for new gradients only, and
mends that Hessian as it goes (BFGS). It ends at the optimum of the data that are left; where the
short way does not, Newton's method from the start does.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.control import Control
from trialmlm.engine.convergence import Convergence, Reason
from trialmlm.engine.fit import GaussianFit
from trialmlm.engine.objective import gradient
from trialmlm.engine.optimize import optimise, search_from
from trialmlm.engine.pattern_likelihood import PatternLikelihood
from trialmlm.engine.reweight import Subjects, reweighted, without
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import NotAvailableError

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.design import Design
    from trialmlm.engine.objective import State
    from trialmlm.engine.optimize import Optimum
    from trialmlm.engine.summary import Summary

#: how near the optimum a refit's last step begins, in standard errors of θ
_TOLERANCE = 1e-8
#: gradients before the short way is given up
_MOST_STEPS = 25
#: a direction of X whose share in the rows left is smaller than this is lost
_LEAST_SHARE = 1e-10


@dataclass(frozen=True, slots=True)
class Lost:
    """What the data no longer determine.

    Attributes
    ----------
    coefficients : ndarray of int
        Columns of X.
    parameters : ndarray of int
        Natural parameters of the covariance.
    """

    coefficients: IntArray
    parameters: IntArray

    def __bool__(self) -> bool:
        return bool(self.coefficients.size or self.parameters.size)


@dataclass(frozen=True)
class LeaveOut:
    """Refits of one fit.

    Attributes
    ----------
    fit : GaussianFit
        Of repeated measures, converged.
    likelihood : PatternLikelihood
        Its own.
    subjects : Subjects
    groups : ndarray of int, shape (n,)
        Their covariance groups.
    """

    fit: GaussianFit
    likelihood: PatternLikelihood
    subjects: Subjects
    groups: IntArray

    @classmethod
    def of(cls, fit: GaussianFit, design: Design) -> LeaveOut:
        """For a fit and its design.

        Raises
        ------
        NotAvailableError
            If the likelihood is not summed up by pattern.
        """
        likelihood = fit.likelihood
        if not isinstance(likelihood, PatternLikelihood):
            raise NotAvailableError("leave-one-out refits are for repeated measures only")
        return cls(fit, likelihood, Subjects.of(design, likelihood.data), design.groups)

    @property
    def n_subjects(self) -> int:
        """How many subjects can be left out."""
        return len(self.subjects.pattern)

    @cached_property
    def inverse(self) -> Array:
        """H⁻¹ of −2l by θ at the full fit's optimum."""
        curve = self.likelihood.search(self.fit.theta, self.fit.point)
        found: Array = np.linalg.inv(curve.H)
        return (found + found.T) / 2.0

    def lost(self, i: int) -> Lost:
        """What the others do not determine without subject i."""
        basis = self.likelihood.basis
        X = self.subjects.rows(self.likelihood.data, i)
        values, vectors = np.linalg.eigh(X @ X.T)  # X̃'X̃ = I over all subjects
        directions = X.T @ vectors[:, values > 1.0 - _LEAST_SHARE]
        moved = np.abs(basis.R_inverse @ directions)
        size = np.linalg.norm(basis.R_inverse, axis=1)
        touched = (moved > 1e-7 * size[:, None]).any(axis=1)
        return Lost(basis.kept[touched], self._parameters_lost(i))

    def _parameters_lost(self, i: int) -> IntArray:
        """Parameters that move only entries of Σ which no other of the group has both visits of."""
        group, own = int(self.groups[i]), self.subjects.observed[i]
        left = np.abs(self._tangents[group]) * (self._together[group] - np.outer(own, own) > 0.5)
        lost = left.max(axis=(1, 2)) == 0.0
        return np.flatnonzero(lost & (np.abs(self._tangents[group]).max(axis=(1, 2)) > 0.0))

    @cached_property
    def _together(self) -> list[Array]:
        """How many subjects of a group have each two visits, T × T."""
        observed = self.subjects.observed.astype(float)
        members = [observed[self.groups == g] for g in range(len(self._tangents))]
        return [own.T @ own for own in members]

    @cached_property
    def _tangents(self) -> list[Array]:
        return [spread.tangent for spread in visit_covariances(self.fit)]

    def refit(self, i: int) -> GaussianFit:
        """The fit of all subjects but the one in row i of the design.

        Returns
        -------
        GaussianFit
            In the full fit's basis; check `lost` before, and its `convergence`.
        """
        return self._refit(without(self.likelihood.data, self.subjects, i))

    def recount(self, counts: IntArray) -> GaussianFit:
        """The fit in which subject i counts ``counts[i]`` times."""
        return self._refit(reweighted(self.likelihood.data, self.subjects, counts))

    def searched(self, counts: IntArray) -> GaussianFit:
        """The same by Newton's method with its safeguards alone, for where the short way fails.

        Raises
        ------
        FitError
            If −2l cannot be computed at any start.
        """
        data = reweighted(self.likelihood.data, self.subjects, counts)
        return self._long_way(replace(self.likelihood, data=data))

    def _refit(self, data: Summary) -> GaussianFit:
        likelihood = replace(self.likelihood, data=data)
        try:
            found = self._short_way(likelihood)
        except np.linalg.LinAlgError:
            found = None
        return self._long_way(likelihood) if found is None else found

    def _long_way(self, likelihood: PatternLikelihood) -> GaussianFit:
        """Newton's method from the full fit's θ; where its end is doubtful, from others as well."""
        control = Control()
        ends = [search_from(likelihood, self.fit.theta, control)]
        if ends[0] is None or _doubtful(likelihood, ends[0], control):
            ends.append(optimise(likelihood, control))
        found = [end for end in ends if end is not None]
        optima = [end for end in found if end.convergence.converged]
        end = min(optima or found[-1:], key=lambda end: float(end.point.deviance))
        return GaussianFit(likelihood, end.theta, end.point, end.convergence)

    def _short_way(self, likelihood: PatternLikelihood) -> GaussianFit | None:
        """Gradients only; None where they do not lead to the optimum in a few steps."""
        theta, inverse = self.fit.theta, self.inverse
        point = likelihood.evaluate(theta)
        g = _gradient(likelihood, theta, point)
        for steps in range(1, _MOST_STEPS):
            step = -inverse @ g
            distance = float(np.sqrt(max(0.0, -float(g @ step) / 2.0)))
            step = step * min(1.0, 1.0 / max(1e-300, float(np.abs(step).max())))
            theta = theta + step
            point = likelihood.evaluate(theta)
            if distance < _TOLERANCE:
                return _ended(likelihood, theta, point, g, distance, steps)
            before, g = g, _gradient(likelihood, theta, point)
            inverse = _mended(inverse, step, g - before)
        return None


def _doubtful(likelihood: PatternLikelihood, end: Optimum, control: Control) -> bool:
    """Whether a search ended at no optimum, or so near to a singular Σ that there may be others."""
    near = likelihood.condition(end.point) < control.doubtful
    return near or not end.convergence.converged


def _ended(
    likelihood: PatternLikelihood,
    theta: Array,
    point: State,
    g: Array,
    distance: float,
    steps: int,
) -> GaussianFit | None:
    """The refit, unless Σ is near a singular one; `g` and `distance` are those before the step."""
    if likelihood.degenerate(point, Control()):
        return None
    largest, condition = float(np.abs(g).max()), likelihood.condition(point)
    ended = Convergence(Reason.CONVERGED, steps, distance, largest, condition, ())
    return GaussianFit(likelihood, theta, point, ended)


def _gradient(likelihood: PatternLikelihood, theta: Array, point: State) -> Array:
    """∂(−2l)/∂θ alone, without second derivatives."""
    G = gradient(likelihood.data, point, reml=likelihood.reml)
    parts = zip(theta.reshape(len(G), -1), G, strict=True)
    jacobian = likelihood.covariance.jacobian
    return np.concatenate([np.tensordot(jacobian(part), own, 2) for part, own in parts])


def _mended(inverse: Array, step: Array, change: Array) -> Array:
    """BFGS: the nearest inverse Hessian that explains how the gradient changed over the step."""
    curvature = float(step @ change)
    if curvature <= 1e-12 * float(np.linalg.norm(step) * np.linalg.norm(change)):
        return inverse
    pulled = inverse @ change
    cross = np.outer(pulled, step)
    scale = 1.0 + float(change @ pulled) / curvature
    found: Array = inverse + (scale * np.outer(step, step) - cross - cross.T) / curvature
    return found
