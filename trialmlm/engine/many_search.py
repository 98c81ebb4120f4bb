"""BFGS for many objectives side by side, all from one start near their optima."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.arrays import Array, BoolArray, IntArray

#: how near the optimum a last step begins, in standard errors of θ
_TOLERANCE = 1e-8
#: gradients before one is given up
_MOST_STEPS = 25


@dataclass(frozen=True, slots=True)
class Ends:
    """Where the searches ended.

    Attributes
    ----------
    theta : ndarray, shape (D, k)
    arrived : ndarray of bool, shape (D,)
        Whether the last step began within the tolerance.
    """

    theta: Array
    arrived: BoolArray


def descend(
    gradient: Callable[[IntArray, Array], Array], theta: Array, inverse: Array, D: int
) -> Ends:
    """Steps −H⁻¹g of D objectives until each is at its optimum, or its steps are used up.

    Parameters
    ----------
    gradient : callable
        Of some of the objectives (their numbers, m) at θ (m × k, or 1 × k for all), m × k; NaN
        where there is none.
    theta : ndarray, shape (k,)
        The common start.
    inverse : ndarray, shape (k, k)
        A common inverse Hessian to begin with; each search mends its own.
    D : int
        How many.
    """
    ends = Ends(np.repeat(theta[None], D, axis=0), np.zeros(D, dtype=bool))
    active = np.arange(D)
    H = np.repeat(inverse[None], D, axis=0)
    at = theta[None]
    g = gradient(active, at)
    for _ in range(_MOST_STEPS):
        step = -(H @ g[:, :, None])[:, :, 0]
        left = np.sqrt(np.maximum(0.0, -(g * step).sum(axis=1)) / 2.0)
        step *= np.minimum(1.0, 1.0 / np.abs(step).max(axis=1).clip(1e-300))[:, None]
        at = at + step
        near, going = left < _TOLERANCE, left >= _TOLERANCE  # neither where it is NaN
        ends.theta[active[near]], ends.arrived[active[near]] = at[near], True
        active, at, step, before, H = (part[going] for part in (active, at, step, g, H))
        if not active.size:
            break
        g = gradient(active, at)
        H = _mended(H, step, g - before)
    return ends


def _mended(H: Array, step: Array, change: Array) -> Array:
    """BFGS: the nearest inverse Hessians that explain how the gradients changed over the steps."""
    curvature = (step * change).sum(axis=1)
    floor = 1e-12 * np.linalg.norm(step, axis=1) * np.linalg.norm(change, axis=1)
    bent = curvature > floor
    per = 1.0 / np.where(bent, curvature, np.inf)
    pulled = (H @ change[:, :, None])[:, :, 0]
    scale = per + (change * pulled).sum(axis=1) * per**2
    cross = pulled[:, :, None] * (per[:, None] * step)[:, None, :]
    found: Array = (
        H + (scale[:, None] * step)[:, :, None] * step[:, None, :] - cross - cross.swapaxes(1, 2)
    )
    return found
