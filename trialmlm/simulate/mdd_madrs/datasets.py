"""The data sets of a simulated trial, as ADaM lays them out, and the truth behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.simulate.columns import flag, origin
from trialmlm.simulate.mdd_madrs.schedule import NAMES, WEEKS
from trialmlm.simulate.streams import one_of
from trialmlm.simulate.visits import study_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

    from trialmlm.simulate.columns import Columns, Texts
    from trialmlm.simulate.mdd_madrs.course import Course

    Numbers = NDArray[np.float64]
    Whole = NDArray[np.int64]

STUDY = "TMLM-MDD-01"
#: the arms as the data name them: placebo, active
ARMS = ("Placebo", "Active 20 mg")
#: why drug is stopped
_REASONS = {
    "LACK OF EFFICACY": 0.30,
    "ADVERSE EVENT": 0.30,
    "WITHDRAWAL BY SUBJECT": 0.25,
    "LOST TO FOLLOW-UP": 0.15,
}


def all_datasets(course: Course, rng: Generator) -> dict[str, pd.DataFrame]:
    """Lay out ADSL and ADQS; `rng` draws the reasons."""
    return {"adsl": adsl(course, rng), "adqs": adqs(course)}


def adsl(course: Course, rng: Generator) -> pd.DataFrame:
    """Lay out the subjects."""
    patients, count = course.patients, len(course.patients)
    everyone = np.arange(count)
    found = _identity(course, everyone)
    yes = np.full(count, "Y", dtype=object)
    short = [subject.removeprefix(f"{STUDY}-") for subject in found["USUBJID"]]
    return pd.DataFrame(
        found
        | {"SUBJID": np.array(short, dtype=object)}
        | {"TRT01A": found["TRT01P"], "TRT01AN": found["TRT01PN"]}
        | {"AGE": patients.age.astype(int), "AGEU": np.full(count, "YEARS", dtype=object)}
        | {"SEX": flag(patients.male, "M", "F")}
        | {"RANDFL": yes, "ITTFL": yes, "SAFFL": yes}
        | _disposition(course, rng)
        | {
            "HAMDBL": course.score[0].astype(int),
            "CRPBL": patients.crp,
            "IL6BL": patients.il6,
        }
        | origin(count)
    )


def adqs(course: Course) -> pd.DataFrame:
    """Lay out the scores of the visits that took place, baseline among them."""
    of, visit = course.observed.T.nonzero()
    score, base, day = course.score[visit, of], course.score[0, of], course.chances.days[visit, of]
    count = len(of)
    return pd.DataFrame(
        _identity(course, of)
        | {
            "PARAMCD": np.full(count, "HAMD17", dtype=object),
            "PARAM": np.full(count, "HAMD17 Total Score", dtype=object),
            "AVAL": score,
            "BASE": base,
            "CHG": score - base,
            "PCHG": np.round(100 * (score - base) / base, 2) + 0.0,
            "AVISIT": NAMES[visit],
            "AVISITN": WEEKS[visit],
            "ADT": _dates(course, day.astype(float), of),
            "ADY": study_day(day),
            "ABLFL": flag(visit == 0),
            "ANL01FL": flag(visit >= 0),
            "ONTRTFL": flag((visit > 0) & (visit <= course.last_on_drug[of])),
            "DTYPE": np.full(count, "", dtype=object),
        }
        | origin(count)
    )


def latent_frame(courses: Mapping[str, Course]) -> pd.DataFrame:
    """Lay out the score in each world, at every planned visit of every subject.

    Parameters
    ----------
    courses : mapping of str to Course
        The worlds ``followed``, ``on-drug`` and ``off-drug``, by the same chance.
    """
    course = courses["followed"]
    count = len(course.patients)
    of = np.repeat(np.arange(count), len(NAMES))
    worlds = {"SCORE": "followed", "SCORE_ON_DRUG": "on-drug", "SCORE_OFF_DRUG": "off-drug"}
    states = {"IN_STUDY": course.observed, "ON_DRUG": course.on_drug, "OBSERVED": course.observed}
    return pd.DataFrame(
        {
            "STUDYID": np.full(len(of), STUDY, dtype=object),
            "USUBJID": _subjects(course)[of],
            "TRT01P": np.array(ARMS, dtype=object)[course.patients.arm[of]],
            "AVISIT": np.tile(NAMES, count),
            "AVISITN": np.tile(WEEKS, count),
            "ADY": study_day(course.chances.days).T.ravel(),
        }
        | {name: courses[world].score.T.ravel() for name, world in worlds.items()}
        | {name: flag(mask.T.ravel(), "Y", "N") for name, mask in states.items()}
        | origin(len(of))
    )


def _identity(course: Course, of: Whole) -> Columns:
    """Who a record is of: the subjects at positions `of`."""
    patients = course.patients
    return {
        "STUDYID": np.full(len(of), STUDY, dtype=object),
        "USUBJID": _subjects(course)[of],
        "SITEID": patients.enrolment.site[of],
        "SITEGR1": patients.enrolment.region[of],
        "TRT01P": np.array(ARMS, dtype=object)[patients.arm[of]],
        "TRT01PN": patients.arm[of] + 1,
    }


def _subjects(course: Course) -> Texts:
    """USUBJID of each subject."""
    where = course.patients.enrolment
    pairs = zip(where.site, where.number, strict=True)
    return np.array([f"{STUDY}-{site}-{number:03d}" for site, number in pairs], dtype=object)


def _disposition(course: Course, rng: Generator) -> Columns:
    everyone = np.arange(len(course.patients))
    last = course.chances.days[-1].astype(float)
    drug_end = np.where(course.stopped, course.stop_day, last)
    study_end = np.where(course.left, drug_end, last)
    reason = np.where(course.stopped, one_of(rng, _REASONS, len(everyone)), "")
    first = _dates(course, np.zeros(len(everyone)), everyone)
    return {
        "RANDDT": first,
        "TRTSDT": first,
        "TRTEDT": _dates(course, drug_end, everyone),
        "TRTDURD": drug_end.astype(int) + 1,
        "EOTSTT": flag(course.stopped, "DISCONTINUED", "COMPLETED"),
        "DCTREAS": reason,
        "EOSDT": _dates(course, study_end, everyone),
        "EOSSTT": flag(course.left, "DISCONTINUED", "COMPLETED"),
        "DCSREAS": np.where(course.left, reason, ""),
    }


def _dates(course: Course, days: Numbers, of: Whole) -> NDArray[np.datetime64]:
    first = course.patients.enrolment.first_dose[of]
    dated: NDArray[np.datetime64] = (first + days.astype("timedelta64[D]")).astype("datetime64[us]")
    return dated
