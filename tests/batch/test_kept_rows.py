"""The rows an analysis keeps, and the baseline as one more value of each subject."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from eventful_trial import (
    eventful_protocol,
    eventful_trial,
    inputs_of,
    measured,
    task_of,
)
from small_trial import records, subjects

from trialmlm.batch.kept_rows import with_baseline
from trialmlm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.batch.inputs import Inputs


def _with_rows(rows: str, rescue: str = "treatment-policy") -> str:
    at = "    role: comparator\n    estimand: E1\n"
    return eventful_protocol(rescue).replace(at, f"{at}    rows: {rows}\n", 1)


def _at_week_12() -> set[str]:
    return set(measured().query("AVISIT == 'Week 12'")["USUBJID"])


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(eventful_trial(tmp_path_factory.mktemp("rows"), rescue="treatment-policy"))


def test_completers_are_the_subjects_observed_at_the_visit_with_all_their_rows(
    tmp_path: Path,
) -> None:
    text = _with_rows("{observed_at: Week 12}")
    frame = task_of(inputs_of(eventful_trial(tmp_path, protocol=text)), "locf").frame
    meant = set(subjects().query("EFFFL == 'Y'")["USUBJID"])
    assert set(frame["USUBJID"]) <= _at_week_12() & meant
    # by LOCF a subject that is not observed at Week 12 has a value there: it is no completer
    assert set(frame["AVISIT"].astype(str)) == {"Week 4", "Week 8", "Week 12"}


def test_the_account_says_which_rows_are_kept_and_counts_them(tmp_path: Path) -> None:
    text = _with_rows("{observed_at: Week 12}")
    task = task_of(inputs_of(eventful_trial(tmp_path, protocol=text)), "locf")
    carried, kept = task.records.account.steps[-2:]
    assert carried.name == "with the last value carried forward"
    assert kept.name == "rows kept: subjects with a value at Week 12"
    assert (kept.records_in, kept.records) == (carried.records, len(task.frame))
    assert kept.lost == carried.subjects - task.frame["USUBJID"].nunique() > 0


def test_a_value_that_is_set_aside_makes_no_completer(tmp_path: Path) -> None:
    text = _with_rows("{observed_at: Week 12}", rescue="hypothetical")
    frame = task_of(inputs_of(eventful_trial(tmp_path, protocol=text)), "locf").frame
    assert {"S-001", "S-005"} <= _at_week_12()
    assert not {"S-001", "S-005", "S-009"} & set(frame["USUBJID"])
    assert "S-002" in set(frame["USUBJID"])


def test_where_keeps_the_rows_that_satisfy_it(tmp_path: Path) -> None:
    text = _with_rows('{where: "BASE > 50"}')
    frame = task_of(inputs_of(eventful_trial(tmp_path, protocol=text)), "locf").frame
    assert (frame["BASE"] > 50).all()
    assert frame.index.tolist() == list(range(len(frame)))


def test_the_baseline_is_one_row_of_each_subject_who_has_one(trial: Inputs) -> None:
    found = trial.analysis_set("score", "efficacy", locf_records=False)
    together = with_baseline(trial, found, found.frame)
    rows = together[together["AVISIT"] == "Baseline"]
    assert rows["USUBJID"].is_unique
    assert set(rows["USUBJID"]) == set(subjects().query("EFFFL == 'Y'")["USUBJID"])
    assert rows["AVAL"].tolist() == rows["BASE"].tolist()
    assert (rows["CHG"] == 0.0).all()
    pd.testing.assert_frame_equal(
        together[together["AVISIT"] != "Baseline"]
        .sort_values(["USUBJID", "AVISIT"])[["USUBJID", "AVAL", "YEARS"]]
        .reset_index(drop=True),
        found.frame.sort_values(["USUBJID", "AVISIT"])[["USUBJID", "AVAL", "YEARS"]].reset_index(
            drop=True
        ),
    )


def test_arms_and_visits_keep_their_order(trial: Inputs) -> None:
    frame = task_of(trial, "slope").frame
    assert frame["TRT01P"].cat.categories.tolist() == ["Placebo", "Low", "High"]
    assert frame["AVISIT"].cat.categories.tolist() == ["Baseline", "Week 4", "Week 8", "Week 12"]
    assert frame["USUBJID"].is_monotonic_increasing


def test_a_subject_with_nothing_after_the_baseline_has_one_row(tmp_path: Path) -> None:
    made = records(subjects())
    only = made[(made["USUBJID"] != "S-002") | (made["AVISIT"] == "Baseline")]
    inputs = inputs_of(eventful_trial(tmp_path, rescue="treatment-policy", adqs=only))
    frame = task_of(inputs, "slope").frame
    own = frame[frame["USUBJID"] == "S-002"]
    assert own["AVISIT"].tolist() == ["Baseline"]
    assert own["SEX"].notna().all()


def test_a_subject_without_a_baseline_has_no_row(tmp_path: Path) -> None:
    made = records(subjects())
    lacking = made[(made["USUBJID"] != "S-002") | (made["AVISIT"] != "Baseline")]
    rule = "record: last-on-or-before-day-1"
    text = eventful_protocol().replace(rule, f"{rule}, required: false")
    inputs = inputs_of(eventful_trial(tmp_path, protocol=text, adqs=lacking))
    assert "S-002" not in set(task_of(inputs, "slope").frame["USUBJID"])


@pytest.mark.parametrize(("shift", "years"), [(0, 0.0), (-1, -1 / 365.25), (-10, -10 / 365.25)])
def test_the_baseline_stands_at_its_own_day_and_there_is_no_day_0(
    tmp_path: Path, shift: int, years: float
) -> None:
    made = records(subjects())
    one = (made["USUBJID"] == "S-001") & (made["AVISIT"] == "Baseline")
    moved = pd.to_datetime(made.loc[one, "ADT"]) + pd.Timedelta(days=shift)
    made.loc[one, "ADT"] = moved.dt.strftime("%Y-%m-%d")
    inputs = inputs_of(eventful_trial(tmp_path, rescue="treatment-policy", adqs=made))
    frame = task_of(inputs, "slope").frame
    own = frame[(frame["USUBJID"] == "S-001") & (frame["AVISIT"] == "Baseline")]
    assert own["YEARS"].tolist() == pytest.approx([years])


def test_years_of_visits_are_days_since_the_first_dose(trial: Inputs) -> None:
    frame = task_of(trial, "slope").frame
    own = frame[(frame["USUBJID"] == "S-003") & (frame["AVISIT"] != "Baseline")]
    days = measured().query("USUBJID == 'S-003' and AVISIT != 'Baseline'")["DAY"]
    assert own["YEARS"].tolist() == pytest.approx([(day - 1) / 365.25 for day in days])


def test_a_slope_without_a_time_is_refused_where_it_stands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = eventful_protocol().replace("  time: {name: YEARS, days_per_year: 365.25}\n", "")
    file = eventful_trial(tmp_path, protocol=text)
    assert main(["run", str(file), "--out", str(tmp_path / "out")]) == 2
    assert "estimands.SLOPE: a slope needs schedule.time" in capsys.readouterr().err
