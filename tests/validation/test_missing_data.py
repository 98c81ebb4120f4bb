"""The program of the truth table: what it assembles, what it says, and what is committed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from trialmlm.batch import power
from trialmlm.batch.performance import Measures, Performance, Simulated
from trialmlm.batch.power import left_out
from trialmlm.simulate.designs import DESIGNS
from validation.missing_data.__main__ import JSON, PAGE, main
from validation.missing_data.assembled import HERE, assembled
from validation.missing_data.report import _words
from validation.missing_data.scenarios import SCENARIOS

if TYPE_CHECKING:
    from pathlib import Path

NOTHING = Simulated(0.0, 0.0)
ROW = Performance(
    "default",
    "A1",
    "MMRM",
    "main",
    "E1",
    "own",
    100,
    0,
    Measures(NOTHING, NOTHING, Simulated(0.2, 0.1), NOTHING, NOTHING, NOTHING, NOTHING, NOTHING),
)


@pytest.mark.parametrize("design", SCENARIOS)
def test_every_method_of_the_table_can_be_tried_out(design: str, tmp_path: Path) -> None:
    protocol = assembled(design, tmp_path)
    assert left_out(protocol) == {}
    assert {protocol.analysis(name).role for name in protocol.analysis_names} == {
        "main",
        "sensitivity",
        "supplementary",
        "comparator",
    }


@pytest.mark.parametrize("design", SCENARIOS)
def test_every_scenario_of_the_table_is_one_of_the_design(design: str) -> None:
    assert set(SCENARIOS[design]) <= set(DESIGNS[design].scenarios)


def test_the_words_name_what_is_beyond_three_monte_carlo_errors_and_nothing_else() -> None:
    far = replace(ROW, label="LOCF", measures=replace(ROW.measures, bias=Simulated(-0.31, 0.1)))
    said = _words([ROW, far])
    assert said == "Against its own estimand, beyond 3 Monte-Carlo errors: LOCF (-0.31)."
    assert _words([ROW]) == "Against its own estimand: no bias beyond 3 Monte-Carlo errors among 1."


def test_no_words_declare_a_method_unbiased(tmp_path: Path) -> None:
    told = [
        *(text for words in SCENARIOS.values() for text in words.values()),
        *(protocol.read_text() for protocol in HERE.glob("*.yaml")),
        *(program.read_text() for program in HERE.glob("*.py")),
    ]
    assert not any("unbiased" in text.lower() for text in told)


def test_three_trials_make_a_page_that_goes_on_when_called_again(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(power, "POPULATION", power.CHUNK)
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    asked = ["--design", "mdd_madrs", "--scenario", "off_drug", "--out", str(tmp_path)]
    assert main([*asked, "--trials", "3", "--workers", "1"]) == 0
    first = capsys.readouterr().out
    assert main([*asked, "--trials", "3", "--workers", "1"]) == 0
    assert capsys.readouterr().out == first
    assert "### `off_drug`: 3 trials" in first
    assert "| Retrieved dropout [rubin] | sensitivity | E1 (own) |" in first
    assert "| MMRM, values on drug | supplementary | E1 (main) |" in first


def test_the_committed_table_has_every_scenario_with_two_thousand_trials() -> None:
    if not (HERE / JSON).exists():
        pytest.skip(f"{JSON} is not written yet")
    held = json.loads((HERE / JSON).read_text(encoding="utf-8"))
    page = (HERE / PAGE).read_text(encoding="utf-8")
    assert set(held) == set(SCENARIOS)
    for design, record in held.items():
        assert set(record["truths"]) == set(SCENARIOS[design])
        assert all(row["trials"] + row["failed"] >= 2000 for row in record["performance"])
        for row in record["performance"]:
            assert (
                f"| {row['label']} | {row['role']} | {row['estimand']} ({row['scored_as']}) |"
                in page
            )
