"""CDISC Pilot 01: the record selection of its clinical study report comes out.

Counts: Table 14-3.10 and 14-3.11 of the report (27 June 2006), windows of its plan, section 8.2.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from trialmlm.adam.analysis_set import AnalysisSet, AnalysisSetSpec, build
from trialmlm.adam.arms import Arm
from trialmlm.adam.baseline import LastOnOrBeforeDay1
from trialmlm.adam.read import find_dataset, read_dataset
from trialmlm.adam.roles import RecordRoles, SubjectRoles
from trialmlm.adam.windows import InWindow, Schedule, Window
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from pathlib import Path

SPEC = AnalysisSetSpec(
    subjects=SubjectRoles("adsl", "USUBJID", "TRT01P", "SITEGR1", {"first_dose": "TRTSDT"}),
    records=RecordRoles(
        "adqsadas", "USUBJID", "AVAL", "PARAMCD", "ACTOT", date="ADT", visit="AVISIT",
        visit_number="AVISITN", base="BASE", change="CHG", baseline_flag="ABLFL",
        derivation="DTYPE", analysis_flag="ANL01FL",
    ),
    arms=(
        Arm("Placebo", "Placebo", 1, 0.0),
        Arm("Xanomeline Low Dose", "Xanomeline low", 2, 54.0),
        Arm("Xanomeline High Dose", "Xanomeline high", 3, 81.0),
    ),
    schedule=Schedule((
        Window("Week 8", 56, 2, 84, 8),
        Window("Week 16", 112, 85, 140, 16),
        Window("Week 24", 168, 141, None, 24),
    )),
    values="read",
    day_1="first_dose",
    population=read_where("EFFFL == 'Y'"),
)  # fmt: skip
DERIVED = {"values": "derived", "baseline": LastOnOrBeforeDay1()}
OBSERVED = {"Week 8": [79, 81, 74], "Week 16": [68, 42, 40], "Week 24": [65, 49, 41]}


def analysed(folder: Path, name: str = "adqsadas", **changes: object) -> AnalysisSet:
    data = folder / "cdisc_pilot"
    subjects = read_dataset(find_dataset(data, "adsl"), rows=254)
    records = read_dataset(find_dataset(data, name))
    return build(subjects, records, replace(SPEC, **changes))  # type: ignore[arg-type]


def counts(analysis: AnalysisSet) -> dict[str, list[int]]:
    table = analysis.frame.groupby(["AVISIT", "TRT01P"], observed=False).size().unstack()
    return {str(visit): row.tolist() for visit, row in table.iterrows()}


@pytest.mark.parametrize("changes", [{}, DERIVED], ids=["read", "derived"])
def test_read_or_derived_the_539_observed_records_of_234_subjects_come_out(
    changes: dict[str, object], study_data: Path
) -> None:
    analysis = analysed(study_data, **changes)
    steps = analysis.account.steps
    assert (steps[0].records, steps[0].subjects) == (1040, 254)
    assert (steps[-1].records, steps[-1].subjects) == (539, 234)
    assert counts(analysis) == OBSERVED
    assert analysis.discrepancies.empty
    assert len(analysis.baseline) == 234


def test_the_rows_that_are_read_are_the_rows_that_are_derived(study_data: Path) -> None:
    read, derived = analysed(study_data), analysed(study_data, **DERIVED)
    assert read.frame["ROW"].equals(derived.frame["ROW"])
    assert read.frame["CHG"].equals(derived.frame["CHG"])


def test_locf_records_read_from_the_data_fill_every_visit(study_data: Path) -> None:
    carried = analysed(study_data, derived_records=("LOCF",))
    assert {visit: sum(arms) for visit, arms in counts(carried).items()} == dict.fromkeys(
        OBSERVED, 234
    )


def test_the_later_of_two_equally_near_records_changes_the_choice_openly(study_data: Path) -> None:
    later = analysed(study_data, **DERIVED, in_window=InWindow(ties="later"))
    assert counts(later) == OBSERVED
    assert set(later.discrepancies.get("variable", [])) <= {"ANL01FL"}


def test_the_retrieval_visits_count_unless_the_rule_excludes_them(study_data: Path) -> None:
    rule = InWindow(unscheduled="excluded", unscheduled_where=read_where("VISIT == 'RETRIEVAL'"))
    without = analysed(study_data, **DERIVED, in_window=rule)
    assert 0 < len(without.frame) < 539
    assert not (without.frame["VISIT"] == "RETRIEVAL").any()


def test_the_20_subjects_outside_the_efficacy_population_are_excluded(study_data: Path) -> None:
    exclusions = analysed(study_data).exclusions
    assert len(exclusions) == 20
    assert {e.reason for e in exclusions} == {"not in the population: EFFFL == 'Y'"}


def test_a_data_set_without_baseline_can_be_read(study_data: Path) -> None:
    roles = replace(
        SPEC.records, dataset="adqscibc", parameter_value="CIBICVAL", base=None, change=None,
        baseline_flag=None,
    )  # fmt: skip
    analysis = analysed(study_data, "adqscibc", records=roles)
    assert analysis.frame["BASE"].isna().all()
    assert analysis.frame["AVAL"].between(1, 7).all()


def test_the_mean_over_weeks_is_found_by_its_right_justified_text(study_data: Path) -> None:
    roles = replace(SPEC.records, dataset="adqsnpix", parameter_value="NPTOTMN", baseline_flag=None)
    mean = Schedule((Window("Mean", 168, value="Weeks 4-24"),))
    analysis = analysed(
        study_data, "adqsnpix", records=roles, schedule=mean, derived_records=("AVERAGE",)
    )
    assert analysis.frame["AVISITN"].tolist() == [1.0] * len(analysis.frame)
    assert len(analysis.frame) > 200
