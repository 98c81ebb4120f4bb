"""The patients: sites, arms, inflammation, and what is their own in the course of the disease."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.sites import enrolled
from trialmlm.simulate.streams import truncated_normal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.mdd_madrs.parameters import Parameters
    from trialmlm.simulate.sites import Enrolment

    Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Patients:
    """The patients of a trial, ordered by site and day of first dose; every array is (n,).

    Attributes
    ----------
    enrolment : Enrolment
        Site, region, and day of first dose.
    arm : ndarray of int
        0 placebo, 1 active.
    male : ndarray of bool
    age : ndarray of float
        Whole years.
    inflammation : ndarray of float
        Standardised log of C-reactive protein.
    crp, il6 : ndarray of float
        mg/L and pg/mL.
    intercept, slope : ndarray of float
        From the mean score, and from its slope per week.
    """

    enrolment: Enrolment
    arm: NDArray[np.int64]
    male: NDArray[np.bool_]
    age: Numbers
    inflammation: Numbers
    crp: Numbers
    il6: Numbers
    intercept: Numbers
    slope: Numbers

    def __len__(self) -> int:
        return len(self.arm)

    def all_in(self, arm: int) -> Patients:
        """The same patients, every one of them in one arm."""
        return replace(self, arm=np.full_like(self.arm, arm))


def draw_patients(streams: Mapping[str, Generator], parameters: Parameters) -> Patients:
    """Draw the patients of a trial."""
    count, rng = sum(parameters.sizes), streams["subjects"]
    is_like, falls, blood = (
        parameters.characteristics,
        parameters.improvement,
        parameters.inflammation,
    )
    z, own = rng.standard_normal((2, count))
    z_il6 = blood.correlation * z + np.sqrt(1 - blood.correlation**2) * own
    age = truncated_normal(rng, is_like.age_mean, is_like.age_sd, is_like.age_range, count)
    return Patients(
        enrolment=enrolled(streams["sites"], count),
        arm=rng.permutation(np.repeat([0, 1], parameters.sizes)),
        male=rng.random(count) < is_like.male,
        age=np.rint(age),
        inflammation=z,
        crp=np.round(np.exp(blood.crp_log_mean + blood.crp_log_sd * z), 2),
        il6=np.round(np.exp(blood.il6_log_mean + blood.il6_log_sd * z_il6), 2),
        intercept=rng.normal(0, falls.intercept_sd, count),
        slope=rng.normal(0, falls.slope_sd, count),
    )
