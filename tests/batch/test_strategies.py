"""What each strategy of ICH E9(R1) makes of the values after an intercurrent event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest
from eventful_trial import (
    DEATHS,
    RESCUE,
    eventful_protocol,
    eventful_subjects,
    eventful_trial,
    inputs_of,
    measured,
    rescues,
    task_of,
)

from trialmlm.batch.end_patterns import end_patterns
from trialmlm.batch.events_account import (
    Question,
    described_events,
    events_of,
    events_results,
)
from trialmlm.batch.handled import handle_events
from trialmlm.errors import DataError
from trialmlm.results.events import events_frame

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.batch.inputs import Inputs
    from trialmlm.results.events import EventRecord

REASONS = "rescue: {dataset: adcm, where: \"CMCLAS == 'RESCUE'\", date: ASTDT, reason: CMINDC}"
PLAIN = "rescue: {dataset: adcm, where: \"CMCLAS == 'RESCUE'\", date: ASTDT}"
VISITS = ("Week 4", "Week 8", "Week 12")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(eventful_trial(tmp_path_factory.mktemp("ends")))


def _inputs(folder: Path, rescue: str, death: str = "hypothetical", **given: object) -> Inputs:
    """The trial with these ways of dealing with rescue and death in E1."""
    text = eventful_protocol("RESCUE_STRATEGY")
    first = "{rescue: RESCUE_STRATEGY, death: hypothetical}"
    text = text.replace(first, f"{{rescue: {rescue}, death: {death}}}", 1)
    text = text.replace("RESCUE_STRATEGY", "hypothetical")
    return inputs_of(eventful_trial(folder, protocol=text, **given))  # type: ignore[arg-type]


def _frame(inputs: Inputs, estimand: str = "E1") -> pd.DataFrame:
    found = inputs.analysis_set("score_change", "efficacy", locf_records=False)
    return handle_events(inputs, estimand, found).frame


def _of(frame: pd.DataFrame, subject: str, column: str = "CHG") -> dict[str, float]:
    own = frame[frame["USUBJID"] == subject]
    return dict(zip(own["AVISIT"].astype(str), own[column], strict=True))


def _measured(subject: str, until: int) -> dict[str, float]:
    rows = measured().query("USUBJID == @subject and 1 < DAY <= @until")
    return dict(zip(rows["AVISIT"], rows["CHG"], strict=True))


def test_a_stated_value_of_failure_stands_at_every_visit_after_the_event(tmp_path: Path) -> None:
    frame = _frame(_inputs(tmp_path, "{strategy: composite, failure: -20}"))
    kept = _measured("S-001", RESCUE["S-001"])
    assert _of(frame, "S-001") == pytest.approx({"Week 4": kept["Week 4"], "Week 8": -20.0,
                                                 "Week 12": -20.0})  # fmt: skip
    assert _of(frame, "S-009") == dict.fromkeys(VISITS, -20.0)
    made = frame[frame["DTYPE"] == "COMPOSITE"]
    assert (made["AVAL"] - made["BASE"]).tolist() == pytest.approx([-20.0] * len(made))
    assert made[["SEX", "TRT01P", "BASE", "YEARS"]].notna().all(axis=None)


def test_the_dead_who_have_no_value_any_more_fail_as_well(tmp_path: Path) -> None:
    frame = _frame(
        _inputs(tmp_path, "treatment-policy", death="{strategy: composite, failure: -20}")
    )
    assert set(DEATHS) == {"S-004", "S-008"}
    assert _of(frame, "S-004")["Week 8"] == -20.0
    assert _of(frame, "S-004")["Week 12"] == -20.0
    assert _of(frame, "S-008")["Week 12"] == -20.0


def test_failure_as_baseline_is_no_change(tmp_path: Path) -> None:
    frame = _frame(_inputs(tmp_path, "{strategy: composite, failure: baseline}"))
    assert _of(frame, "S-009") == dict.fromkeys(VISITS, 0.0)


def test_failure_as_the_worst_is_what_anybody_had_at_the_visit(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, "{strategy: composite, failure: worst-observed}")
    frame = _frame(inputs)
    observed = frame[frame["DTYPE"] == ""]
    worst = observed.groupby(observed["AVISIT"].astype(str))["CHG"].min()
    assert _of(frame, "S-009") == pytest.approx(worst.to_dict())


def test_while_on_treatment_the_last_value_stands_for_the_later_ones(tmp_path: Path) -> None:
    frame = _frame(_inputs(tmp_path, "while-on-treatment"))
    (last,) = _measured("S-001", RESCUE["S-001"]).values()
    assert list(_of(frame, "S-001").values()) == pytest.approx([last] * 3)
    # rescued before any visit: the last value on treatment is the baseline
    assert _of(frame, "S-009") == dict.fromkeys(VISITS, 0.0)
    assert set(_of(frame, "S-009", "DTYPE").values()) == {"LAST ON TREATMENT"}


def test_a_slope_while_on_treatment_ends_with_it(tmp_path: Path) -> None:
    inputs = inputs_of(eventful_trial(tmp_path, rescue="while-on-treatment"))
    frame = _frame(inputs, "SLOPE")
    assert list(_of(frame, "S-001")) == ["Week 4"]
    assert (frame["DTYPE"] == "").all()


def test_a_reason_may_have_its_own_strategy(tmp_path: Path) -> None:
    adcm = rescues().assign(CMINDC="LACK OF EFFICACY")
    adcm.loc[adcm["USUBJID"] == "S-001", "CMINDC"] = "INTOLERANCE"
    text = eventful_protocol("{strategy: treatment-policy, reasons: {INTOLERANCE: hypothetical}}")
    inputs = inputs_of(eventful_trial(tmp_path, protocol=text.replace(PLAIN, REASONS), adcm=adcm))
    frame = _frame(inputs)
    assert list(_of(frame, "S-001")) == ["Week 4"]
    assert _of(frame, "S-005") == pytest.approx(_measured("S-005", 999))


def test_two_reasons_on_one_day_with_two_strategies_are_refused(tmp_path: Path) -> None:
    adcm = rescues().assign(CMINDC="LACK OF EFFICACY")
    first = adcm[adcm["USUBJID"] == "S-001"].assign(CMINDC="INTOLERANCE")
    text = eventful_protocol("{strategy: treatment-policy, reasons: {INTOLERANCE: hypothetical}}")
    inputs = inputs_of(
        eventful_trial(
            tmp_path,
            protocol=text.replace(PLAIN, REASONS),
            adcm=pd.concat([adcm, first]),
        )
    )
    with pytest.raises(DataError, match="two reasons on one day") as caught:
        _frame(inputs)
    assert "S-001" in str(caught.value)


def test_an_event_of_nobody_is_listed(tmp_path: Path) -> None:
    adcm = rescues()
    adcm.loc[adcm["USUBJID"] == "S-001", "USUBJID"] = "S-999"
    with pytest.raises(DataError, match="not in adsl") as caught:
        _frame(_inputs(tmp_path, "hypothetical", adcm=adcm))
    assert "S-999" in str(caught.value)


def _rescued(day: dict[str, int]) -> pd.DataFrame:
    """Rescue on the days given, counted from the first dose."""
    first = rescues().query("CMCLAS == 'RESCUE'").groupby("USUBJID")["ASTDT"].min()
    rows = [
        (
            name,
            "RESCUE",
            str((pd.Timestamp(first[name]) + pd.Timedelta(days=n - RESCUE[name])).date()),
        )
        for name, n in day.items()
    ]
    return pd.DataFrame(rows, columns=["USUBJID", "CMCLAS", "ASTDT"])


@pytest.mark.parametrize(
    ("death", "rulings", "last"),
    [
        (50, {"rescue": "rules", "death": "rescue rules"}, [-20.0]),
        (30, {"rescue": "rules", "death": "rescue rules"}, [-20.0]),
        (20, {"rescue": "death rules", "death": "rules"}, []),
    ],
    ids=["rescue first", "one day", "death first"],
)
def test_of_two_events_the_first_in_time_rules_and_on_one_day_the_first_of_the_estimand(
    death: int, rulings: dict[str, str], last: list[float], tmp_path: Path
) -> None:
    inputs = _inputs(
        tmp_path,
        "{strategy: composite, failure: -20}",
        adcm=_rescued({"S-001": 30}),
        adsl=_dying("S-001", death),
    )
    assert _rulings(inputs, "S-001") == rulings
    frame = _frame(inputs)
    mine = (frame["USUBJID"] == "S-001") & (frame["AVISIT"] == "Week 12")
    assert frame.loc[mine, "CHG"].tolist() == last


def _dying(subject: str, day: int) -> pd.DataFrame:
    """The subjects, of whom one more dies on a day after the first dose."""
    return eventful_subjects().assign(
        DTHDT=lambda d: d["DTHDT"].where(
            d["USUBJID"] != subject,
            (pd.to_datetime(d["TRTSDT"]) + pd.Timedelta(days=day - 1)).dt.strftime("%Y-%m-%d"),
        )
    )


def test_treatment_policy_gives_way_to_a_later_event(tmp_path: Path) -> None:
    inputs = _inputs(
        tmp_path, "treatment-policy", adcm=_rescued({"S-001": 10}), adsl=_dying("S-001", 60)
    )
    listed = {e.event: e for e in _events(inputs) if e.subject == "S-001"}
    assert (listed["rescue"].visits, listed["rescue"].values) == ("Week 4, Week 8", 2)
    assert (listed["death"].visits, listed["death"].strategy) == ("Week 12", "hypothetical")


def _events(inputs: Inputs) -> tuple[EventRecord, ...]:
    return events_of(inputs, Question("E1", "score_change", "efficacy"))


def _rulings(inputs: Inputs, subject: str) -> dict[str, str]:
    return {e.event: e.ruling for e in _events(inputs) if e.subject == subject}


def test_the_listing_counts_the_very_rows_that_are_set_aside(tmp_path: Path) -> None:
    inputs = _inputs(tmp_path, "hypothetical")
    listed = events_frame(_events(inputs))
    found = inputs.analysis_set("score_change", "efficacy", locf_records=False).frame
    assert listed["values"].sum() == len(found) - len(_frame(inputs))
    assert listed.set_index(["subject", "event"]).loc[("S-012", "rescue"), "ruling"] == (
        "no visit after it"
    )
    by_arm = events_results(inputs.protocol, _events(inputs)).select(
        analysis="events", statistic="values"
    )
    assert sum(s.value for s in by_arm) == listed["values"].sum()
    said = "\n".join(described_events(inputs.protocol, _events(inputs)))
    assert "rescue (hypothetical): 4 subjects; " in said
    assert "in 1 subject no visit after it" in said


def test_values_near_an_event_are_left_out_and_the_baseline_never(tmp_path: Path) -> None:
    text = eventful_protocol("treatment-policy").replace(
        "    label: Random slopes\n",
        "    label: Random slopes\n    rows: {exclude_within: {event: rescue, days: 30}}\n",
    )
    inputs = inputs_of(eventful_trial(tmp_path, protocol=text))
    own = task_of(inputs, "slope").frame.query("USUBJID == 'S-001'")
    days = measured().query("USUBJID == 'S-001' and AVISIT != 'Baseline'")
    rescued = (RESCUE["S-001"], RESCUE["S-001"] + 9)  # every rescue counts
    far = days[[min(abs(day - on) for on in rescued) > 30 for day in days["DAY"]]]
    assert own["AVISIT"].tolist() == ["Baseline", *far["AVISIT"]]
    assert 0 < len(far) < len(days)


def test_values_up_to_an_event_are_those_on_treatment(tmp_path: Path) -> None:
    text = eventful_protocol("treatment-policy").replace(
        "    label: Random slopes\n",
        "    label: Random slopes\n    rows: {before: rescue}\n",
    )
    task = task_of(inputs_of(eventful_trial(tmp_path, protocol=text)), "slope")
    assert task.frame.query("USUBJID == 'S-001'")["AVISIT"].tolist() == ["Baseline", "Week 4"]
    assert task.frame.query("USUBJID == 'S-009'")["AVISIT"].tolist() == ["Baseline"]
    assert task.records.account.steps[-1].name == "rows kept: values up to the day of rescue"


def test_who_has_no_value_at_the_end_is_counted_by_the_event_before_it(trial: Inputs) -> None:
    question = Question("E1", "score_change", "efficacy")
    counts = end_patterns(trial, question).select(visit="Week 12")
    numbers = {(one.group, one.arm): one.value for one in counts}
    frame = trial.analysis_set("score_change", "efficacy", locf_records=False).frame
    there = set(frame.loc[frame["AVISIT"] == "Week 12", "USUBJID"])
    assert sum(n for (group, _), n in numbers.items() if group == "observed") == len(there)
    gone = {"death": DEATHS, "rescue": RESCUE}
    dead = {name for name in gone["death"] if name not in there}
    rescued = {name for name, day in gone["rescue"].items() if name not in there and day <= 99}
    for group, names in (("death", dead), ("rescue", rescued - dead)):
        assert sum(n for (of, _), n in numbers.items() if of == group) == len(names)
    assert sum(numbers.values()) == trial.subjects.frame["EFFFL"].eq("Y").sum()
