"""Ranks with death worst, and single imputation by rule, as a protocol asks for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eventful_trial import (
    DEATHS,
    eventful_protocol,
    eventful_subjects,
    eventful_trial,
    inputs_of,
    task_of,
)

import trialmlm as tm
from trialmlm.batch.carry import missing_of, records_for
from trialmlm.batch.carry_out import carry_out
from trialmlm.protocol.missing import Missing

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.batch.inputs import Inputs

RANKS = """\
  ranks:
    role: supplementary
    estimand: RANKED
    method: {rank_ancova: [BASE]}

outputs:
"""
ESTIMAND = """\
  RANKED:
    like: E1
    question: change at Week 12, death being worse than any value
    events: {death: {strategy: composite, failure: worst-rank}}
    summary: difference in mean rank
"""


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    text = eventful_protocol("treatment-policy").replace("outputs:\n", RANKS, 1)
    text = text.replace("\nanalyses:\n", ESTIMAND + "\nanalyses:\n", 1)
    return inputs_of(eventful_trial(tmp_path_factory.mktemp("ranks"), protocol=text))


def test_ranks_are_those_of_the_function_with_the_dead_ordered_by_their_day(
    trial: Inputs,
) -> None:
    task = task_of(trial, "ranks")
    assert task.failures is not None
    assert task.failures.to_dict() == {name: float(day) for name, day in DEATHS.items()}
    results = carry_out(task)
    at = task.frame[task.frame["AVISIT"] == "Week 12"]
    at = at.assign(DAY=at["USUBJID"].map(DEATHS)).reset_index(drop=True)
    direct = tm.rank_ancova(at, value="CHG", arm="TRT01P", covariates=["BASE"], died="DAY",
                            control="Placebo")  # fmt: skip
    rows = direct.frame.set_index("contrast")
    keys = {"analysis": "ranks", "method": "RANK", "endpoint": "score_change",
            "population": "efficacy", "quantity": "rank-difference", "arm": "HIGH",
            "versus": "PBO"}  # fmt: skip
    for name in ("estimate", "std_error", "p_value"):
        assert results.value(statistic=name, **keys) == rows.loc["High - Placebo", name]
    (record,) = results.analyses
    assert record.assumption == (
        "Death: worst ranks, the earlier the worse. Others without a value are left out."
    )


def test_the_worst_case_is_the_worst_change_of_anybody_at_the_visit(trial: Inputs) -> None:
    found, frame = records_for(trial, "score_change", "efficacy", Missing(method="worst-case"))
    worst = found.frame.groupby(found.frame["AVISIT"].astype(str))["CHG"].min()
    filled = frame[frame["DTYPE"] == "WORST CASE"]
    assert len(filled) > 0
    assert filled["CHG"].tolist() == filled["AVISIT"].astype(str).map(worst).tolist()
    assert (filled["AVAL"] - filled["BASE"]).tolist() == pytest.approx(filled["CHG"].tolist())
    assert any("Comparator, not a primary method" in note for note in found.notes)


def test_the_baseline_carried_forward_is_no_change(trial: Inputs) -> None:
    _, frame = records_for(trial, "score_change", "efficacy", missing_of("bocf"))
    filled = frame[frame["DTYPE"] == "BOCF"]
    assert len(filled) > 0
    assert (filled["CHG"] == 0.0).all()
    assert (filled["AVAL"] == filled["BASE"]).all()


def test_the_worst_value_so_far_is_the_lowest_where_higher_is_better(trial: Inputs) -> None:
    _, frame = records_for(trial, "score", "efficacy", missing_of("wocf"))
    for _, own in frame.groupby("USUBJID"):
        so_far = own["AVAL"].cummin()
        filled = own["DTYPE"] == "WOCF"
        assert own.loc[filled, "AVAL"].tolist() == so_far[filled].tolist()


def test_ranks_are_of_the_rows_kept_alone(tmp_path: Path) -> None:
    kept = RANKS.replace("    method:", "    rows: {where: \"SEX == 'M'\"}\n    method:")
    text = eventful_protocol("treatment-policy").replace("outputs:\n", kept, 1)
    text = text.replace("\nanalyses:\n", ESTIMAND + "\nanalyses:\n", 1)
    task = task_of(inputs_of(eventful_trial(tmp_path, protocol=text)), "ranks")
    assert set(task.frame["SEX"]) == {"M"}
    # who has no value at the visit is there, for an event may rank it
    assert set(task.frame["USUBJID"]) & set(DEATHS)
    assert (task.frame.groupby("USUBJID").size() == 3).all()


@pytest.mark.parametrize(
    ("visit", "window", "failed"),
    [("Week 4", "[72, 99]", {"S-004"}), ("Week 12", "[72, null]", {"S-004", "S-008"})],
)
def test_an_event_after_the_visit_ranks_nobody(
    visit: str, window: str, failed: set[str], tmp_path: Path
) -> None:
    """S-004 dies on day 30 and S-008 on day 60; S-012, here, long after the last visit."""
    text = eventful_protocol("treatment-policy").replace("outputs:\n", RANKS, 1)
    at = ESTIMAND.replace(
        "    events", f"    variable: {{value_of: score_change, at: {visit}}}\n    events"
    )
    text = text.replace("\nanalyses:\n", at + "\nanalyses:\n", 1).replace("[72, 99]", window)
    adsl = eventful_subjects()
    adsl.loc[adsl["USUBJID"] == "S-012", "DTHDT"] = "2030-01-01"
    task = task_of(inputs_of(eventful_trial(tmp_path, protocol=text, adsl=adsl)), "ranks")
    assert task.failures is not None
    assert set(task.failures.index) == failed
