from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from trialmlm.adam.read import find_dataset, read_dataset
from trialmlm.errors import DataError, NotAvailableError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ADSL.csv").write_text("USUBJID\n01\n02\n")
    (tmp_path / "notes.txt").write_text("not data")
    return tmp_path


def test_a_data_set_is_found_whatever_the_case(folder: Path) -> None:
    assert find_dataset(folder, "adsl").name == "ADSL.csv"
    assert find_dataset(folder, "adsl.CSV").name == "ADSL.csv"


def test_a_data_set_that_is_not_there_is_told_with_what_is(folder: Path) -> None:
    with pytest.raises(DataError, match=r"no data set 'adqs'.*found: ADSL.csv.*\.xpt, \.csv"):
        find_dataset(folder, "adqs")
    with pytest.raises(DataError, match="no such folder"):
        find_dataset(folder / "away", "adsl")


def test_two_files_of_one_data_set_are_refused(folder: Path) -> None:
    (folder / "adsl.xpt").write_text("")
    with pytest.raises(DataError, match=r"2 files for the data set 'adsl': ADSL\.csv, adsl\.xpt"):
        find_dataset(folder, "adsl")


def test_a_file_type_that_is_not_read_is_told_from_absence(tmp_path: Path) -> None:
    path = tmp_path / "adsl.sav"
    path.write_text("")
    with pytest.raises(NotAvailableError, match=r"does not read \.sav; it reads \.xpt, \.csv"):
        read_dataset(path)


def test_expectations_that_hold_pass(folder: Path) -> None:
    path = folder / "ADSL.csv"
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert read_dataset(path, rows=2, sha256=digest.upper()).sha256 == digest


def test_expectations_that_do_not_hold_say_found_and_expected(folder: Path) -> None:
    path = folder / "ADSL.csv"
    with pytest.raises(DataError, match="found 2 records, the protocol expects 254"):
        read_dataset(path, rows=254)
    with pytest.raises(DataError, match=f"SHA-256 is [0-9a-f]{{64}}, expected {'0' * 64}"):
        read_dataset(path, sha256="0" * 64)
    with pytest.raises(DataError, match="no such file"):
        read_dataset(folder / "adae.csv")
