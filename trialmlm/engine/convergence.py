"""How a search ended: a value with advice, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Reason(Enum):
    """Why the search stopped; the value is what to tell the user."""

    CONVERGED = "converged"
    DEGENERATE = (
        "the covariance estimate approaches a singular matrix (a variance of zero or a "
        "correlation of one); use a structure with fewer parameters, or fewer visits"
    )
    NO_DESCENT = (
        "no step lowers the deviance further, yet the gradient is not zero; check the response "
        "for extreme values, or use a structure with fewer parameters"
    )
    ITERATIONS = (
        "the iteration limit was reached before the optimum; raise it, or use a structure with "
        "fewer parameters"
    )


@dataclass(frozen=True, slots=True)
class Step:
    """One iteration: the deviance before it and the distance still to go."""

    deviance: float
    distance: float
    hessian: str


@dataclass(frozen=True, slots=True)
class Convergence:
    """How the search ended.

    Attributes
    ----------
    reason : Reason
    iterations : int
        Steps taken.
    distance : float
        √(g'H⁻¹g / 2) at the end: how far the optimum is, in standard errors of θ.
    gradient : float
        Largest absolute element of the gradient of −2l, in units of the scaled data.
    condition : float
        Smallest eigenvalue of the estimated correlation matrix.
    trace : tuple of Step
    """

    reason: Reason
    iterations: int
    distance: float
    gradient: float
    condition: float
    trace: tuple[Step, ...]

    @property
    def converged(self) -> bool:
        """Whether the estimate is the optimum."""
        return self.reason is Reason.CONVERGED

    def __str__(self) -> str:
        if not self.converged:
            return f"not converged after {self.iterations} iterations: {self.reason.value}"
        return (
            f"converged in {self.iterations} iterations; the optimum is {self.distance:.1e} "
            "standard errors away"
        )
