"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from small_trial import write_trial

from trialmlm.cli import main
from trialmlm.results.results import Results


@pytest.fixture(scope="session")
def study_data() -> Path:
    """The folder of real study data, named by TRIALMLM_STUDY_DATA; skips where there is none."""
    named = os.environ.get("TRIALMLM_STUDY_DATA", "")
    if not named or not Path(named).is_dir():
        pytest.skip("no study data: TRIALMLM_STUDY_DATA names no folder")
    return Path(named)


@pytest.fixture(scope="session")
def reference(study_data: Path) -> Path:
    """The folder of reference numbers, beside the study data; skips where there is none."""
    folder = study_data.parent / "reference"
    if not folder.is_dir():
        pytest.skip("no reference numbers beside the study data")
    return folder


@pytest.fixture(scope="session")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the small trial: protocol, data and, under ``out``, what a run of it wrote."""
    folder = tmp_path_factory.mktemp("small")
    protocol = write_trial(folder)
    options = ["--out", str(folder / "out"), "--run-time", "2026-07-01 12:00 UTC"]
    assert main(["run", str(protocol), *options]) == 0
    return folder


@pytest.fixture(scope="session")
def small_results(small_run: Path) -> Results:
    """The results of that run."""
    return Results.from_json((small_run / "out" / "results.json").read_text(encoding="utf-8"))
