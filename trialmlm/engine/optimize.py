"""Newton's method on −2l, with the observed Hessian where that is positive definite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.engine.convergence import Convergence, Reason, Step

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.control import Control
    from trialmlm.engine.likelihood import Curve, Likelihood


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


def optimise(likelihood: Likelihood, control: Control) -> Optimum:
    """Minimise −2l from each start in turn, until one search ends well.

    Returns
    -------
    Optimum
        Of several that did not end well the best; `convergence` says whether it is the optimum.
    """
    ends = []
    for theta in likelihood.starts():
        end = search_from(likelihood, theta, control)
        if end.convergence.converged:
            return end
        ends.append(end)
    return min(ends, key=lambda end: float(end.point.deviance))


def search_from(likelihood: Likelihood, theta: Array, control: Control) -> Optimum:
    """Newton steps from `theta` until the optimum is near enough, or no step helps."""
    point = likelihood.evaluate(theta)
    trace: list[Step] = []
    reason = Reason.ITERATIONS
    while True:
        curve = likelihood.search(theta, point)
        way = _direction(curve)
        distance = float(np.sqrt(max(way.decrease, 0.0)))
        trace.append(Step(point.deviance, distance, way.hessian))
        if likelihood.degenerate(point, control):
            reason = Reason.DEGENERATE
            break
        if way.hessian == "observed" and distance < control.tolerance:
            reason = Reason.CONVERGED
            # this step is at hand: it squares the error once more for one evaluation
            theta, point = _line_search(likelihood, theta, point, way) or (theta, point)
            break
        if len(trace) > control.max_iterations:
            break
        found = _line_search(likelihood, theta, point, way)
        if found is None:
            near = likelihood.condition(point) < 100.0 * control.singular
            reason = Reason.DEGENERATE if near else Reason.NO_DESCENT
            break
        theta, point = found
    steepest = float(np.abs(curve.g).max())
    condition = likelihood.condition(point)
    ended = Convergence(reason, len(trace) - 1, distance, steepest, condition, tuple(trace))
    return Optimum(theta, point, ended)


def _direction(curve: Curve) -> _Direction:
    """−H⁻¹g for the first positive definite of observed, average and expected Hessian."""
    g, J = curve.g, curve.J
    candidates = (
        ("observed", curve.H),
        ("average", curve.A),
        ("expected", J),
        ("damped", J + np.eye(g.size) * (1e-6 + 1e-3 * np.trace(J) / g.size)),
    )
    for name, hessian in candidates:
        try:
            factor = np.linalg.cholesky(hessian)
        except np.linalg.LinAlgError:
            continue
        half = np.linalg.solve(factor, g)
        return _Direction(-np.linalg.solve(factor.T, half), float(half @ half) / 2.0, name)
    return _Direction(-g, float(g @ g) / 2.0, "identity")


def _line_search(
    likelihood: Likelihood, theta: Array, point: Any, way: _Direction
) -> tuple[Array, Any] | None:
    """The longest of step, step/2, step/4, … that lowers −2l.

    Below the rounding of −2l a full Newton step is taken on trust: there only the gradient tells.
    """
    rounding = 1e-13 * max(1.0, abs(point.deviance), float(likelihood.n_observations))
    length = min(1.0, 5.0 / max(1e-300, float(np.abs(way.step).max())))
    for _ in range(40):
        trial = theta + length * way.step
        try:
            found = likelihood.evaluate(trial)
        except np.linalg.LinAlgError:
            length /= 2.0
            continue
        wanted = 1e-4 * length * way.decrease
        if found.deviance <= point.deviance - wanted + rounding:
            return trial, found
        length /= 2.0
    return None
