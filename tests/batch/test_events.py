"""Under a hypothetical strategy values after the event are set aside, and no others."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from eventful_trial import DEATHS, RESCUE, eventful_trial, inputs_of, measured, rescues, task_of

from trialmlm.batch.carry import missing_of, records_for
from trialmlm.batch.events import first_dates
from trialmlm.batch.handled import handle_events
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(eventful_trial(tmp_path_factory.mktemp("events")))


def _keys(frame: pd.DataFrame) -> set[tuple[str, str]]:
    return set(zip(frame["USUBJID"], frame["AVISIT"].astype(str), strict=True))


def _found(inputs: Inputs) -> AnalysisSet:
    return inputs.analysis_set("score", "efficacy", locf_records=False)


def _kept(inputs: Inputs, estimand: str | None, found: AnalysisSet | None = None) -> pd.DataFrame:
    return handle_events(inputs, estimand, found or _found(inputs)).frame


def _after(events: dict[str, int]) -> set[tuple[str, str]]:
    """Records of the data after a subject's event; one on its day is not after it."""
    made = measured()
    later = made["DAY"] > made["USUBJID"].map(events)
    return _keys(made[later & (made["AVISIT"] != "Baseline")])


def test_exactly_the_records_after_the_first_event_are_set_aside(trial: Inputs) -> None:
    frame = _found(trial).frame
    kept = _kept(trial, "SLOPE")
    gone = _keys(frame) - _keys(kept)
    assert gone == (_after(RESCUE) | _after(DEATHS)) & _keys(frame)
    assert gone
    assert kept.index.tolist() == list(range(len(kept)))


def test_the_first_of_several_events_counts(trial: Inputs) -> None:
    found = first_dates(trial, "rescue")
    assert set(found.index) == set(RESCUE)
    dates = rescues().query("CMCLAS == 'RESCUE'").groupby("USUBJID")["ASTDT"].min()
    assert found.dt.strftime("%Y-%m-%d").to_dict() == dates.to_dict()


def test_the_account_counts_what_is_set_aside(trial: Inputs) -> None:
    endpoint = "score"
    plain = trial.analysis_set(endpoint, "efficacy", locf_records=False).account.steps
    found, frame = records_for(trial, endpoint, "efficacy", None, "SLOPE")
    *before, step = found.account.steps
    assert tuple(before) == plain
    assert step.name.startswith("not after an event set aside (")
    assert (step.records, step.subjects) == (len(frame), frame["USUBJID"].nunique())
    assert step.records_in == plain[-1].records
    assert step.dropped > 0


def test_treatment_policy_sets_nothing_aside(tmp_path: Path) -> None:
    inputs = inputs_of(eventful_trial(tmp_path, rescue="treatment-policy"))
    gone = _keys(_found(inputs).frame) - _keys(_kept(inputs, "SLOPE"))
    assert gone == _after(DEATHS) & _keys(_found(inputs).frame)


def test_without_an_estimand_nothing_is_set_aside(trial: Inputs) -> None:
    assert _kept(trial, None) is _found(trial).frame


def test_values_are_set_aside_before_the_last_one_is_carried_forward(trial: Inputs) -> None:
    _, carried = records_for(trial, "score_change", "efficacy", missing_of("locf"), "E1")
    before = measured().query("USUBJID == 'S-001' and 1 < DAY <= 40")
    (kept,) = before["CHG"]
    own = carried[carried["USUBJID"] == "S-001"].sort_values("AVISIT")
    assert own["CHG"].tolist() == pytest.approx([kept] * 3)
    assert own["DTYPE"].tolist() == ["", "LOCF", "LOCF"]


def test_a_subject_whose_every_value_is_set_aside_is_not_analysed_by_a_model_of_changes(
    trial: Inputs,
) -> None:
    task = task_of(trial, "mmrm")
    assert "S-009" in set(trial.analysis_set("score", "efficacy", locf_records=False).frame.USUBJID)
    assert "S-009" not in set(task.frame["USUBJID"])


def test_in_a_model_of_the_course_that_subject_keeps_the_baseline(trial: Inputs) -> None:
    frame = task_of(trial, "slope").frame
    assert frame.loc[frame["USUBJID"] == "S-009", "AVISIT"].tolist() == ["Baseline"]


@pytest.mark.parametrize("date", ["", "2026-03", "2026-02-30", "UN"])
def test_an_event_without_a_whole_date_is_listed(tmp_path: Path, date: str) -> None:
    adcm = rescues()
    adcm.loc[1, "ASTDT"] = date
    inputs = inputs_of(eventful_trial(tmp_path, adcm=adcm))
    with pytest.raises(DataError, match=r"1 event\(s\) rescue without a date in ASTDT") as caught:
        first_dates(inputs, "rescue")
    assert "S-001" in str(caught.value)


def test_a_date_that_only_another_kind_of_record_lacks_does_not_matter(tmp_path: Path) -> None:
    adcm = rescues()
    adcm.loc[adcm["CMCLAS"] == "OTHER", "ASTDT"] = ""
    assert len(first_dates(inputs_of(eventful_trial(tmp_path, adcm=adcm)), "rescue")) == len(RESCUE)


def test_an_event_that_nobody_had_sets_nothing_aside(tmp_path: Path) -> None:
    adcm = rescues().query("CMCLAS == 'OTHER'")
    inputs = inputs_of(eventful_trial(tmp_path, adcm=adcm))
    gone = _keys(_found(inputs).frame) - _keys(_kept(inputs, "E1"))
    assert gone == _after(DEATHS) & _keys(_found(inputs).frame)


def _with(found: AnalysisSet, frame: pd.DataFrame) -> AnalysisSet:
    return replace(found, frame=frame)


def test_records_without_dates_cannot_be_told_from_those_after_the_event(trial: Inputs) -> None:
    found = _found(trial)
    frame = found.frame
    with pytest.raises(DataError, match="map it"):
        handle_events(trial, "E1", _with(found, frame.drop(columns="ADT")))
    one = frame.index[frame["USUBJID"] == "S-001"][0]
    undated = frame.assign(ADT=frame["ADT"].mask(frame.index == one))
    with pytest.raises(DataError, match="1 have none") as caught:
        handle_events(trial, "E1", _with(found, undated))
    assert "S-001" in str(caught.value)


def test_a_missing_date_of_a_subject_without_the_event_does_not_matter(trial: Inputs) -> None:
    found = _found(trial)
    undated = found.frame.assign(ADT=found.frame["ADT"].mask(found.frame["USUBJID"] == "S-002"))
    assert _keys(_kept(trial, "E1", _with(found, undated))) == _keys(_kept(trial, "E1"))


def test_an_event_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    inputs = inputs_of(eventful_trial(tmp_path, adcm=rescues().drop(columns="ASTDT")))
    with pytest.raises(DataError, match="ASTDT"):
        first_dates(inputs, "rescue")
