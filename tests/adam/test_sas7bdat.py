from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from sas7bdat_writer import Variable, write_sas7bdat

from trialmlm.adam.sas7bdat import read_sas7bdat
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.adam.dataset import Dataset


def read(folder: Path, *variables: Variable) -> Dataset:
    path = folder / "demo.sas7bdat"
    write_sas7bdat(path, list(variables), "DEMO")
    return read_sas7bdat(path)


def test_text_loses_its_trailing_blanks_only(tmp_path: Path) -> None:
    found = read(tmp_path, Variable("X", ["é ", "  a", ""], length=4)).frame["X"]
    assert found.tolist() == ["é", "  a", ""]


def test_special_missing_values_are_missing_and_their_letters_kept(tmp_path: Path) -> None:
    dataset = read(tmp_path, Variable("X", [1.5, None, "A", "_", "Z"]), Variable("Y", [1.0] * 5))
    assert dataset.frame["X"].isna().tolist() == [False, True, True, True, True]
    assert dataset.special_missing is not None
    assert dataset.special_missing["X"].tolist() == ["", "", "A", "_", "Z"]
    assert list(dataset.special_missing) == ["X"]


@pytest.mark.parametrize(
    ("sas_format", "value", "expected"),
    [
        ("DATE9", 19_725.0, "2014-01-02T00:00:00"),
        ("YYMMDD10", 19_725.5, "2014-01-02T00:00:00"),
        ("E8601DT19", 86_400.0 * 19_725 + 1, "2014-01-02T00:00:01"),
        ("DATETIME20", -1.0, "1959-12-31T23:59:59"),
    ],
)
def test_numbers_of_a_date_format_are_dates(
    sas_format: str, value: float, expected: str, tmp_path: Path
) -> None:
    dataset = read(tmp_path, Variable("X", [value, None, "A"], format=sas_format))
    assert dataset.frame["X"].isna().tolist() == [False, True, True]
    assert dataset.frame["X"].to_numpy()[0] == np.datetime64(expected, "us")
    assert dataset.formats == {"X": sas_format}


def test_a_date_beyond_the_calendar_of_sas_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column X has format DATE9, but holds 1e\+12"):
        read(tmp_path, Variable("X", [1e12], format="DATE9"))


@pytest.mark.parametrize("content", [b"", b"not a SAS data set" * 100])
def test_what_is_no_sas_data_set_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "demo.sas7bdat"
    path.write_bytes(content)
    with pytest.raises(DataError, match="expected a SAS data set"):
        read_sas7bdat(path)


def test_a_file_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "demo.sas7bdat"
    write_sas7bdat(path, [Variable("X", [1.0] * 100)], "DEMO")
    path.write_bytes(path.read_bytes()[:70_000])
    with pytest.raises(DataError, match="expected a SAS data set"):
        read_sas7bdat(path)
