"""Newton's method on many likelihoods side by side, all from one start near their optima."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.control import Control
from trialmlm.engine.many_search import Ends
from trialmlm.engine.random_parameters import SINGULAR

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.likelihood import Curve
    from trialmlm.engine.many_clusters import ManyClusters, ManyPoints
    from trialmlm.engine.random_parameters import RandomParameters

#: how near the optimum a last step begins, in standard errors of θ; the step squares it
_TOLERANCE = 1e-5
#: steps before one is given up
_MOST_STEPS = 25
#: how often a step is cut
_CUTS = 6
#: a −2l of so many units more is higher, relatively: below it is rounding
_ROUNDING = 1e-13
#: how much nearer to a singular G than a variance of zero one may not be
_CLEAR = 100.0


def settle(many: ManyClusters, start: Array) -> Ends:
    """Newton steps with the observed Hessian until each is at its optimum.

    Parameters
    ----------
    many : ManyClusters
    start : ndarray, shape (k,)
        The common start.

    Returns
    -------
    Ends
        One whose −2l no longer falls on the way, or whose covariance is all but singular at the
        end, has not arrived: it needs a search with more safeguards.

    Notes
    -----
    Where the observed Hessian is not positive definite the expected one stands in for it; a step
    that raises −2l is cut to a quarter, and again.
    """
    theta = np.repeat(start[None], len(many.data), axis=0)
    arrived = np.zeros(len(theta), dtype=bool)
    try:
        _walk(many, theta, arrived)
    except np.linalg.LinAlgError:  # of one of them: which, the safe search will find out
        arrived[:] = False
    arrived[arrived] = _proper(many.parameters, theta[arrived])
    return Ends(theta, arrived)


def _walk(many: ManyClusters, theta: Array, arrived: BoolArray) -> None:
    """Move θ, and mark who has arrived."""
    active = np.arange(len(theta))
    at = many.evaluate(theta)
    for _ in range(_MOST_STEPS):
        own = many.among(active)
        step, distance = _steps(own.search(theta[active], at))
        near = distance < _TOLERANCE
        theta[active[near]] += step[near]
        arrived[active[near]] = True
        active, at, step = active[~near], at.among(~near), step[~near]
        if not active.size:
            break
        at, moved, down = _descended(many.among(active), theta[active], at, step)
        active, at = active[down], at.among(down)
        if not active.size:
            break
        theta[active] = moved[down]


def _descended(
    many: ManyClusters, theta: Array, at: ManyPoints, step: Array
) -> tuple[ManyPoints, Array, BoolArray]:
    """Where a share of the step leads that lowers −2l, and whether there is one."""
    rounding = _ROUNDING * np.maximum(np.abs(at.deviance), many.data.n_observations)
    for _ in range(_CUTS):
        found = many.evaluate(theta + step)
        down = found.deviance <= at.deviance + rounding
        if down.all():
            break
        step = np.where(down[:, None], step, step / 4.0)
    return found, theta + step, down


def _steps(curve: Curve) -> tuple[Array, Array]:
    """−H⁻¹g, no element beyond one, and √(g'H⁻¹g/2), infinite where J stands in for H."""
    observed = np.linalg.eigvalsh(curve.H)[:, 0] > 0.0
    step = -np.linalg.solve(
        np.where(observed[:, None, None], curve.H, curve.J), curve.g[:, :, None]
    )[:, :, 0]
    promised = -(curve.g * step).sum(axis=1)
    distance = np.where(observed, np.sqrt(promised.clip(0.0) / 2.0), np.inf)
    longest = np.abs(step).max(axis=1, keepdims=True)
    return step / np.maximum(1.0, longest), distance


def _proper(parameters: RandomParameters, theta: Array) -> BoolArray:
    """Whether G and σ² are clear of zero."""
    factor, sigma2 = parameters.factor(theta), parameters.sigma2(theta)[:, 0]
    least = np.linalg.eigvalsh(factor @ factor.swapaxes(1, 2))[:, 0]
    found: BoolArray = (least > _CLEAR * SINGULAR * sigma2) & (sigma2 > Control().vanishing)
    return found
