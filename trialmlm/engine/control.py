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
    searches : int
        That end at a singular covariance before other starts are no longer asked.
    singular : float
        Smallest eigenvalue of the correlation matrix that is still an estimate.
    vanishing : float
        Smallest variance, relative to the largest, that is still an estimate.
    near, patience : float, int
        More steps than `patience` that lower −2l by less than one, at a smallest eigenvalue below
        `near`, are a crawl towards a singular matrix: to an optimum there Newton's are fewer.
    doubtful : float
        An optimum whose correlation matrix has a smaller eigenvalue is sought from every start,
        and the best is taken: there the likelihood of few subjects may have several.
    stride : float
        Largest element of the last step. On the way to a singular covariance the gradient vanishes
        and −2l hardly falls, yet the steps of log-variances stay as long as before.
    flat : float
        Smallest eigenvalue of the Hessian, scaled to a unit diagonal, of an optimum that is one.
    """

    tolerance: float = 1e-6
    max_iterations: int = 100
    searches: int = 2
    singular: float = 1e-8
    vanishing: float = 1e-8
    near: float = 1e-5
    patience: int = 6
    doubtful: float = 0.01
    stride: float = 1e-3
    flat: float = 1e-8
