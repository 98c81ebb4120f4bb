"""The same data set is the same, whatever the format it comes in."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from dataset_writers import WRITERS, formats
from small_trial import records, subjects

from trialmlm.adam.read import READERS, read_dataset
from trialmlm.deferred import Deferred
from trialmlm.errors import NotAvailableError

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.adam.dataset import Dataset

LABELS = {"USUBJID": "Unique Subject Identifier", "TRTSDT": "Date of First Exposure"}
#: formats that carry labels
LABELLED = sorted(set(WRITERS) - {".csv"})


def _dated(frame: pd.DataFrame, column: str) -> pd.DataFrame:
    return frame.assign(**{column: pd.to_datetime(frame[column]).astype("datetime64[us]")})


FRAMES = {
    "adsl": _dated(subjects(), "TRTSDT"),
    "adqs": _dated(records(subjects()), "ADT").assign(CHG=lambda d: d["CHG"].astype(float)),
}


def through(suffix: str, frame: pd.DataFrame, name: str, folder: Path) -> Dataset:
    """Write a data set in a format and read it."""
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = folder / f"{name}{suffix}"
    labels = {column: label for column, label in LABELS.items() if column in frame}
    WRITERS[suffix](path, frame, labels, "A small trial")
    return read_dataset(path)


@pytest.mark.parametrize("name", FRAMES)
@pytest.mark.parametrize("suffix", sorted(READERS))
def test_a_trial_is_the_same_in_every_format(suffix: str, name: str, tmp_path: Path) -> None:
    dataset = through(suffix, FRAMES[name], name, tmp_path)
    pd.testing.assert_frame_equal(dataset.frame, FRAMES[name])
    assert dataset.special_missing is None


@pytest.mark.parametrize("suffix", LABELLED)
def test_labels_formats_and_names_come_along(suffix: str, tmp_path: Path) -> None:
    dataset = through(suffix, FRAMES["adsl"], "adsl", tmp_path)
    assert (dataset.name, dataset.label) == ("ADSL", "A small trial")
    assert dataset.labels == LABELS
    assert dataset.formats == formats(FRAMES["adsl"])


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".json", ".ndjson"])
def test_a_data_set_without_rows_keeps_its_columns(suffix: str, tmp_path: Path) -> None:
    frame = FRAMES["adsl"].iloc[:0][["USUBJID", "SEX"]].assign(SEX="")
    assert list(through(suffix, frame, "adsl", tmp_path).frame) == ["USUBJID", "SEX"]


@pytest.mark.parametrize("suffix", LABELLED)
def test_study_data_survive_every_format(suffix: str, study_data: Path, tmp_path: Path) -> None:
    given = read_dataset(study_data / "cdisc_pilot" / "adsl.xpt")
    if suffix == ".parquet":
        pytest.importorskip("pyarrow")
    path = tmp_path / f"adsl{suffix}"
    WRITERS[suffix](path, given.frame, given.labels, given.label)
    found = read_dataset(path)
    pd.testing.assert_frame_equal(found.frame, given.frame)
    assert found.labels == given.labels


def test_a_library_that_is_not_installed_is_named_with_its_extra() -> None:
    reader = Deferred("pyarrow_is_not_here", "read_parquet", extra="parquet")
    with pytest.raises(NotAvailableError, match=r'pip install "trialmlm\[parquet\]"'):
        reader("adsl.parquet")


def test_a_fault_of_our_own_is_not_taken_for_a_missing_library() -> None:
    with pytest.raises(ModuleNotFoundError):
        Deferred("trialmlm.not_a_module", "read", extra="parquet")()


def test_no_optional_library_is_loaded_before_it_is_needed() -> None:
    program = (
        "import sys, trialmlm, trialmlm.batch.commands\n"
        "print(*{'openpyxl', 'pyarrow.parquet', 'pyreadstat', 'jinja2'} & set(sys.modules))"
    )
    found = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert found.stdout.split() == []
