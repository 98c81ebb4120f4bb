"""Columns that several data sets share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.simulate.reported import STUDY

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trialmlm.simulate.reported import Reported

    Texts = NDArray[np.object_]
    Columns = dict[str, Any]

#: what every record of every data set says of itself
ORIGIN = "SIMULATED"


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


def origin(count: int) -> Columns:
    """Say of every record that it is simulated."""
    return {"ORIGIN": np.full(count, ORIGIN, dtype=object)}


def flag(mask: NDArray[np.bool_], yes: str = "Y", no: str = "") -> Texts:
    """Write a mask as a flag."""
    words: Texts = np.array([no, yes], dtype=object)[mask.astype(int)]
    return words
