"""One data set, written in every format that is read.

Columns of the frame are text, float64, or datetime64 of whole days.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyreadstat
from sas7bdat_writer import Variable, write_sas7bdat

if TYPE_CHECKING:
    from pathlib import Path

Frame = pd.DataFrame
Labels = Mapping[str, str]
_DAY = pd.Timedelta(days=1)


def is_dated(column: pd.Series) -> bool:
    return pd.api.types.is_datetime64_any_dtype(column)


def is_text(column: pd.Series) -> bool:
    return not (is_dated(column) or pd.api.types.is_numeric_dtype(column))


def formats(frame: Frame) -> dict[str, str]:
    return {name: "DATE9" for name in frame if is_dated(frame[name])}


def _csv(path: Path, frame: Frame, labels: Labels, label: str) -> None:
    frame.to_csv(path, index=False, date_format="%Y-%m-%d")


def _xpt(path: Path, frame: Frame, labels: Labels, label: str) -> None:
    days = {name: frame[name].dt.date for name in frame if is_dated(frame[name])}
    pyreadstat.write_xport(
        frame.assign(**days),
        path,
        file_label=label,
        column_labels=dict(labels),
        table_name=path.stem.upper(),
        file_format_version=5,
        variable_format=formats(frame),
    )


def _sas7bdat(path: Path, frame: Frame, labels: Labels, label: str) -> None:
    variables = [
        Variable(
            name,
            _plain(frame[name]),
            labels.get(name, ""),
            formats(frame).get(name, ""),
            max(1, frame[name].str.encode("utf-8").str.len().max()) if is_text(frame[name]) else 0,
        )
        for name in frame
    ]
    write_sas7bdat(path, variables, path.stem.upper(), label)


def _plain(column: pd.Series) -> list[Any]:
    """Cells as SAS keeps them: dates are days since 1960, missing is None."""
    if is_dated(column):
        column = (column - pd.Timestamp("1960-01-01")) / _DAY
    return [None if pd.isna(cell) else cell for cell in column]


def _parquet(path: Path, frame: Frame, labels: Labels, label: str) -> None:
    # only the tests of this format need the package
    import pyarrow as pa
    from pyarrow import parquet

    table = pa.Table.from_pandas(frame, preserve_index=False)
    fields = [
        field.with_metadata({"label": labels.get(field.name, "")} | _told(frame, field.name))
        for field in table.schema
    ]
    about = {"name": path.stem.upper(), "label": label}
    parquet.write_table(table.cast(pa.schema(fields, about)), path)


def _told(frame: Frame, name: str) -> dict[str, str]:
    return {"format": formats(frame)[name]} if name in formats(frame) else {}


def document(frame: Frame, labels: Labels, name: str, label: str) -> dict[str, Any]:
    """A data set as a Dataset-JSON document."""
    columns = [
        {"itemOID": f"IT.{name}.{c}", "name": c, "label": labels.get(c, "")} | _typed(frame[c])
        for c in frame
    ]
    cells = [_json_cells(frame[c]) for c in frame]
    return {
        "datasetJSONCreationDateTime": "2026-01-01T00:00:00",
        "datasetJSONVersion": "1.1.0",
        "itemGroupOID": f"IG.{name}",
        "records": len(frame),
        "name": name,
        "label": label,
        "columns": columns,
        "rows": [list(row) for row in zip(*cells, strict=True)],
    }


def _typed(column: pd.Series) -> dict[str, str]:
    if is_dated(column):
        return {"dataType": "date", "targetDataType": "integer", "displayFormat": "DATE9."}
    return {"dataType": "string" if is_text(column) else "double"}


def _json_cells(column: pd.Series) -> list[Any]:
    if is_dated(column):
        return [None if pd.isna(day) else day.strftime("%Y-%m-%d") for day in column]
    return [None if pd.isna(cell) else cell for cell in column]


def _json(path: Path, frame: Frame, labels: Labels, label: str) -> None:
    path.write_text(json.dumps(document(frame, labels, path.stem.upper(), label)), "utf-8")


def _ndjson(path: Path, frame: Frame, labels: Labels, label: str) -> None:
    whole = document(frame, labels, path.stem.upper(), label)
    lines = (whole, *whole.pop("rows"))
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), "utf-8")


#: suffix -> writer of (path, frame, labels, label)
WRITERS: dict[str, Callable[[Path, Frame, Labels, str], None]] = {
    ".csv": _csv,
    ".xpt": _xpt,
    ".sas7bdat": _sas7bdat,
    ".parquet": _parquet,
    ".json": _json,
    ".ndjson": _ndjson,
}
