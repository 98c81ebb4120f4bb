"""When a search stops."""

from __future__ import annotations

from dataclasses import dataclass


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
    vanishing : float
        Smallest variance, relative to the largest, that is still an estimate.
    """

    tolerance: float = 1e-6
    max_iterations: int = 100
    singular: float = 1e-8
    vanishing: float = 1e-8
