"""CDISC Dataset-JSON 1.1: one data set a file, its columns described, its rows as arrays.

As one JSON document (``.json``), or a line of metadata and a line per row (``.ndjson``).
"""

from __future__ import annotations

import hashlib
import json
import math
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd

from trialmlm.adam.cells import is_number
from trialmlm.adam.dataset import Dataset
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

_VERSION: Final = "1.1"


@dataclass(frozen=True, slots=True)
class _Column:
    """What the file says of one column."""

    name: str
    label: str
    type: str
    target: str
    format: str


def read_dataset_json(path: Path) -> Dataset:
    """Read a Dataset-JSON 1.1 document.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Dataset
        Numbers, decimals and truth values as float64; dates, date-times and times whose target
        is an integer as datetime64 or seconds, else as the text they are.

    Raises
    ------
    DataError
        Not such a document; rows, records or values that are not what its metadata say.
    """
    content = path.read_bytes()
    document = _object(path, _parsed(path, _text(path, content)), "the document")
    rows = document.get("rows", [])
    if not isinstance(rows, list):
        raise _malformed(path, "rows", _kind(rows), "an array of rows")
    return _dataset(path, content, document, rows)


def read_dataset_ndjson(path: Path) -> Dataset:
    """Read the variant of Dataset-JSON 1.1 with one JSON value a line: metadata, then rows.

    Parameters and errors are those of `read_dataset_json`.
    """
    content = path.read_bytes()
    first, *others = _text(path, content).split("\n")
    lines = enumerate(others, start=2)
    document = _object(path, _parsed(path, first), "line 1")
    rows = [_parsed(path, line, number) for number, line in lines if line.strip()]
    return _dataset(path, content, document, rows)


def _text(path: Path, content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        found = f"byte 0x{content[fault.start]:02X} at offset {fault.start:,}"
        raise _malformed(path, "the file", found, "UTF-8") from None


def _parsed(path: Path, text: str, line: int = 1) -> Any:
    """Parse JSON; `line` is where the text begins."""
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        place = f"line {line - 1 + fault.lineno}, column {fault.colno}"
        raise _malformed(path, place, fault.msg, "JSON") from None
    except (ValueError, RecursionError) as fault:
        raise _malformed(path, f"line {line}", str(fault), "JSON") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object whose keys stand in it once."""
    made = dict(pairs)
    if len(made) < len(pairs):
        raise ValueError("a key that stands twice in one object")
    return made


def _no_constant(name: str) -> float:
    raise ValueError(f"{name}, which is no number of JSON")


def _object(path: Path, found: Any, place: str) -> Mapping[str, Any]:
    if not isinstance(found, dict):
        raise _malformed(path, place, _kind(found), "an object with the metadata")
    return found


def _dataset(
    path: Path, content: bytes, document: Mapping[str, Any], rows: Sequence[Any]
) -> Dataset:
    version = document.get("datasetJSONVersion")
    if not isinstance(version, str) or not f"{version}.".startswith(f"{_VERSION}."):
        found = "nothing" if version is None else repr(version)
        raise _malformed(path, "datasetJSONVersion", found, f"Dataset-JSON {_VERSION}")
    columns = _columns(path, document.get("columns"))
    _check_rows(path, document.get("records"), rows, len(columns))
    cells = zip(*rows, strict=True) if rows else ((),) * len(columns)
    values = {
        column.name: _values(path, column, column_cells)
        for column, column_cells in zip(columns, cells, strict=True)
    }
    return Dataset(
        name=_word(path, document, "name") or path.stem,
        path=path,
        frame=pd.DataFrame(values),
        labels={column.name: column.label for column in columns if column.label},
        label=_word(path, document, "label"),
        formats={column.name: column.format for column in columns if column.format},
        special_missing=None,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _columns(path: Path, described: Any) -> tuple[_Column, ...]:
    """Read the descriptions of the columns, each named once and of a known type."""
    if not isinstance(described, list) or not described:
        raise _malformed(path, "columns", _kind(described), "an array of columns")
    columns: dict[str, _Column] = {}
    for position, found in enumerate(described, start=1):
        place = f"column {position}"
        column = _column(path, _object(path, found, place))
        if not column.name or column.name in columns:
            raise _malformed(path, place, f"the name {column.name!r}", "a name of its own")
        if column.type not in _READ:
            expected = f"one of {', '.join(_READ)}"
            raise _malformed(path, f"column {column.name}", f"dataType {column.type!r}", expected)
        columns[column.name] = column
    return tuple(columns.values())


def _column(path: Path, found: Mapping[str, Any]) -> _Column:
    return _Column(
        name=_word(path, found, "name"),
        label=_word(path, found, "label"),
        type=_word(path, found, "dataType"),
        target=_word(path, found, "targetDataType"),
        format=_word(path, found, "displayFormat").removesuffix("."),
    )


def _word(path: Path, found: Mapping[str, Any], key: str) -> str:
    word = found.get(key)
    if word is not None and not isinstance(word, str):
        raise _malformed(path, key, _kind(word), "text")
    return word or ""


def _check_rows(path: Path, records: Any, rows: Sequence[Any], width: int) -> None:
    """Every row has a value per column, and there are as many rows as the file says."""
    if records != len(rows) or isinstance(records, bool):
        said = "no number of" if records is None else records
        message = f"{path}: found {len(rows):,} rows, but its metadata say {said} records"
        raise DataError(f"{message}. The file is cut short or altered: copy it again.")
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != width:
            found = f"{len(row)} values" if isinstance(row, list) else _kind(row)
            raise _malformed(path, f"record {number:,}", found, f"an array of {width} values")


def _values(path: Path, column: _Column, cells: Sequence[Any]) -> NDArray[Any]:
    """Read a column by its type; null is missing."""
    numeric = column.target == "integer"
    read, dtype, missing = (_READ_AS_NUMBER if numeric else _READ).get(
        column.type, _READ[column.type]
    )
    values = np.full(len(cells), missing, dtype=dtype)
    for at, cell in enumerate(cells):
        if cell is None or (cell == "" and dtype is not object):
            continue
        try:
            values[at] = read(cell)
        except (TypeError, ValueError, OverflowError):
            place = f"record {at + 1:,}, column {column.name}"
            raise _malformed(path, place, _shown(cell), f"a value of type {column.type}") from None
    return values


def _number(cell: Any) -> float:
    if isinstance(cell, bool | str) or not math.isfinite(cell):
        raise TypeError
    return float(cell)


def _decimal(cell: Any) -> float:
    """A decimal is a text, lest a reader should round it."""
    if isinstance(cell, str) and not is_number(cell):
        raise ValueError
    return float(cell) if isinstance(cell, str) else _number(cell)


def _truth(cell: Any) -> float:
    if not isinstance(cell, bool):
        raise TypeError
    return float(cell)


def _string(cell: Any) -> str:
    if not isinstance(cell, str):
        raise TypeError
    return cell


def _moment(cell: Any) -> np.datetime64:
    """A date or date-time; one with an offset is told in UTC."""
    moment = datetime.fromisoformat(_string(cell))
    plain = moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    return np.datetime64(plain, "us")


def _seconds(cell: Any) -> float:
    """A time of day as seconds, as SAS keeps it."""
    moment = time.fromisoformat(_string(cell))
    return moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6


_Reading = tuple["Callable[[Any], Any]", Any, Any]
_AS_TEXT: Final[_Reading] = (_string, object, "")

#: dataType -> how one cell is read, the column's dtype, and its missing value
_READ: Final[dict[str, _Reading]] = {
    "string": _AS_TEXT,
    "integer": (_number, np.float64, math.nan),
    "float": (_number, np.float64, math.nan),
    "double": (_number, np.float64, math.nan),
    "decimal": (_decimal, np.float64, math.nan),
    "boolean": (_truth, np.float64, math.nan),
    "date": _AS_TEXT,
    "datetime": _AS_TEXT,
    "time": _AS_TEXT,
    "URI": _AS_TEXT,
}
#: the same where targetDataType is integer
_READ_AS_NUMBER: Final[dict[str, _Reading]] = {
    "date": (_moment, "datetime64[us]", "NaT"),
    "datetime": (_moment, "datetime64[us]", "NaT"),
    "time": (_seconds, np.float64, math.nan),
}


def _malformed(path: Path, place: str, found: str, expected: str) -> DataError:
    message = f"{path}: {place}: found {found}, expected {expected}"
    return DataError(f"{message}. Export the data set again as Dataset-JSON {_VERSION}.")


def _kind(found: Any) -> str:
    """What a JSON value is, in a word."""
    kinds = {dict: "an object", list: "an array", str: "text", bool: "a truth value"}
    return "nothing" if found is None else kinds.get(type(found), "a number")


def _shown(cell: Any) -> str:
    return _kind(cell) if isinstance(cell, dict | list) else json.dumps(cell, ensure_ascii=False)
