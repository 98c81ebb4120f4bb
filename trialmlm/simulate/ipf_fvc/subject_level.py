"""ADSL: one row per subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.simulate.columns import flag, origin
from trialmlm.simulate.ipf_fvc.columns import covariates, identity

if TYPE_CHECKING:
    from trialmlm.simulate.ipf_fvc.columns import Columns
    from trialmlm.simulate.ipf_fvc.questionnaire import Questionnaire
    from trialmlm.simulate.ipf_fvc.reported import Reported


def adsl(trial: Reported, sgrq: Questionnaire) -> pd.DataFrame:
    """Lay out the subjects."""
    everyone = np.arange(len(trial.subject))
    found = identity(trial, everyone)
    numbers = [subject.rsplit("-", 2)[1:] for subject in trial.subject]
    return pd.DataFrame(
        found
        | {"SUBJID": np.array(["-".join(pair) for pair in numbers], dtype=object)}
        | {"TRT01A": found["TRT01P"], "TRT01AN": found["TRT01PN"]}
        | covariates(trial, everyone)
        | _demographics(trial)
        | _disposition(trial)
        | _baseline(trial)
        | {"SGRQBL": sgrq.baseline}
        | origin(len(everyone))
    )


def _demographics(trial: Reported) -> Columns:
    subjects = trial.course.subjects
    yes = np.full(len(subjects), "Y", dtype=object)
    return {
        "AGEU": np.full(len(subjects), "YEARS", dtype=object),
        "AGEGR1": flag(subjects.age >= 65, ">=65", "<65"),
        "RACE": subjects.race,
        "SMOKING": subjects.smoking,
        "RANDFL": yes,
        "ITTFL": yes,
        "SAFFL": yes,
    }


def _disposition(trial: Reported) -> Columns:
    course = trial.course
    first = trial.dates(np.zeros(len(trial.subject)))
    status = {True: "COMPLETED", False: "DISCONTINUED"}
    return {
        "RANDDT": first,
        "TRTSDT": first,
        "TRTEDT": trial.dates(trial.drug_end),
        "TRTDURD": trial.drug_end.astype(int) + 1,
        "EOTSTT": flag(trial.drug_reason == "", status[True], status[False]),
        "DCTREAS": trial.drug_reason,
        "EOSDT": trial.dates(trial.study_end),
        "EOSSTT": flag(trial.completed, status[True], status[False]),
        "DCSREAS": trial.study_reason,
        "DTHFL": flag(course.died),
        "DTHDT": trial.dates(course.death_day),
    }


def _baseline(trial: Reported) -> Columns:
    subjects = trial.course.subjects
    fvc = trial.course.measurable[0]
    percent = np.round(100 * fvc / subjects.predicted, 1)
    return {
        "FVCBL": fvc.astype(int),
        "FVCPRED": np.round(subjects.predicted, 1),
        "FVCPBL": percent,
        "FVCGR1": flag(percent > 70, ">70", "<=70"),
        "DLCOBL": subjects.dlco,
    }
