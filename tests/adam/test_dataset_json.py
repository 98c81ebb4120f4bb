from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trialmlm.adam.dataset_json import read_dataset_json, read_dataset_ndjson
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd


def document(*columns: dict[str, Any], rows: list[Any], **others: Any) -> dict[str, Any]:
    named = [{"itemOID": "IT", "name": "X", "label": "", **column} for column in columns]
    return {
        "datasetJSONCreationDateTime": "2026-01-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": "IG.DEMO",
        "records": len(rows),
        "name": "DEMO",
        "label": "Demo",
        "columns": named,
        "rows": rows,
        **others,
    }


def column(folder: Path, kind: dict[str, Any], *cells: Any) -> pd.Series[Any]:
    path = folder / "demo.json"
    path.write_text(json.dumps(document(kind, rows=[[cell] for cell in cells])), "utf-8")
    return read_dataset_json(path).frame["X"]


def refused(folder: Path, content: str | dict[str, Any], message: str) -> None:
    path = folder / "demo.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    with pytest.raises(DataError, match=message):
        read_dataset_json(path)


@pytest.mark.parametrize("kind", ["integer", "float", "double", "decimal"])
def test_numbers_are_doubles_and_null_is_missing(kind: str, tmp_path: Path) -> None:
    found = column(tmp_path, {"dataType": kind}, 1, 2.5, None)
    assert found.dtype == np.float64
    assert found.tolist()[:2] == [1.0, 2.5]
    assert np.isnan(found[2])


def test_a_decimal_written_as_text_is_its_number(tmp_path: Path) -> None:
    kind = {"dataType": "decimal", "targetDataType": "decimal"}
    assert column(tmp_path, kind, "0.1", "-12.50", "").tolist()[:2] == [0.1, -12.5]


def test_truth_values_are_ones_and_zeros(tmp_path: Path) -> None:
    assert column(tmp_path, {"dataType": "boolean"}, True, False).tolist() == [1.0, 0.0]


def test_text_is_kept_and_null_is_blank(tmp_path: Path) -> None:
    assert column(tmp_path, {"dataType": "string"}, "01", None, "é😀").tolist() == ["01", "", "é😀"]


def test_dates_are_dates_only_where_their_target_is_a_number(tmp_path: Path) -> None:
    kind = {"dataType": "date"}
    dates = column(tmp_path, {**kind, "targetDataType": "integer"}, "2014-01-02", None, "")
    assert dates.dtype == np.dtype("datetime64[us]")
    assert dates.isna().tolist() == [False, True, True]
    assert column(tmp_path, kind, "2014-01", None).tolist() == ["2014-01", ""]


def test_date_times_are_told_in_utc_and_times_in_seconds(tmp_path: Path) -> None:
    target = {"targetDataType": "integer"}
    moments = column(
        tmp_path,
        {"dataType": "datetime", **target},
        "2014-01-02T03:04:05",
        "2014-01-02T03:04:05+02:00",
    )
    assert [str(moment) for moment in moments] == ["2014-01-02 03:04:05", "2014-01-02 01:04:05"]
    assert column(tmp_path, {"dataType": "time", **target}, "01:00:01").tolist() == [3601.0]


def test_a_line_of_metadata_and_a_line_per_row_are_read_alike(tmp_path: Path) -> None:
    whole = document({"dataType": "string"}, rows=[["a"], ["b"]])
    lines = (whole, *whole.pop("rows"))
    path = tmp_path / "demo.ndjson"
    path.write_bytes(b"\r\n".join(json.dumps(line).encode() for line in lines) + b"\r\n\r\n")
    dataset = read_dataset_ndjson(path)
    assert dataset.frame["X"].tolist() == ["a", "b"]
    assert (dataset.name, dataset.label) == ("DEMO", "Demo")


def test_a_row_that_is_not_json_is_named_by_its_line(tmp_path: Path) -> None:
    path = tmp_path / "demo.ndjson"
    head = json.dumps(document({"dataType": "string"}, rows=[]) | {"records": 2})
    path.write_text(f'{head}\n["a"]\n["b"\n')
    with pytest.raises(DataError, match="line 3, column 5: found Expecting ',' delimiter"):
        read_dataset_ndjson(path)


@pytest.mark.parametrize(
    ("kind", "cell", "message"),
    [
        ("integer", "1", 'record 1, column X: found "1", expected a value of type integer'),
        ("double", True, "found true, expected a value of type double"),
        ("string", 1, "found 1, expected a value of type string"),
        ("string", ["a"], "found an array, expected"),
        ("boolean", "Y", 'found "Y"'),
        ("decimal", "1,5", 'found "1,5"'),
    ],
)
def test_a_value_of_another_type_is_named(
    kind: str, cell: Any, message: str, tmp_path: Path
) -> None:
    refused(tmp_path, document({"dataType": kind}, rows=[[cell]]), message)


def test_a_partial_date_is_no_number(tmp_path: Path) -> None:
    kind = {"dataType": "date", "targetDataType": "integer"}
    refused(tmp_path, document(kind, rows=[["2014-01"]]), 'found "2014-01", expected a value')


def test_records_are_counted(tmp_path: Path) -> None:
    whole = document({"dataType": "string"}, rows=[["a"]])
    refused(tmp_path, whole | {"records": 2}, "found 1 rows, but its metadata say 2 records")
    refused(tmp_path, whole | {"records": None}, "say no number of records")


def test_faults_of_the_document_say_found_and_expected(tmp_path: Path) -> None:
    kind = {"dataType": "string"}
    whole = document(kind, rows=[["a"]])
    refused(tmp_path, "{", "line 1, column 2: found .*, expected JSON")
    refused(tmp_path, "[]", "the document: found an array, expected an object")
    refused(tmp_path, '{"a": 1, "a": 2}', "a key that stands twice")
    refused(tmp_path, '{"a": NaN}', "found NaN, which is no number of JSON")
    refused(tmp_path, "[" * 100_000, "expected JSON")
    refused(tmp_path, "{}", "datasetJSONVersion: found nothing, expected Dataset-JSON 1.1")
    refused(tmp_path, whole | {"datasetJSONVersion": "1.0.0"}, "found '1.0.0'")
    refused(tmp_path, whole | {"columns": []}, "columns: found an array, expected an array of")
    refused(tmp_path, whole | {"rows": {}}, "rows: found an object")
    refused(tmp_path, document(kind, rows=[["a", "b"]]), "record 1: found 2 values, expected")
    refused(tmp_path, document(kind, rows=["a"]), "record 1: found text")
    refused(tmp_path, document(kind, kind, rows=[]), "column 2: found the name 'X'")
    refused(tmp_path, document({"dataType": "text"}, rows=[]), "dataType 'text', expected one of")


@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    key=st.sampled_from(["datasetJSONVersion", "records", "name", "label", "columns", "rows"]),
    value=st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
)
def test_any_metadata_are_read_or_refused_with_our_error(
    key: str, value: Any, tmp_path: Path
) -> None:
    path = tmp_path / "demo.json"
    whole = document({"dataType": "string"}, rows=[["a"]]) | {key: value}
    path.write_text(json.dumps(whole), "utf-8")
    try:
        read = read_dataset_json(path).rows
    except DataError:
        read = 1
    assert read == 1
