"""What happens to the patients of a trial: their scores, and when they stop and leave."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.mdd_madrs.schedule import VISITS, WEEKS
from trialmlm.simulate.visits import days_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.mdd_madrs.parameters import Improvement, OffDrug, Parameters
    from trialmlm.simulate.mdd_madrs.patients import Patients

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Whole = NDArray[np.int64]

#: the last visit, and the highest score
_LAST, HIGHEST = len(VISITS) - 1, 52
#: what becomes of the scores: from those on drug, those on placebo, and the last one on drug
OFF_DRUG: Mapping[OffDrug, Callable[[Numbers, Numbers, Numbers], Numbers]] = {
    "as-on-drug": lambda on_drug, on_placebo, last: on_drug,
    "as-on-placebo": lambda on_drug, on_placebo, last: on_placebo,
    "as-it-was": lambda on_drug, on_placebo, last: np.broadcast_to(last, on_drug.shape),
}


@dataclass(frozen=True, slots=True, eq=False)
class Chances:
    """All that chance decides in the course of the patients.

    Attributes
    ----------
    days : ndarray of int, shape (visits, n)
        Day of each visit, from first dose.
    error : ndarray of float, shape (visits, n)
        Error of measurement.
    stop : ndarray of float, shape (visits - 2, n)
        Uniform; drug is stopped after the first visit whose chance exceeds it.
    stays, within : ndarray of float, shape (n,)
        Uniform: whether the patient stays in the study, and when between two visits it stops.
    """

    days: Whole
    error: Numbers
    stop: Numbers
    stays: Numbers
    within: Numbers


def draw_chances(streams: Mapping[str, Generator], parameters: Parameters, count: int) -> Chances:
    """Draw what chance decides for `count` patients."""
    visits, course = streams["visits"], streams["course"]
    sd = np.array(parameters.improvement.error_sd)[:, np.newaxis]
    return Chances(
        days=days_of(visits, VISITS, count),
        error=sd * visits.standard_normal((len(VISITS), count)),
        stop=course.random((len(VISITS) - 2, count)),
        stays=course.random(count),
        within=course.random(count),
    )


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What happens in one world.

    Attributes
    ----------
    patients : Patients
    chances : Chances
    score : ndarray of float, shape (visits, n)
        What is measured, or would be had the patient been there.
    last_on_drug : ndarray of int, shape (n,)
        Index of the last visit before drug is stopped; that of the last visit where it is not.
    stays : ndarray of bool, shape (n,)
        Comes to later visits nevertheless.
    """

    patients: Patients
    chances: Chances
    score: Numbers
    last_on_drug: Whole
    stays: Flags

    @property
    def on_drug(self) -> Flags:
        """Whether drug has not been stopped before each visit, shape (visits, n)."""
        return self.last_on_drug >= _VISIT

    @property
    def observed(self) -> Flags:
        """Whether each visit takes place, shape (visits, n)."""
        return self.on_drug | self.stays

    @property
    def stopped(self) -> Flags:
        """Who stops drug."""
        return self.last_on_drug < _LAST

    @property
    def left(self) -> Flags:
        """Who leaves the study, when stopping drug."""
        return self.stopped & ~self.stays

    @property
    def stop_day(self) -> Numbers:
        """Day on which drug is stopped, between two visits; infinite where it is not."""
        everyone = np.arange(len(self.patients))
        before = self.chances.days[self.last_on_drug, everyone]
        after = self.chances.days[np.minimum(self.last_on_drug + 1, _LAST), everyone]
        day = before + np.floor(self.chances.within * (after - before))
        return np.where(self.stopped, day, np.inf)


_VISIT = np.arange(len(VISITS))[:, np.newaxis]


def follow(patients: Patients, chances: Chances, parameters: Parameters, world: str) -> Course:
    """Follow the patients through the weeks of treatment.

    Parameters
    ----------
    patients : Patients
    chances : Chances
    parameters : Parameters
    world : str
        ``followed``, ``on-drug`` (had nobody stopped it) or ``off-drug`` (had nobody been on it).
    """
    falls = parameters.improvement
    on_placebo = _scores(patients, chances.error, falls, 0 * patients.arm)
    on_drug = _scores(patients, chances.error, falls, patients.arm)
    never = np.full(len(patients), _LAST)
    if world != "followed":
        score = on_drug if world == "on-drug" else on_placebo
        return Course(patients, chances, score, never, np.zeros(len(patients), dtype=bool))
    last = _last_on_drug(patients, chances, parameters, on_drug)
    held = np.take_along_axis(on_drug, last[np.newaxis], axis=0)
    off_drug = OFF_DRUG[falls.off_drug](on_drug, on_placebo, held)
    return Course(
        patients,
        chances,
        np.where(last >= _VISIT, on_drug, off_drug),
        last,
        chances.stays < parameters.leaving.stays,
    )


def mean_score(week: Numbers, active: Numbers, falls: Improvement) -> Numbers:
    """Mean score at a week, before it is rounded and held within its range."""
    share = (1 - np.exp(-week / falls.pace)) / (1 - np.exp(-WEEKS[-1] / falls.pace))
    mean: Numbers = falls.baseline - (falls.fall + falls.effect * active) * share
    return mean


def _scores(patients: Patients, error: Numbers, falls: Improvement, arm: Whole) -> Numbers:
    week = WEEKS[:, np.newaxis].astype(float)
    per_crp = falls.slope_per_crp + falls.slope_per_crp_on_drug * arm
    slope = patients.slope + per_crp * patients.inflammation
    true = mean_score(week, arm.astype(float), falls) + patients.intercept + slope * week
    score: Numbers = np.rint(true + error).clip(0, HIGHEST)
    return score


def _last_on_drug(
    patients: Patients, chances: Chances, parameters: Parameters, score: Numbers
) -> Whole:
    """Index of the last visit on drug: the first after which drug is stopped."""
    leaving = parameters.leaving
    change = score - score[0]
    seen = change[2:] if leaving.seen == "next-unseen" else change[1:-1]
    at_visit = np.array([leaving.at_visit_placebo, leaving.at_visit_active])[patients.arm].T
    logit = (
        leaving.intercept
        + leaving.per_point * (seen - leaving.centre)
        + leaving.on_placebo * (1 - patients.arm)
        + at_visit
    )
    stops = chances.stop < 1 / (1 + np.exp(-logit))
    return np.where(stops.any(axis=0), 1 + stops.argmax(axis=0), _LAST)
