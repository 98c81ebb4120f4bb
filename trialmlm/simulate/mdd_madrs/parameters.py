"""What a simulated trial is made with; every number is a choice, in the range of published trials.

Times are in weeks, the score is HAMD17 (0 to 52, lower is better), and a pair is (placebo, active).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

from trialmlm.simulate.sizes import Sized

#: what drop-out depends on: the score last measured, or the next one, which nobody would see
Seen = Literal["last-measured", "next-unseen"]
#: what becomes of the score after drug is stopped: what it would have been on drug, what it would
#: have been on placebo all along, or what it was when last measured on drug
OffDrug = Literal["as-on-drug", "as-on-placebo", "as-it-was"]
#: drop-out may come after each visit but baseline and the last
PerVisit = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Improvement:
    """How the score falls.

    The mean is baseline − (fall + effect·active)·(1 − exp(−t/pace))/(1 − exp(−8/pace)). A subject
    adds an intercept, and a slope to which the standardised log of C-reactive protein adds, on
    active drug more. The score is rounded and held between 0 and 52.
    """

    baseline: float = 22.5
    fall: float = 9.0
    effect: float = 2.8
    pace: float = 3.0
    intercept_sd: float = 3.0
    slope_sd: float = 0.9
    slope_per_crp: float = 0.08
    slope_per_crp_on_drug: float = -0.22
    error_sd: tuple[float, ...] = (1.8, 2.8, 3.2, 3.6, 3.8, 4.0)
    off_drug: OffDrug = "as-on-drug"


@dataclass(frozen=True, slots=True)
class Inflammation:
    """C-reactive protein in mg/L and interleukin 6 in pg/mL at baseline, log-normal."""

    crp_log_mean: float = log(1.6)
    crp_log_sd: float = 1.1
    il6_log_mean: float = log(2.0)
    il6_log_sd: float = 0.7
    correlation: float = 0.45


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stopping drug after a visit: logit = intercept + per_point·(change − centre) + arm and visit.

    `stays` is the chance of coming to the later visits nevertheless.
    """

    intercept: float = -3.05
    per_point: float = 0.07
    centre: float = -6.0
    on_placebo: float = 0.15
    at_visit_placebo: PerVisit = (0.0, 0.0, 0.0, 0.0)
    at_visit_active: PerVisit = (0.0, 0.0, 0.0, 0.0)
    stays: float = 0.0
    seen: Seen = "last-measured"


@dataclass(frozen=True, slots=True)
class Characteristics:
    """Who is randomised; neither sex nor age changes the score."""

    male: float = 0.38
    age_mean: float = 43
    age_sd: float = 12
    age_range: tuple[float, float] = (18, 70)


@dataclass(frozen=True, slots=True)
class Parameters(Sized):
    """Everything a simulated trial is made with."""

    sizes: tuple[int, int] = (150, 150)
    characteristics: Characteristics = Characteristics()
    improvement: Improvement = Improvement()
    inflammation: Inflammation = Inflammation()
    leaving: Leaving = Leaving()
