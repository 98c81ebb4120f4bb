"""What every test may ask for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


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
