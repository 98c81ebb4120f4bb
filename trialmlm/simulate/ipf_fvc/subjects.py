"""The subjects: sites and strata, arms, and what they are like at baseline."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.sites import enrolled
from trialmlm.simulate.streams import one_of, truncated_normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.parameters import Characteristics, Parameters
    from trialmlm.simulate.sites import Enrolment

    Numbers = NDArray[np.float64]

NO_ANTIFIBROTIC = "No antifibrotic"
#: antifibrotic at randomisation -> share
BACKGROUND = {NO_ANTIFIBROTIC: 0.23, "Nintedanib": 0.45, "Pirfenidone": 0.32}
SMOKING = {"NEVER": 0.27, "FORMER": 0.68, "CURRENT": 0.05}
#: region -> race -> share; some countries do not let race be recorded
RACE: Mapping[str, Mapping[str, float]] = {
    "Europe": {"WHITE": 0.75, "ASIAN": 0.01, "NOT REPORTED": 0.24},
    "Asia": {"ASIAN": 1.0},
    "North America": {
        "WHITE": 0.90, "ASIAN": 0.05, "BLACK OR AFRICAN AMERICAN": 0.03, "NOT REPORTED": 0.02,
    },
    "Rest of world": {"WHITE": 0.75, "ASIAN": 0.20, "BLACK OR AFRICAN AMERICAN": 0.05},
}  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Subjects:
    """The subjects of a trial, ordered by site and day of first dose; every array is (n,).

    Attributes
    ----------
    enrolment : Enrolment
        Site, region, and day of first dose.
    arm : ndarray of int
        0 placebo, 1 active.
    background, race, smoking : ndarray of str
    male : ndarray of bool
    age, height : ndarray of float
        Whole years and centimetres.
    predicted : ndarray of float
        Predicted FVC in mL, ECSC 1993.
    fvc, fvc_percent : ndarray of float
        True FVC at first dose, in mL and % predicted.
    dlco : ndarray of float
        DLco, % predicted.
    slope_deviation : ndarray of float
        From the arm's mean slope, mL per year.
    """

    enrolment: Enrolment
    arm: NDArray[np.int64]
    background: NDArray[np.object_]
    race: NDArray[np.object_]
    smoking: NDArray[np.object_]
    male: NDArray[np.bool_]
    age: Numbers
    height: Numbers
    predicted: Numbers
    fvc: Numbers
    fvc_percent: Numbers
    dlco: Numbers
    slope_deviation: Numbers

    def __len__(self) -> int:
        return len(self.arm)

    def all_in(self, arm: int) -> Subjects:
        """The same subjects, every one of them in one arm."""
        return replace(self, arm=np.full_like(self.arm, arm))


def draw_subjects(streams: Mapping[str, Generator], parameters: Parameters) -> Subjects:
    """Draw the subjects of a trial."""
    count, rng = sum(parameters.sizes), streams["subjects"]
    enrolment = enrolled(streams["sites"], count)
    background = one_of(rng, BACKGROUND, count)
    is_like = parameters.characteristics
    male = rng.random(count) < is_like.male
    age = np.rint(truncated_normal(rng, is_like.age_mean, is_like.age_sd, is_like.age_range, count))
    height = _heights(rng, male, is_like)
    predicted = predicted_fvc(male, age, height)
    severity, fvc_percent = _fvc_percents(rng, is_like, count)
    return Subjects(
        enrolment=enrolment,
        arm=_randomised(rng, enrolment.region, background, parameters.sizes),
        background=background,
        race=_races(rng, enrolment.region),
        smoking=one_of(rng, SMOKING, count),
        male=male,
        age=age,
        height=height,
        predicted=predicted,
        fvc=fvc_percent / 100 * predicted,
        fvc_percent=fvc_percent,
        dlco=_dlcos(rng, severity, is_like),
        slope_deviation=rng.normal(0, parameters.decline.slope_sd, count),
    )


def predicted_fvc(male: NDArray[np.bool_], age: Numbers, height: Numbers) -> Numbers:
    """Predicted FVC in mL by ECSC 1993 (Quanjer), from years and centimetres."""
    men = 5.76 * height / 100 - 0.026 * age - 4.34
    women = 4.43 * height / 100 - 0.026 * age - 2.89
    return 1000 * np.where(male, men, women)


def _heights(rng: Generator, male: NDArray[np.bool_], is_like: Characteristics) -> Numbers:
    (men, men_sd), (women, women_sd) = is_like.height_men, is_like.height_women
    z = truncated_normal(rng, 0, 1, (-3.5, 3.5), len(male))
    return np.rint(np.where(male, men + men_sd * z, women + women_sd * z))


def _fvc_percents(rng: Generator, is_like: Characteristics, count: int) -> tuple[Numbers, Numbers]:
    """Return the normal score of each subject, and its true baseline FVC in % predicted."""
    mean, sd = is_like.fvc_percent_log_mean, is_like.fvc_percent_log_sd
    low, high = ((np.log(end) - mean) / sd for end in is_like.fvc_percent_range)
    scores = truncated_normal(rng, 0, 1, (low, high), count)
    return scores, np.exp(mean + sd * scores)


def _dlcos(rng: Generator, severity: Numbers, is_like: Characteristics) -> Numbers:
    shared = is_like.dlco_fvc_correlation
    own = np.sqrt(1 - shared**2) * rng.standard_normal(len(severity))
    values: Numbers = is_like.dlco_mean + is_like.dlco_sd * (shared * severity + own)
    return np.round(values.clip(*is_like.dlco_range), 1)


def _races(rng: Generator, region: NDArray[np.object_]) -> NDArray[np.object_]:
    races = np.empty(len(region), dtype=object)
    for name, shares in RACE.items():
        there = region == name
        races[there] = one_of(rng, shares, int(there.sum()))
    return races


def _randomised(
    rng: Generator,
    region: NDArray[np.object_],
    background: NDArray[np.object_],
    sizes: tuple[int, int],
) -> NDArray[np.int64]:
    """Arms in an even sequence along the strata, subjects of a stratum in random order."""
    count, active = sum(sizes), sizes[1]
    place = np.arange(count)
    sequence = (place + 1) * active // count - place * active // count
    sequence = np.roll(sequence, int(rng.integers(count)))
    stratum = np.unique([f"{a}/{b}" for a, b in zip(region, background, strict=True)],
                        return_inverse=True)[1]  # fmt: skip
    arms = np.empty(count, dtype=np.int64)
    arms[np.lexsort((rng.random(count), stratum))] = sequence
    return arms
