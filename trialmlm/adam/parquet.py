"""Parquet files, read with pyarrow (the extra ``parquet``)."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import parquet

from trialmlm.adam.dataset import Dataset
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from numpy.typing import NDArray

#: the row names that pandas writes as columns
_INDEX: Final = re.compile(r"__index_level_[0-9]+__")


def read_parquet(path: Path) -> Dataset:
    """Read a parquet file.

    Labels and formats are read from the metadata of the schema: the keys ``label`` and ``format``
    of a column's field, and ``name`` and ``label`` of the schema.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Dataset
        Whole numbers without a gap as int64, other numbers as float64, dates and date-times as
        datetime64, categories as their text.

    Raises
    ------
    DataError
        The file is damaged, two columns share a name, or a column is of a type that has no place
        in a data set, such as a list.
    """
    content = path.read_bytes()
    try:
        table = parquet.ParquetFile(io.BytesIO(content)).read()
    except (pa.ArrowException, OSError) as fault:
        message = f"{path}: found {fault}, expected a parquet file"
        raise DataError(f"{message}. Copy the file again (in binary mode).") from None
    fields = [field for field in table.schema if not _INDEX.fullmatch(field.name)]
    _check_names(path, fields)
    told = {field.name: _told(field.metadata) for field in fields}
    of_set = _told(table.schema.metadata)
    return Dataset(
        name=of_set.get("name", path.stem),
        path=path,
        frame=pd.DataFrame(
            {field.name: _values(path, field, table.column(field.name)) for field in fields},
            index=pd.RangeIndex(table.num_rows),
        ),
        labels=_named(told, "label"),
        label=of_set.get("label", ""),
        formats=_named(told, "format"),
        special_missing=None,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _check_names(path: Path, fields: list[Any]) -> None:
    counted = Counter(field.name for field in fields)
    if doubles := [name for name, count in counted.items() if count > 1]:
        message = f"{path}: column names used more than once: {', '.join(doubles)}"
        raise DataError(f"{message}. Give each column a name of its own.")


def _told(metadata: Mapping[bytes, bytes] | None) -> dict[str, str]:
    """Metadata as text, keys in lower case."""
    return {
        key.decode(errors="replace").lower(): value.decode(errors="replace")
        for key, value in (metadata or {}).items()
    }


def _named(told: Mapping[str, Mapping[str, str]], key: str) -> dict[str, str]:
    return {name: found[key] for name, found in told.items() if found.get(key)}


def _values(path: Path, field: Any, column: Any) -> NDArray[Any]:
    """Read a column by its type; a category is its value."""
    kind = field.type
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
        column = column.cast(kind)
    for is_kind, read in _READ:
        if is_kind(kind):
            return read(column)
    message = f"{path}: column {field.name}: found values of type {kind}"
    raise DataError(f"{message}, expected text, numbers or dates. Drop or convert the column.")


def _text(column: Any) -> NDArray[Any]:
    return np.array([cell or "" for cell in column.to_pylist()], dtype=object)


def _whole(column: Any) -> NDArray[Any]:
    if column.null_count:
        return _number(column)
    return np.array(column.to_pylist(), dtype=np.int64)


def _number(column: Any) -> NDArray[np.float64]:
    cells = column.to_pylist()
    return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)


def _moment(column: Any) -> NDArray[np.datetime64]:
    """Dates and date-times; one of a time zone is told in UTC."""
    plain = column.cast(pa.timestamp("us"), safe=False)
    return np.array(plain.to_numpy(), dtype="datetime64[us]")


def _seconds(column: Any) -> NDArray[np.float64]:
    """A time of day as seconds, as SAS keeps it."""
    plain = column.cast(pa.time64("us")).cast(pa.int64())
    return _number(plain) / 1e6


def _is_text(kind: Any) -> bool:
    return any(is_kind(kind) for is_kind in (pa.types.is_string, pa.types.is_large_string))


#: kind of type -> reader, the first that fits
_READ: Final[tuple[tuple[Callable[[Any], bool], Callable[[Any], NDArray[Any]]], ...]] = (
    (_is_text, _text),
    (pa.types.is_null, _text),
    (pa.types.is_boolean, _number),
    (pa.types.is_uint64, _number),
    (pa.types.is_integer, _whole),
    (pa.types.is_floating, _number),
    (pa.types.is_decimal, _number),
    (pa.types.is_date, _moment),
    (pa.types.is_timestamp, _moment),
    (pa.types.is_time, _seconds),
)
