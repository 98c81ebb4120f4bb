"""The same input gives the same bytes, whatever the process and the order of the records."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from small_trial import records, subjects, write_trial

from trialmlm.cli import main
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

#: 2026-07-01 12:00 UTC
EPOCH = "1782907200"


def _bytes(folder: Path) -> dict[str, bytes]:
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def _elsewhere(protocol: Path, out: Path, seed: str) -> None:
    """A run in a process of its own, with its own order of sets."""
    known = {**os.environ, "PYTHONHASHSEED": seed, "SOURCE_DATE_EPOCH": EPOCH}
    program = [sys.executable, "-m", "trialmlm", "run", str(protocol), "--out", str(out)]
    subprocess.run(program, check=True, capture_output=True, env=known)


def test_two_runs_give_the_same_bytes_in_every_file(
    small_run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", EPOCH)
    assert main(["run", str(small_run / "protocol.yaml"), "--out", str(tmp_path / "out")]) == 0
    assert _bytes(tmp_path / "out") == _bytes(small_run / "out")


def test_another_process_with_another_hash_seed_gives_the_same_bytes(
    small_run: Path, tmp_path: Path
) -> None:
    _elsewhere(small_run / "protocol.yaml", tmp_path / "out", seed="4711")
    assert _bytes(tmp_path / "out") == _bytes(small_run / "out")


def test_the_order_of_the_records_changes_no_table_and_no_result(
    small_run: Path, small_results: Results, tmp_path: Path
) -> None:
    adqs = records(subjects()).sample(frac=1, random_state=3)
    adsl = subjects().sample(frac=1, random_state=4)
    assert not adqs.index.is_monotonic_increasing
    # in a folder of the same name, which the tables print
    folder = tmp_path / small_run.name
    protocol = write_trial(folder, adsl=adsl, adqs=adqs)
    options = ["--out", str(folder / "out"), "--run-time", "2026-07-01 12:00 UTC"]
    assert main(["run", str(protocol), *options]) == 0
    shuffled = Results.from_json((folder / "out" / "results.json").read_text(encoding="utf-8"))
    assert shuffled.statistics == small_results.statistics
    assert shuffled.analyses == small_results.analyses
    made, before = _bytes(folder / "out"), _bytes(small_run / "out")
    tables = {name for name in before if name.startswith("t_")}
    assert {name for name in tables if made[name] != before[name]} == set()
