"""What the trial reports of each subject: who it is, how treatment and study ended, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.ipf_fvc.schedule import VISITS
from trialmlm.simulate.streams import one_of

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.course import Course

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Texts = NDArray[np.object_]
    Dates = NDArray[np.datetime64]

STUDY = "TMLM-IPF-01"
#: the arms as the data name them: placebo, active
ARMS = ("Placebo", "Active 150 mg bid")
_STOP_REASONS = {"ADVERSE EVENT": 0.78, "WITHDRAWAL BY SUBJECT": 0.14, "OTHER": 0.08}
_STUDY_REASONS = {"WITHDRAWAL BY SUBJECT": 0.85, "LOST TO FOLLOW-UP": 0.15}


@dataclass(frozen=True, slots=True, eq=False)
class Reported:
    """The subjects as the trial reports them; every array is (n,), days are from first dose.

    Attributes
    ----------
    course : Course
    subject : ndarray of str
        USUBJID.
    observed : ndarray of bool, shape (visits, n)
        Visits that took place.
    completed : ndarray of bool
    drug_end, study_end : ndarray of float
        Days of last dose and of leaving the study.
    drug_reason, study_reason : ndarray of str
        Why drug was stopped and the study left; ``''`` for who completed it.
    """

    course: Course
    subject: Texts
    observed: Flags
    completed: Flags
    drug_end: Numbers
    study_end: Numbers
    drug_reason: Texts
    study_reason: Texts

    @property
    def arm(self) -> Texts:
        """The arm of each subject."""
        return np.array(ARMS, dtype=object)[self.course.subjects.arm]

    @property
    def first_dose(self) -> Dates:
        """Day of first dose."""
        return self.course.subjects.enrolment.first_dose

    def dates(self, days: Numbers, of: NDArray[np.int64] | None = None) -> Dates:
        """Dates of days since first dose; an infinite day has none.

        Parameters
        ----------
        days : ndarray
        of : ndarray of int, optional
            Whose days they are; by default one of each subject.
        """
        first = self.first_dose if of is None else self.first_dose[of]
        known = np.isfinite(days)
        found = first + np.where(known, days, 0).astype("timedelta64[D]")
        dated: Dates = np.where(known, found, np.datetime64("NaT", "D")).astype("datetime64[us]")
        return dated


def reported(course: Course, rng: Generator) -> Reported:
    """Say how each subject's treatment and study ended."""
    count = len(course.subjects)
    last_visit = course.chances.days[-1]
    completed = course.completed
    left = np.minimum(course.death_day, np.where(course.withdrew, course.withdrawal_day, np.inf))
    study_end = np.where(completed, last_visit, left)
    study_reason = np.where(course.withdrew, one_of(rng, _STUDY_REASONS, count), "DEATH")
    study_reason = np.where(completed, "", study_reason)
    drug_reason = np.where(course.stopped, one_of(rng, _STOP_REASONS, count), study_reason)
    return Reported(
        course=course,
        subject=subject_ids(course),
        observed=course.observed,
        completed=completed,
        drug_end=np.where(course.stopped, course.stop_day, study_end),
        study_end=study_end,
        drug_reason=drug_reason,
        study_reason=study_reason,
    )


def subject_ids(course: Course) -> Texts:
    """USUBJID of each subject."""
    where = course.subjects.enrolment
    pairs = zip(where.site, where.number, strict=True)
    return np.array([f"{STUDY}-{site}-{number:03d}" for site, number in pairs], dtype=object)


#: the visits' names and numbers, as the data spell them
VISIT_NAMES = np.array([visit.name for visit in VISITS], dtype=object)
VISIT_NUMBERS = np.array([visit.week for visit in VISITS])
