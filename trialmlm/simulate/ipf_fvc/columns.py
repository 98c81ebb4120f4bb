"""Columns that several data sets of this design share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.simulate.columns import flag
from trialmlm.simulate.ipf_fvc.reported import STUDY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.reported import Reported

    Columns = dict[str, Any]


def identity(trial: Reported, of: NDArray[np.int64]) -> Columns:
    """Who a record is of: the subjects at positions `of`."""
    subjects = trial.course.subjects
    return {
        "STUDYID": np.full(len(of), STUDY, dtype=object),
        "USUBJID": trial.subject[of],
        "SITEID": subjects.enrolment.site[of],
        "TRT01P": trial.arm[of],
        "TRT01PN": subjects.arm[of] + 1,
    }


def covariates(trial: Reported, of: NDArray[np.int64]) -> Columns:
    """What models adjust for, beside the records."""
    subjects = trial.course.subjects
    return {
        "AGE": subjects.age[of].astype(int),
        "SEX": flag(subjects.male[of], "M", "F"),
        "HEIGHT": subjects.height[of].astype(int),
        "STRATAR1": subjects.enrolment.region[of],
        "STRATAR2": subjects.background[of],
    }
