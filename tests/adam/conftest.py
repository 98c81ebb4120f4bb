"""A small trial: four subjects, two arms, a baseline and two visits."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from trialmlm.adam.analysis_set import AnalysisSetSpec
from trialmlm.adam.arms import Arm
from trialmlm.adam.baseline import LastOnOrBeforeDay1
from trialmlm.adam.dataset import Dataset
from trialmlm.adam.roles import RecordRoles, SubjectRoles
from trialmlm.adam.windows import Schedule, Window

if TYPE_CHECKING:
    from collections.abc import Callable

#: subject, study date, value, the data's own visit, its number, baseline, change, flags
_RECORDS = [
    ("01", "2026-01-01", 10.0, "Baseline", 0, 10.0, None, "Y"),
    ("01", "2026-01-15", 12.0, "Week 2", 2, 10.0, 2.0, ""),
    ("01", "2026-01-29", 13.0, "Week 4", 4, 10.0, 3.0, ""),
    ("02", "2025-12-31", 20.0, "Baseline", 0, 20.0, None, "Y"),
    ("02", "2026-01-14", 19.0, "Week 2", 2, 20.0, -1.0, ""),
    ("03", "2026-01-01", 30.0, "Baseline", 0, 30.0, None, "Y"),
    ("04", "2026-01-01", 40.0, "Baseline", 0, 40.0, None, "Y"),
    ("04", "2026-01-30", 44.0, "Week 4", 4, 40.0, 4.0, ""),
]


@pytest.fixture
def as_dataset() -> Callable[[pd.DataFrame, str], Dataset]:
    def wrap(frame: pd.DataFrame, name: str) -> Dataset:
        reset = frame.reset_index(drop=True)
        return Dataset(name, Path(f"{name}.csv"), reset, {}, "", {}, None, "0" * 64)

    return wrap


@pytest.fixture
def adsl() -> pd.DataFrame:
    day_1 = pd.Series(pd.to_datetime(["2026-01-01"] * 4)).astype("datetime64[us]")
    return pd.DataFrame({
        "USUBJID": ["01", "02", "03", "04"],
        "TRT01P": ["Placebo", "Active", "Active", "Placebo"],
        "TRTSDT": day_1,
        "SEX": ["F", "M", "F", "M"],
        "SAFFL": ["Y", "Y", "Y", "Y"],
    })  # fmt: skip


@pytest.fixture
def adqs() -> pd.DataFrame:
    names = ["USUBJID", "ADT", "AVAL", "AVISIT", "AVISITN", "BASE", "CHG", "ABLFL"]
    frame = pd.DataFrame(_RECORDS, columns=names)
    dates = pd.to_datetime(frame["ADT"]).astype("datetime64[us]")
    return frame.assign(ADT=dates, PARAMCD="TOT", DTYPE="", ANL01FL="Y", VISIT="SCHEDULED")


@pytest.fixture
def spec() -> AnalysisSetSpec:
    return AnalysisSetSpec(
        subjects=SubjectRoles("adsl", "USUBJID", "TRT01P", dates={"first_dose": "TRTSDT"}),
        records=RecordRoles(
            "adqs", "USUBJID", "AVAL", "PARAMCD", "TOT", date="ADT", visit="AVISIT",
            visit_number="AVISITN", base="BASE", change="CHG", baseline_flag="ABLFL",
            analysis_flag="ANL01FL",
        ),
        arms=(Arm("Active", "Active", 2, 50.0), Arm("Placebo", "Placebo", 1, 0.0)),
        schedule=Schedule((Window("Week 2", 15, 2, 22, 2), Window("Week 4", 29, 23, None, 4))),
        baseline=LastOnOrBeforeDay1(),
        day_1="first_dose",
    )  # fmt: skip
