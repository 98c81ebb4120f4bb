"""Methods tried out on simulated trials: seeds, workers, interrupts, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trialmlm.batch import power
from trialmlm.batch.executors import Serial
from trialmlm.batch.power import Setting, left_out, setting_of, try_out
from trialmlm.cli import main
from trialmlm.errors import UsageError
from trialmlm.protocol import load_protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

SHIPPED = Path(__file__).parents[2] / "protocols"
MDD = load_protocol(SHIPPED / "mdd_madrs")
QUICK = ("A1.locf",)
FINISHED = "finished_default.json"


@pytest.fixture(autouse=True)
def _small_population(monkeypatch: pytest.MonkeyPatch) -> None:
    """The truth of two chunks: these tests look at how it is found, not at how well."""
    monkeypatch.setattr(power, "POPULATION", 2 * power.CHUNK)


def _setting(seed: int = 3) -> Setting:
    return setting_of(MDD, "default", QUICK, seed)


def test_any_number_of_workers_gives_the_same_bytes(tmp_path: Path) -> None:
    for workers in (1, 2):
        try_out(_setting(), 12, tmp_path / str(workers), workers=workers)
    one, two = ((tmp_path / name / FINISHED).read_bytes() for name in ("1", "2"))
    assert one == two


def test_an_interrupted_call_goes_on_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = try_out(_setting(), 8, tmp_path / "whole")
    done: list[Any] = []

    class Interrupted(Serial):
        def run(self, work: Callable[[Any], Any], tasks: Sequence[Any]) -> Iterator[Any]:
            for pair in super().run(work, tasks):
                done.append(pair)
                if len(done) == 5:
                    raise KeyboardInterrupt
                yield pair

    monkeypatch.setattr(power, "executor_for", lambda workers: Interrupted())
    with pytest.raises(KeyboardInterrupt):
        try_out(_setting(), 8, tmp_path / "cut")
    kept = json.loads((tmp_path / "cut" / FINISHED).read_text())["found"]
    assert len(kept) == 4
    again = try_out(_setting(), 8, tmp_path / "cut")
    # 10 tasks, 4 of them kept: 6 more, and nothing twice
    assert len(done) == 5 + 6
    assert again.trials == whole.trials
    assert again.truths == whole.truths
    assert (tmp_path / "cut" / FINISHED).read_bytes() == (
        tmp_path / "whole" / FINISHED
    ).read_bytes()


def test_more_trials_are_added_to_those_that_are_there(tmp_path: Path) -> None:
    few = try_out(_setting(), 4, tmp_path)
    more = try_out(_setting(), 7, tmp_path)
    assert more.trials[:4] == few.trials
    assert try_out(_setting(), 4, tmp_path).trials == few.trials


def test_another_seed_gives_other_trials_and_wants_another_folder(tmp_path: Path) -> None:
    first = try_out(_setting(3), 3, tmp_path)
    with pytest.raises(UsageError, match="seed was 3, now 4"):
        try_out(_setting(4), 3, tmp_path)
    second = try_out(_setting(4), 3, tmp_path / "other")
    assert first.trials != second.trials


def test_scenarios_with_one_seed_meet_the_same_chance(tmp_path: Path) -> None:
    frozen = setting_of(MDD, "frozen_early_active", QUICK, 3)
    moving = setting_of(MDD, "early_active", QUICK, 3)
    # what becomes of who leaves is not seen: the data are the same, the truth is not
    assert try_out(frozen, 3, tmp_path).trials == try_out(moving, 3, tmp_path).trials


@pytest.mark.parametrize("trials", [0, 2])
def test_fewer_than_three_trials_are_refused(trials: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected at least 3"):
        try_out(_setting(), trials, tmp_path)


def test_what_is_asked_is_checked_before_anything_is_simulated() -> None:
    with pytest.raises(UsageError, match="did you mean 'mcar'"):
        setting_of(MDD, "mca")
    with pytest.raises(UsageError, match="found the analysis 'A9'"):
        setting_of(MDD, only=["A9"])
    with pytest.raises(UsageError, match="whole number from 0"):
        setting_of(MDD, seed=-1)
    with pytest.raises(UsageError, match="imputations: found 1"):
        setting_of(MDD, imputations=1)
    with pytest.raises(UsageError, match="does not say how its data are simulated"):
        setting_of(load_protocol(SHIPPED / "cdisc_pilot_adas"))


def test_a_protocol_with_other_visits_than_the_design_is_refused() -> None:
    assert MDD.schedule is not None
    fewer = MDD.schedule.model_copy(update={"visits": MDD.schedule.visits[:-1]})
    with pytest.raises(UsageError, match="and the design mdd_madrs has Week 1"):
        setting_of(MDD.model_copy(update={"schedule": fewer}))


def test_analyses_that_cannot_be_tried_out_say_why() -> None:
    told = left_out(load_protocol(SHIPPED / "ipf_fvc"))
    assert "A2" not in told
    assert "lowest-decile" in told["A1.dead_worst"]
    assert "delta:" in told["A1.tipping"]


def test_the_command_writes_page_table_and_record(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["power", str(SHIPPED / "mdd_madrs"), "--only", "A1.locf", "--trials", "4"]
    assert main([*arguments, "--scenario", "default", "null", "--out", str(tmp_path)]) == 0
    told = capsys.readouterr()
    page = (tmp_path / "methods_compared.md").read_text()
    assert page in told.out
    assert "12 of 12 done" in told.err
    assert page.count("| ANCOVA with LOCF | comparator | E1 (own) |") == 2
    record = json.loads((tmp_path / "methods_compared.json").read_text())
    assert record["truths"]["null"]["E1"]["difference"] == 0
    assert len(record["performance"]) == 2
    lines = (tmp_path / "methods_compared.csv").read_text().splitlines()
    assert lines[0].startswith("scenario,method,label,role,estimand,scored_as,trials,failed,truth")
    assert len(lines) == 3


def test_without_comparison_the_main_analyses_are_tried_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["power", str(SHIPPED / "mdd_madrs"), "--trials", "3", "--out", str(tmp_path)]
    assert main(arguments) == 0
    page = capsys.readouterr().out
    assert "| MMRM | main | E1 (own) |" in page
    assert "comparator" not in page.split("## Scenario")[1]
