"""A simulated course as the records that an analysis of FVC is made of.

The days of the simulator's visits stay inside the protocol's windows, so that planned and analysed
visits are the same; `tests/validation` compares what follows with a run of the protocol.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.simulate.ipf_fvc.reported import ARMS, VISIT_NAMES, VISIT_NUMBERS
from trialmlm.simulate.ipf_fvc.schedule import YEAR, visit_weeks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.course import Course

    Flags = NDArray[np.bool_]

PLACEBO, ACTIVE = ARMS
LAST_VISIT = str(VISIT_NAMES[-1])
AS_OBSERVED = "as observed"
NOBODY_LEAVES = "nobody leaves or misses a visit; deaths end the records"
NOBODY_DIES = "nobody leaves, misses a visit or dies"


def _alive(course: Course) -> Flags:
    return visit_weeks(course.chances.days) <= course.death_week


def _everybody(course: Course) -> Flags:
    return np.ones(course.measurable.shape, dtype=bool)


#: what is seen -> which visits of the same subjects take place, shape (visits, n)
SEEN: Mapping[str, Callable[[Course], Flags]] = {
    AS_OBSERVED: lambda course: course.observed,
    NOBODY_LEAVES: _alive,
    NOBODY_DIES: _everybody,
}


def records(course: Course, seen: str = AS_OBSERVED) -> pd.DataFrame:
    """Lay out the values of FVC, baseline among them: one row per subject and visit.

    Parameters
    ----------
    course : Course
    seen : str
        Name in `SEEN`.

    Returns
    -------
    DataFrame
        USUBJID (a number), AVISIT, AVISITN, YEARS, AVAL, BASE, CHG, TRT01P, and what the models
        of the protocol adjust for; sorted by subject and visit.
    """
    subjects, fvc = course.subjects, course.measurable
    subject, visit = SEEN[seen](course).T.nonzero()
    return pd.DataFrame(
        {
            "USUBJID": subject,
            "AVISIT": _coded(visit, VISIT_NAMES),
            "AVISITN": VISIT_NUMBERS[visit],
            "YEARS": course.chances.days[visit, subject] / YEAR,
            "AVAL": fvc[visit, subject],
            "BASE": fvc[0, subject],
            "CHG": (fvc - fvc[0])[visit, subject],
            "TRT01P": _coded(subjects.arm[subject], ARMS),
            "SEX": _coded(subjects.male[subject].astype(int), ("F", "M")),
            "AGE": subjects.age[subject],
            "HEIGHT": subjects.height[subject],
            "REGION": _factor(subjects.enrolment.region, subject),
            "BACKGROUND": _factor(subjects.background, subject),
        }
    )


def _factor(values: NDArray[np.object_], subject: NDArray[np.intp]) -> pd.Categorical:
    """A subject's level in each of its rows; coded by subject, for rows are many."""
    codes, levels = pd.factorize(values, sort=True)
    return _coded(codes[subject], levels)


def _coded(codes: Any, levels: Any) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, pd.Index(levels), ordered=True)
