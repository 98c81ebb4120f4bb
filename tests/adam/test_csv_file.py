from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialmlm.adam.cells import as_dates, as_numbers, as_text, is_number
from trialmlm.adam.csv_file import read_csv
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def column(folder: Path, *cells: str) -> pd.Series[object]:
    path = folder / "demo.csv"
    lines = io.StringIO(newline="")
    csv.writer(lines).writerows([("X", "Y"), *((cell, "a") for cell in cells)])
    path.write_bytes(lines.getvalue().encode())
    return read_csv(path).frame["X"]


def refused(folder: Path, content: bytes, message: str) -> None:
    path = folder / "demo.csv"
    path.write_bytes(content)
    with pytest.raises(DataError, match=message):
        read_csv(path)


def test_whole_numbers_without_a_gap_are_integers(tmp_path: Path) -> None:
    assert column(tmp_path, "1", "-20", "0").tolist() == [1, -20, 0]
    assert column(tmp_path, "1", "2").dtype == np.int64


def test_numbers_with_a_gap_or_a_point_are_floats(tmp_path: Path) -> None:
    assert column(tmp_path, "1", "").dtype == np.float64
    assert column(tmp_path, "1.5", "2e3", "-0.25").tolist() == [1.5, 2000.0, -0.25]


@pytest.mark.parametrize(
    "cell", ["01", "007", "NA", "NaN", "inf", "1,5", ".5", "1.", "+1", " 1", "1_0", "1e999", "٣"]
)
def test_a_cell_that_is_no_plain_number_keeps_its_column_text(cell: str, tmp_path: Path) -> None:
    assert column(tmp_path, "1", cell).tolist() == ["1", cell]


def test_identifiers_longer_than_a_double_can_hold_stay_text(tmp_path: Path) -> None:
    assert column(tmp_path, "1234567890123456").tolist() == ["1234567890123456"]


def test_only_the_empty_cell_is_missing(tmp_path: Path) -> None:
    assert column(tmp_path, "", "2.5").isna().tolist() == [True, False]
    assert column(tmp_path, "", "NA").tolist() == ["", "NA"]


def test_a_column_of_iso_dates_is_dated(tmp_path: Path) -> None:
    dates = column(tmp_path, "2026-02-28", "")
    assert dates.dtype == np.dtype("datetime64[us]")
    assert dates.isna().tolist() == [False, True]


@pytest.mark.parametrize("cell", ["2026-02-30", "2026-02", "28FEB2026"])
def test_a_cell_that_is_no_day_keeps_its_column_text(cell: str, tmp_path: Path) -> None:
    assert column(tmp_path, "2026-01-01", cell).tolist() == ["2026-01-01", cell]


def test_a_byte_order_mark_is_no_part_of_the_first_name(tmp_path: Path) -> None:
    path = tmp_path / "demo.csv"
    path.write_bytes(b"\xef\xbb\xbfX,Y\r\n1,2\r\n")
    dataset = read_csv(path)
    assert list(dataset.frame) == ["X", "Y"]
    assert (dataset.name, dataset.rows) == ("demo", 1)
    assert str(dataset) == "demo (demo.csv)"


def test_a_header_alone_is_a_data_set_without_rows(tmp_path: Path) -> None:
    path = tmp_path / "demo.csv"
    path.write_text("X,Y\n")
    assert read_csv(path).frame.shape == (0, 2)


def test_empty_lines_at_the_end_are_no_rows_but_one_column_may_be_empty(tmp_path: Path) -> None:
    path = tmp_path / "demo.csv"
    path.write_text("X,Y\n1,2\n\n\n")
    assert read_csv(path).rows == 1
    path.write_text("X\n1\n\n3\n")
    assert read_csv(path).frame["X"].isna().tolist() == [False, True, False]


def test_faults_of_the_file_name_the_line(tmp_path: Path) -> None:
    refused(tmp_path, b"X,Y\n1,2\n1,2,3\n", "line 3: expected 2 cells as in the header, found 3")
    refused(tmp_path, b"X,Y\n\n1,2\n", "line 2: expected 2 cells as in the header, found 0")
    refused(tmp_path, b'X,Y\n"a\nb",2\n1\n', "line 4: expected 2 cells")
    refused(tmp_path, b"X,Y\n1,\xe9\n", "line 2: byte 0xE9 is not UTF-8")
    refused(tmp_path, b'X,Y\n1,"2" 3\n', "line 2: .* expected after")
    refused(tmp_path, b'X,Y\n1,"2\n', "unexpected end of data")


def test_faults_of_the_header_are_named(tmp_path: Path) -> None:
    refused(tmp_path, b"", "expected a header line")
    refused(tmp_path, b"X,,Z\n", "column 2 of the header has no name")
    refused(tmp_path, b"X,Y,X\n", "more than once: X")


@settings(
    max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(cells=st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\0\r")), min_size=1))
def test_text_comes_back_as_it_was_written(cells: list[str], tmp_path: Path) -> None:
    assert column(tmp_path, "text", *cells).tolist() == ["text", *cells]


@given(number=st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_as_python_prints_it_is_canonical(number: float) -> None:
    assert is_number(repr(number))


def test_values_compare_as_text_whatever_their_type() -> None:
    assert as_text(pd.Series([54.0, 0.5, np.nan])).tolist() == ["54", "0.5", ""]
    assert as_text(pd.Series([54, 0])).tolist() == ["54", "0"]
    assert as_text(pd.Series(["  Weeks 4-24", "", "54"])).tolist() == ["Weeks 4-24", "", "54"]
    assert as_text(pd.Series(["b", "a"], dtype="category")).tolist() == ["b", "a"]


def test_text_that_is_no_number_is_marked_and_blank_is_missing() -> None:
    numbers, bad = as_numbers(pd.Series(["1.5", "", "ND", " 2"]))
    np.testing.assert_array_equal(numbers, [1.5, np.nan, np.nan, 2.0])
    assert bad.tolist() == [False, False, True, False]


def test_a_blank_column_of_dates_is_missing_dates() -> None:
    assert as_dates(pd.Series(["", ""])).isna().all()
