"""What a simulated trial is made with; every number is a choice, calibrated to published results.

Rates are per year, FVC is in mL, and a pair is (placebo, active).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log
from typing import Literal

from trialmlm.simulate.sizes import Sized

PerArm = tuple[float, float]
#: what drop-out depends on: the decline last measured (missing at random), or the true one
Seen = Literal["last-measured", "current-latent"]
#: after drug is stopped FVC falls as on placebo, or as before, or stays as at the last visit
OffDrug = Literal["as-on-placebo", "as-before", "as-at-last-visit"]


@dataclass(frozen=True, slots=True)
class Characteristics:
    """Who is randomised. Predicted FVC is by ECSC 1993; `fvc_percent` is the true baseline."""

    male: float = 0.79
    age_mean: float = 66.8
    age_sd: float = 8.0
    age_range: tuple[float, float] = (41, 89)
    height_men: tuple[float, float] = (170.5, 7.5)
    height_women: tuple[float, float] = (156.5, 6.5)
    fvc_percent_log_mean: float = log(77.5)
    fvc_percent_log_sd: float = 0.235
    fvc_percent_range: tuple[float, float] = (50, 130)
    dlco_mean: float = 47
    dlco_sd: float = 13
    dlco_fvc_correlation: float = 0.35
    dlco_range: tuple[float, float] = (30, 79)


@dataclass(frozen=True, slots=True)
class Decline:
    """How FVC falls.

    A subject's own deviation from the mean slope is the same on and off drug. Where FVC falls as
    before when drug is stopped, it may lose `drop_at_stop` at once. Errors of measurement are
    scaled t.
    """

    slope: PerArm = (-225, -95)
    slope_sd: float = 205
    off_drug: OffDrug = "as-on-placebo"
    drop_at_stop: PerArm = (0, 0)
    error_sd: tuple[float, ...] = (112, 112, 112, 112, 118, 122, 126, 132)
    error_df: float = 6


@dataclass(frozen=True, slots=True)
class Exacerbation:
    """First acute exacerbation: its rate grows with the tenths of FVC lost, its drop stays."""

    rate: PerArm = (0.066, 0.044)
    log_ratio_per_tenth: float = 0.5
    most_tenths: float = 2
    drop_mean: float = 180
    drop_sd: float = 120


@dataclass(frozen=True, slots=True)
class Death:
    """Log hazard of death per year, and what adds to it; centred as the trials' means are."""

    log_hazard: float = -4.38
    per_tenth_lost: float = log(3.8)
    most_tenths: float = 4
    per_year_of_age: float = 0.03
    per_fvc_percent: float = -0.02
    per_dlco_percent: float = -0.03
    after_exacerbation: float = log(30)
    weeks_after: int = 8
    age_centre: float = 67
    fvc_centre: float = 79.5
    dlco_centre: float = 47


@dataclass(frozen=True, slots=True)
class Leaving:
    """Stopping drug and leaving the study.

    Both hazards are multiplied by exp(`per_ten_points`/10 × (decline − `centre`)), the decline
    being in points of % predicted and at least `floor`.
    """

    stop_risk: PerArm = (0.175, 0.275)
    early_weeks: int = 16
    early_factor: PerArm = (1, 1.6)
    late_factor: PerArm = (1, 0.65)
    leaves_at_stop: float = 0.34
    withdrawal_rate: float = 0.03
    per_ten_points: float = log(1.6)
    centre: float = 3
    floor: float = -5
    seen: Seen = "last-measured"


@dataclass(frozen=True, slots=True)
class QualityOfLife:
    """SGRQ total: change = slope·t + per mL of FVC lost + the subject's deviation·t + error."""

    baseline_mean: float = 39.5
    baseline_sd: float = 18
    slope: float = 2.3
    per_ml_lost: float = 0.012
    slope_sd: float = 10
    error_sd: float = 8


@dataclass(frozen=True, slots=True)
class Reports:
    """What else is reported; neither changes FVC.

    The share of subjects with diarrhoea, and its mean day; and the share who start an antifibrotic,
    of those who stop drug, stay in the study and have none.
    """

    diarrhoea: PerArm = (0.179, 0.615)
    diarrhoea_day: float = 45
    antifibrotic_after_stop: float = 0.5


@dataclass(frozen=True, slots=True)
class Parameters(Sized):
    """Everything a simulated trial is made with.

    Attributes
    ----------
    sizes : tuple of int
        Subjects of each arm: placebo, active.
    missed_visit : float
        Chance that a post-baseline visit is missed, completely at random.
    """

    sizes: tuple[int, int] = (204, 309)
    characteristics: Characteristics = Characteristics()
    decline: Decline = Decline()
    exacerbation: Exacerbation = Exacerbation()
    death: Death = Death()
    leaving: Leaving = Leaving()
    missed_visit: float = 0.015
    quality_of_life: QualityOfLife = QualityOfLife()
    reports: Reports = Reports()
