"""Newton's method on −2l, with the observed Hessian where that is positive definite.

Where it is not, or its step does not help, average information, expected information, the latter
damped, and the gradient alone are tried in turn.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from math import nan
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.engine.convergence import Convergence, Reason, Step
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from trialmlm.arrays import Array
    from trialmlm.engine.control import Control
    from trialmlm.engine.likelihood import Curve, Likelihood

#: the share of its direction from which a step is a good one
_LONG = 0.25
#: of so many steps that lower −2l, none as promised, the lowest is taken
_ENOUGH = 2


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where a search ended, and how; `point` is the likelihood there."""

    theta: Array
    point: Any
    convergence: Convergence


@dataclass(frozen=True, slots=True)
class _Direction:
    """A descent direction, the decrease it predicts, and which Hessian gave it."""

    step: Array
    decrease: float
    hessian: str

    @property
    def distance(self) -> float:
        """√(g'H⁻¹g / 2): to the optimum, in standard errors of θ."""
        return float(np.sqrt(max(self.decrease, 0.0)))

    @property
    def longest(self) -> float:
        """The share of the step that a search begins with: no element moves by more than five."""
        return min(1.0, 5.0 / max(1e-300, float(np.abs(self.step).max())))

    def cut(self, length: float, risen: float) -> float:
        """The share of a length that was too long: the lowest point of the parabola through it."""
        slope = 2.0 * self.decrease * length
        return min(0.5, max(0.1, slope / (2.0 * (risen + slope))))

    def keeps(self, length: float, decrease: float) -> bool:
        """Whether a step of this length that lowered −2l so far was what its Hessian promised.

        One that was cut to less than a quarter was not. The observed Hessian is trusted beyond
        that; where another stands in for it, −2l should fall about as far as predicted.
        """
        if length < _LONG * self.longest:
            return False
        predicted = self.decrease * length * (2.0 - length)
        return self.hessian == "observed" or 0.5 * predicted < decrease < 1.5 * predicted

    def arrives(self, control: Control, *, singular: bool) -> bool:
        """Whether what is left to go is nothing in standard errors; near to singular, in θ too."""
        near = self.hessian == "observed" and self.distance < control.tolerance
        return near and not (singular and float(np.abs(self.step).max()) > control.stride)


@dataclass(frozen=True, slots=True)
class _Down:
    """A step that lowers −2l: its share of the direction, and where it leads."""

    length: float
    theta: Array
    point: Any


def optimise(likelihood: Likelihood, control: Control) -> Optimum:
    """Minimise −2l from one start after the other, until a search ends well.

    Returns
    -------
    Optimum
        Of several the best; of several that did not end well too. `convergence` says whether it
        is the optimum.

    Raises
    ------
    FitError
        If −2l cannot be computed at any start.

    Notes
    -----
    Where few subjects inform Σ, −2l may fall without end towards a singular matrix and yet have a
    proper optimum, which is the estimate then. After a search that ended at a singular matrix
    the next does not linger near one.
    """
    ends: list[Optimum] = []
    strict = control
    for theta in likelihood.starts():
        end = search_from(likelihood, theta, strict)
        if end is None:
            continue
        ends.append(end)
        optimal = end.convergence.converged and not _doubtful(likelihood, end.point, control)
        lost = [found for found in ends if found.convergence.reason is Reason.DEGENERATE]
        if optimal or len(lost) == control.searches:
            break
        if lost:
            strict = replace(control, near=10.0 * control.near, patience=0)
    if not ends:
        raise FitError(
            "the likelihood cannot be computed at any start: the variances of the visits differ "
            "by nine orders of magnitude; check the response for extreme values"
        )
    optima = [end for end in ends if end.convergence.converged]
    return min(optima or ends, key=lambda end: float(end.point.deviance))


def _doubtful(likelihood: Likelihood, point: Any, control: Control) -> bool:
    """Whether the point is so near to singular that it may be no optimum, or not the best."""
    return likelihood.interior and likelihood.condition(point) < control.doubtful


def search_from(likelihood: Likelihood, theta: Array, control: Control) -> Optimum | None:
    """Steps from `theta` until the optimum is near, or none helps; None where −2l is not known."""
    point = _evaluated(likelihood, theta)
    if point is None:
        return None
    trace: list[Step] = []
    near = 0
    reason = Reason.ITERATIONS
    while True:
        curve = likelihood.search(theta, point)
        ways = _directions(curve)
        way = next(ways)
        trace.append(Step(float(point.deviance), way.distance, way.hessian))
        near += _crawls(likelihood, point, trace, control)
        if likelihood.degenerate(point, control) or near > control.patience:
            reason = Reason.DEGENERATE
            break
        if way.arrives(control, singular=_doubtful(likelihood, point, control)):
            reason = Reason.CONVERGED
            # this step is at hand: it squares the error once more for one evaluation
            last = _line_search(likelihood, theta, point, way)
            theta, point = (theta, point) if last is None else (last.theta, last.point)
            break
        if len(trace) > control.max_iterations:
            break
        found = _descend(likelihood, theta, point, chain((way,), ways))
        if found is None:
            stuck = near or _doubtful(likelihood, point, control)
            reason = Reason.DEGENERATE if stuck else Reason.NO_DESCENT
            break
        theta, point = found
    return Optimum(theta, point, _convergence(likelihood, point, curve, reason, trace, control))


def _crawls(likelihood: Likelihood, point: Any, trace: list[Step], control: Control) -> bool:
    """Whether the last step, near to a singular matrix, lowered −2l by little.

    Without patience every step near to one is a crawl.
    """
    if not likelihood.interior or len(trace) == 1 or likelihood.condition(point) >= control.near:
        return False
    return control.patience == 0 or trace[-2].deviance - trace[-1].deviance < 1.0


def _convergence(
    likelihood: Likelihood,
    point: Any,
    curve: Curve,
    reason: Reason,
    trace: list[Step],
    control: Control,
) -> Convergence:
    """How it ended; an optimum inside its range must have a Hessian that is one."""
    curvature = _smallest_scaled(curve.H) if likelihood.interior else nan
    if reason is Reason.CONVERGED and curvature < control.flat:
        reason = Reason.FLAT
    return Convergence(
        reason=reason,
        iterations=len(trace) - 1,
        distance=trace[-1].distance,
        gradient=float(np.abs(curve.g).max()),
        condition=likelihood.condition(point),
        trace=tuple(trace),
        curvature=curvature,
        visits=() if reason is Reason.CONVERGED else likelihood.weakest(point),
    )


def _smallest_scaled(hessian: Array) -> float:
    """Smallest eigenvalue of a Hessian scaled to a unit diagonal: it does not know the units."""
    scale = np.sqrt(np.abs(np.diag(hessian)))
    scale = np.where(scale > 0.0, scale, 1.0)
    return float(np.linalg.eigvalsh(hessian / np.outer(scale, scale))[0])


def _directions(curve: Curve) -> Iterator[_Direction]:
    """−H⁻¹g for every positive definite of the Hessians, the best first; at last −g."""
    g = curve.g
    for name, hessian in _HESSIANS.items():
        try:
            factor = np.linalg.cholesky(hessian(curve))
        except np.linalg.LinAlgError:
            continue
        half = np.linalg.solve(factor, g)
        yield _Direction(-np.linalg.solve(factor.T, half), float(half @ half) / 2.0, name)
    yield _Direction(-g, float(g @ g) / 2.0, "identity")


def _descend(
    likelihood: Likelihood, theta: Array, point: Any, ways: Iterable[_Direction]
) -> tuple[Array, Any] | None:
    """One step down: the first that does as it promised, else the lower of the first two."""
    found = []
    for way in ways:
        down = _line_search(likelihood, theta, point, way)
        if down is None:
            continue
        found.append(down)
        fallen = float(point.deviance - down.point.deviance)
        if len(found) == _ENOUGH or way.keeps(down.length, fallen):
            break
    best = min(found, key=lambda down: float(down.point.deviance), default=None)
    return None if best is None else (best.theta, best.point)


def _line_search(likelihood: Likelihood, theta: Array, point: Any, way: _Direction) -> _Down | None:
    """A share of the step that lowers −2l: all of it, else less and less.

    Below the rounding of −2l a full Newton step is taken on trust: there only the gradient tells.
    """
    rounding = 1e-13 * max(1.0, abs(point.deviance), float(likelihood.n_observations))
    length = way.longest
    for _ in range(_CUTS if way.hessian in _HESSIANS else _LAST_CUTS):
        trial = theta + length * way.step
        found = _evaluated(likelihood, trial)
        if found is None:
            length /= 4.0
            continue
        risen = float(found.deviance - point.deviance)
        if risen <= rounding - 1e-4 * length * way.decrease:
            return _Down(length, trial, found)
        length *= way.cut(length, risen)
    return None


def _evaluated(likelihood: Likelihood, theta: Array) -> Any:
    """The point at θ; None where −2l cannot be computed."""
    try:
        return likelihood.evaluate(theta)
    except np.linalg.LinAlgError:
        return None


def _bent(H: Array) -> Array:
    """H, scaled to a unit diagonal, with the absolute values of its eigenvalues."""
    scale = np.sqrt(np.abs(np.diag(H)))
    scale = np.where(scale > 0.0, scale, 1.0)
    values, vectors = np.linalg.eigh(H / np.outer(scale, scale))
    floored = np.abs(values).clip(1e-6 * max(1e-300, float(np.abs(values).max())))
    bent: Array = (vectors * floored) @ vectors.T * np.outer(scale, scale)
    return bent


def _damped(J: Array) -> Array:
    """J with a ridge of a thousandth of its mean diagonal."""
    damped: Array = J + np.eye(len(J)) * (1e-6 + 1e-3 * np.trace(J) / len(J))
    return damped


#: how often a step is cut before the next Hessian is asked, and how often the last one's
_CUTS, _LAST_CUTS = 6, 15
_HESSIANS: dict[str, Callable[[Curve], Array]] = {
    "observed": lambda curve: curve.H,
    "average": lambda curve: curve.A,
    "bent": lambda curve: _bent(curve.H),
    "expected": lambda curve: curve.J,
    "damped": lambda curve: _damped(curve.J),
}
