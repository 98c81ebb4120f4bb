from __future__ import annotations

import datetime as dt
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import DataError

pa = pytest.importorskip("pyarrow")
parquet = pytest.importorskip("pyarrow.parquet")

from trialmlm.adam.parquet import read_parquet  # noqa: E402 - it needs the package

if TYPE_CHECKING:
    from pathlib import Path


def column(folder: Path, values: Any) -> pd.Series[Any]:
    path = folder / "demo.parquet"
    parquet.write_table(pa.table({"X": values}), path)
    return read_parquet(path).frame["X"]


def test_whole_numbers_without_a_gap_are_integers(tmp_path: Path) -> None:
    assert column(tmp_path, pa.array([1, 2], pa.int16())).dtype == np.int64
    with_gap = column(tmp_path, pa.array([1, None], pa.int64()))
    assert with_gap.dtype == np.float64
    assert np.isnan(with_gap[1])


@pytest.mark.parametrize(
    "values",
    [
        pa.array([1.5, None], pa.float32()),
        pa.array([Decimal("1.5"), None], pa.decimal128(5, 2)),
    ],
)
def test_other_numbers_are_doubles(values: Any, tmp_path: Path) -> None:
    found = column(tmp_path, values)
    assert found.dtype == np.float64
    assert found[0] == 1.5


def test_truth_values_are_ones_and_zeros(tmp_path: Path) -> None:
    assert column(tmp_path, pa.array([True, False])).tolist() == [1.0, 0.0]


@pytest.mark.parametrize(
    "kind", [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]
)
def test_text_and_categories_are_text_and_null_is_blank(kind: Any, tmp_path: Path) -> None:
    found = column(tmp_path, pa.array(["a", None, "01"]).cast(kind))
    assert found.tolist() == ["a", "", "01"]


def test_a_column_of_nothing_is_blank_text(tmp_path: Path) -> None:
    assert column(tmp_path, pa.nulls(2)).tolist() == ["", ""]


@pytest.mark.parametrize("kind", [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ns")])
def test_dates_and_date_times_are_datetimes(kind: Any, tmp_path: Path) -> None:
    days = pa.array([dt.datetime(2014, 1, 2), None], pa.timestamp("us"))
    found = column(tmp_path, days.cast(kind))
    assert found.dtype == np.dtype("datetime64[us]")
    assert found.isna().tolist() == [False, True]
    assert str(found[0].date()) == "2014-01-02"


def test_a_moment_of_a_time_zone_is_told_in_utc(tmp_path: Path) -> None:
    zone = dt.timezone(dt.timedelta(hours=2))
    moment = pa.array([dt.datetime(2014, 1, 2, 3, tzinfo=zone)], pa.timestamp("us", "+02:00"))
    assert column(tmp_path, moment)[0] == pd.Timestamp("2014-01-02 01:00")


def test_a_time_of_day_is_its_seconds(tmp_path: Path) -> None:
    times = pa.array([dt.time(1, 0, 1), None], pa.time32("s"))
    assert column(tmp_path, times).tolist()[0] == 3601.0


def test_row_names_of_pandas_are_no_column(tmp_path: Path) -> None:
    path = tmp_path / "demo.parquet"
    pd.DataFrame({"X": ["a", "b"]}, index=[5, 7]).to_parquet(path)
    dataset = read_parquet(path)
    assert list(dataset.frame) == ["X"]
    assert dataset.frame.index.tolist() == [0, 1]
    assert (dataset.name, dataset.labels) == ("demo", {})


def test_what_has_no_place_in_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="column X: found values of type list"):
        column(tmp_path, pa.array([[1]]))
    path = tmp_path / "demo.parquet"
    parquet.write_table(pa.Table.from_arrays([pa.array([1]), pa.array([2])], ["X", "X"]), path)
    with pytest.raises(DataError, match="used more than once: X"):
        read_parquet(path)


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1" + b"x" * 100 + b"PAR1"])
def test_what_is_no_parquet_file_is_refused(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "demo.parquet"
    path.write_bytes(content)
    with pytest.raises(DataError, match="expected a parquet file"):
        read_parquet(path)
