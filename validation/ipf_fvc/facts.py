"""The facts that the shipped trial must show, each with the range accepted and its reason."""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isfinite
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.ipf_fvc.parameters import Parameters
from trialmlm.simulate.ipf_fvc.schedule import VISITS, YEAR
from validation.ipf_fvc.methods import method
from validation.ipf_fvc.montecarlo import Simulated, errors_to_spread, mean, percent
from validation.ipf_fvc.records import NOBODY_DIES

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

    import pandas as pd
    from numpy.typing import NDArray

#: two-sided level of the tests
LEVEL = 0.05
#: standard deviations of slope and residual that the plan's closed form takes, mL/year and mL
PLANNED_SD = (214.0, 118.0)
#: what is compared with random slopes in fact 4
SINGLE_VALUES = ("A2.locf", "A2.completers_ancova", "A2.completers")


@dataclass(frozen=True, slots=True)
class Fact:
    """A number that must lie in a range.

    Attributes
    ----------
    number : int
        Of the fact in section 7.2 of the trial's plan.
    quantity : str
    obtained : Simulated
    low, high : float
        The range accepted; infinite where there is no end.
    decimals : int
        That it is shown with.
    reason : str
        Why this range.
    """

    number: int
    quantity: str
    obtained: Simulated
    low: float
    high: float
    decimals: int
    reason: str

    @property
    def holds(self) -> bool:
        """Whether the number, unrounded, lies in the range."""
        return self.low <= self.obtained.value <= self.high

    @property
    def accepted(self) -> str:
        """The range in words."""
        low, high = (f"{end:.{self.decimals}f}" for end in (self.low, self.high))
        return f"{low} to {high}" if isfinite(self.high) else f"above {low}"

    def __str__(self) -> str:
        shown = f"{self.obtained.value:.{self.decimals + 1}f}"
        told = "" if self.holds else "  <- FAILS"
        return f"fact {self.number}: {self.quantity}: {shown}, accepted {self.accepted}{told}"


def facts(default: pd.DataFrame, null: pd.DataFrame) -> tuple[Fact, ...]:
    """Every fact, in the order of the plan.

    Parameters
    ----------
    default, null : DataFrame
        What `trials` finds under each scenario; `default` with its unmasked fits.
    """
    return (
        *_difference(default),
        *_errors(default, null),
        *_closed_form(default),
        *_single_values(default),
        *_agreement(default),
    )


def _difference(default: pd.DataFrame) -> Iterator[Fact]:
    yield Fact(
        1,
        "random slopes: difference in slope, mL/year",
        mean(default["A1 difference"]),
        122 - 4,
        122 + 4,
        1,
        "the plan's 122 is a mean over at most 240 trials (MC SE 1.5); 4 is 2.3 standard errors "
        "of the difference from 1,000 trials",
    )


def _errors(default: pd.DataFrame, null: pd.DataFrame) -> Iterator[Fact]:
    yield Fact(
        2,
        "random slopes: mean model SE / empirical SD of the difference",
        errors_to_spread(default["A1 std_error"], default["A1 difference"]),
        0.93,
        1.07,
        2,
        "an SD from 1,000 trials has an error of 2.2 %: 0.07 is three of them",
    )
    yield Fact(
        2,
        "random slopes: rejections at 5 % under null, %",
        percent(null["A1 p_value"] < LEVEL),
        3.5,
        7.5,
        1,
        "binomial error 0.7 around 5; drop-out that depends on what was measured may add to it",
    )


def _closed_form(default: pd.DataFrame) -> Iterator[Fact]:
    size = Parameters().sizes[0]
    weeks = np.array([visit.week for visit in VISITS], dtype=float)
    plan = squares(weeks / 52)
    yield Fact(
        3,
        "Σ(t − t̄)² of the planned weeks, a year being 52 of them",
        Simulated(plan),
        0.9105,
        0.9115,
        4,
        "arithmetic: 0.911 to its last digit",
    )
    yield Fact(
        3,
        "closed form of the SE of the placebo slope, nothing missing, mL/year",
        Simulated(slope_error(*PLANNED_SD, plan, size)),
        17.25,
        17.35,
        2,
        "arithmetic: 17.3 to its last digit, from SDs of 214 and 118",
    )
    unmasked = {
        name: default[f"{NOBODY_DIES} {name}"]
        for name in ("sd slope", "sd residual", "placebo std_error")
    }
    years = squares(7 * weeks / YEAR)
    closed = slope_error(unmasked["sd slope"], unmasked["sd residual"], years, size)
    yield Fact(
        3,
        "model SE of the placebo slope, nothing missing / closed form of the fit's own SDs",
        mean(unmasked["placebo std_error"] / closed),
        0.999,
        1.001,
        4,
        "exact at the planned days; subjects come up to seven days earlier or later",
    )
    for name, planned, reach in (("slope", 214, 3.3), ("residual", 118, 1.1)):
        yield Fact(
            3,
            f"random slopes: mean SD of the {name} as fitted to what is observed",
            mean(default[f"A1 sd {name}"]),
            planned - reach,
            planned + reach,
            1,
            "four standard errors of the difference from the plan's 240 trials, and half its "
            "last digit",
        )


def _single_values(default: pd.DataFrame) -> Iterator[Fact]:
    slope = default["A1 placebo"].abs()
    for name in SINGLE_VALUES:
        yield Fact(
            4,
            f"placebo decline in a year, random slopes less {method(name).label}, mL",
            mean(slope - default[f"{name} placebo"].abs()),
            0,
            inf,
            1,
            "decline drives drop-out and death: who is seen last, or seen to the end, has "
            "declined less",
        )


def _agreement(default: pd.DataFrame) -> Iterator[Fact]:
    yield Fact(
        6,
        "MMRM at Week 52 less random slopes × 1 year, difference between arms, mL",
        mean(default["A2 difference"] - default["A1 difference"]),
        -3,
        3,
        1,
        "paired over trials (SD 11, MC SE 0.35): the courses bend a little, and 52 weeks are "
        "0.997 of a year",
    )


def squares(times: NDArray[np.float64]) -> float:
    """Sum of squares of times about their mean."""
    return float(((times - times.mean()) ** 2).sum())


def slope_error(sd_slope: Any, sd_residual: Any, squares: float, size: int) -> Any:
    """SE of the mean slope of an arm when every subject has every visit: √((σ²_b + σ²/Sxx)/n)."""
    return ((sd_slope**2 + sd_residual**2 / squares) / size) ** 0.5
