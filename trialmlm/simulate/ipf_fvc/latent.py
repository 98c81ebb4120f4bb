"""The truth behind the observed data, so that a method can be scored against its own estimand."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.simulate.columns import flag, origin
from trialmlm.simulate.ipf_fvc.reported import ARMS, STUDY, VISIT_NAMES, VISIT_NUMBERS, subject_ids
from trialmlm.simulate.ipf_fvc.schedule import YEAR, visit_weeks
from trialmlm.simulate.visits import study_day

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.simulate.ipf_fvc.course import Course


def latent_frame(courses: Mapping[str, Course]) -> pd.DataFrame:
    """Lay out the true FVC in each world, at every planned visit of every subject.

    Parameters
    ----------
    courses : mapping of str to Course
        The worlds ``followed``, ``on-drug`` and ``off-drug``, by the same chance.

    Returns
    -------
    DataFrame
        mL, to a thousandth; sorted by subject and visit.
    """
    course = courses["followed"]
    days, count = course.chances.days, len(course.subjects)
    week = visit_weeks(days)
    of = np.repeat(np.arange(count), len(VISIT_NAMES))
    frame = {
        "STUDYID": np.full(len(of), STUDY, dtype=object),
        "USUBJID": subject_ids(course)[of],
        "TRT01P": np.array(ARMS, dtype=object)[course.subjects.arm[of]],
        "AVISIT": np.tile(VISIT_NAMES, count),
        "AVISITN": np.tile(VISIT_NUMBERS, count),
        "ADY": study_day(days).T.ravel(),
        "YEARS": (days / YEAR).T.ravel(),
    }
    numbers = {
        "TRUE_FVC": course.at_visit,
        "TRUE_FVC_ON_DRUG": courses["on-drug"].at_visit,
        "TRUE_FVC_OFF_DRUG": courses["off-drug"].at_visit,
        "ERROR": course.chances.error,
        "MEASURABLE": course.measurable,
    }
    states = {
        "ALIVE": week <= course.death_week,
        "IN_STUDY": week <= course.last_week,
        "ON_DRUG": week <= course.stop_week,
        "OBSERVED": course.observed,
    }
    return pd.DataFrame(
        frame
        | {name: np.round(values, 3).T.ravel() + 0.0 for name, values in numbers.items()}
        | {name: flag(mask.T.ravel(), "Y", "N") for name, mask in states.items()}
        | origin(len(of))
    )
