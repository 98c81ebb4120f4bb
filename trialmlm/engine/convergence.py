"""How a search ended: a value with advice, not an exception."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from math import nan


class Reason(Enum):
    """Why the search stopped; the value is what to tell the user."""

    CONVERGED = "converged"
    DEGENERATE = (
        "the covariance estimate approaches a singular matrix (a variance of zero or a "
        "correlation of one); use a structure with fewer parameters, or fewer visits"
    )
    FLAT = (
        "−2l hardly changes along some direction of the covariance parameters: the data do not "
        "tell them apart; use a structure with fewer parameters, or fewer visits"
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
    curvature : float
        Smallest eigenvalue of the observed Hessian scaled to a unit diagonal; NaN where a
        variance of zero is an estimate, and the Hessian says nothing there.
    visits : tuple of int
        Of a search that did not end well, the visits that its weakest direction rests on.
    detail : str
        The same in the words of the model, with how much data there is.
    """

    reason: Reason
    iterations: int
    distance: float
    gradient: float
    condition: float
    trace: tuple[Step, ...]
    curvature: float = nan
    visits: tuple[int, ...] = ()
    detail: str = ""

    @property
    def converged(self) -> bool:
        """Whether the estimate is the optimum."""
        return self.reason is Reason.CONVERGED

    def __str__(self) -> str:
        if not self.converged:
            where = f"; {self._where()}" if self.detail or self.visits else ""
            return f"not converged after {self.iterations} iterations: {self.reason.value}{where}"
        return (
            f"converged in {self.iterations} iterations; the optimum is {self.distance:.1e} "
            "standard errors away"
        )

    def _where(self) -> str:
        """What the weakest direction rests on; the engine knows visits by number only."""
        numbers = ", ".join(str(visit + 1) for visit in self.visits)
        return self.detail or f"too little is known of the visits numbered {numbers}"
