"""Newton's method on −2l, with the observed Hessian where that is positive definite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.convergence import Convergence, Reason, Step
from trialmlm.engine.objective import Derivatives, State, derivatives, evaluate

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.summary import Summary


@dataclass(frozen=True, slots=True)
class Control:
    """When to stop.

    Attributes
    ----------
    tolerance : float
        Largest distance from the optimum, in standard errors of θ.
    max_iterations : int
    singular : float
        Smallest eigenvalue of the correlation matrix that is still an estimate.
    """

    tolerance: float = 1e-6
    max_iterations: int = 100
    singular: float = 1e-8


@dataclass(frozen=True, slots=True)
class Optimum:
    """Where a search ended, and how."""

    theta: Array
    state: State
    convergence: Convergence


@dataclass(frozen=True, slots=True)
class _Direction:
    """A descent direction, the decrease it predicts, and which Hessian gave it."""

    step: Array
    decrease: float
    hessian: str


def moments(summary: Summary) -> Array:
    """Pairwise residual covariance over the visits, made positive definite.

    The eigenvalues of its correlation are floored, as pairs of visits rest on different subjects.
    """
    together = summary.visits[:, :, None] & summary.visits[:, None, :]
    pairs = np.tensordot(summary.n, together.astype(float), 1)
    products = summary.Y.sum(axis=0) / pairs.clip(1.0)
    variances = np.diag(products).copy()
    variances[variances <= 1e-6] = max(1e-6, float(variances.mean()))
    sd = np.sqrt(variances)
    correlation = products / np.outer(sd, sd)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    floored = (vectors * values.clip(0.1)) @ vectors.T
    unit = np.sqrt(np.diag(floored))
    result: Array = floored / np.outer(unit, unit) * np.outer(sd, sd)
    return result


def optimise(summary: Summary, covariance: Covariance, control: Control, *, reml: bool) -> Optimum:
    """Minimise −2l: from the moments, and once more from their diagonal should that not end well.

    Returns
    -------
    Optimum
        The better of the two ends; `convergence` says whether it is the optimum.
    """
    start = moments(summary)
    first = _search(summary, covariance, covariance.start(start), control, reml=reml)
    if first.convergence.converged:
        return first
    diagonal = np.diag(np.diag(start))
    second = _search(summary, covariance, covariance.start(diagonal), control, reml=reml)
    if second.convergence.converged:
        return second
    return min(first, second, key=lambda end: end.state.deviance)


def _search(
    summary: Summary, covariance: Covariance, theta: Array, control: Control, *, reml: bool
) -> Optimum:
    """Newton steps from `theta` until the optimum is near enough, or no step helps."""
    state = evaluate(summary, covariance.sigma(theta), reml=reml)
    trace: list[Step] = []
    reason = Reason.ITERATIONS
    while True:
        jacobian = covariance.jacobian(theta)
        slopes = derivatives(summary, state, jacobian, reml=reml)
        g = np.tensordot(jacobian, slopes.G, 2)
        way = _direction(g, slopes, covariance.curvature(theta, slopes.G))
        distance = float(np.sqrt(max(way.decrease, 0.0)))
        trace.append(Step(state.deviance, distance, way.hessian))
        if _smallest_eigenvalue(state.Sigma) < control.singular:
            reason = Reason.DEGENERATE
            break
        if way.hessian == "observed" and distance < control.tolerance:
            reason = Reason.CONVERGED
            break
        if len(trace) > control.max_iterations:
            break
        found = _line_search(summary, covariance, theta, state, way, reml=reml)
        if found is None:
            reason = Reason.NO_DESCENT
            break
        theta, state = found
    steepest = float(np.abs(g).max())
    condition = _smallest_eigenvalue(state.Sigma)
    ended = Convergence(reason, len(trace) - 1, distance, steepest, condition, tuple(trace))
    return Optimum(theta, state, ended)


def _direction(g: Array, slopes: Derivatives, curvature: Array) -> _Direction:
    """−H⁻¹g for the first positive definite of observed, average and expected Hessian."""
    candidates = (
        ("observed", slopes.H + curvature),
        ("average", slopes.A),
        ("expected", slopes.J),
        ("damped", slopes.J + np.eye(g.size) * (1e-6 + 1e-3 * np.trace(slopes.J) / g.size)),
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
    summary: Summary,
    covariance: Covariance,
    theta: Array,
    state: State,
    way: _Direction,
    *,
    reml: bool,
) -> tuple[Array, State] | None:
    """The longest of step, step/2, step/4, … that lowers −2l.

    Below the rounding of −2l a full Newton step is taken on trust: there only the gradient tells.
    """
    rounding = 1e-13 * max(1.0, abs(state.deviance), float(summary.n_observations))
    length = min(1.0, 5.0 / max(1e-300, float(np.abs(way.step).max())))
    for _ in range(40):
        trial = theta + length * way.step
        try:
            found = evaluate(summary, covariance.sigma(trial), reml=reml)
        except np.linalg.LinAlgError:
            length /= 2.0
            continue
        wanted = 1e-4 * length * way.decrease
        if found.deviance <= state.deviance - wanted + rounding:
            return trial, found
        length /= 2.0
    return None


def _smallest_eigenvalue(Sigma: Array) -> float:
    """Of the correlation matrix: 0 at a singular Σ, whatever the units."""
    sd = np.sqrt(np.diag(Sigma))
    return float(np.linalg.eigvalsh(Sigma / np.outer(sd, sd))[0])
