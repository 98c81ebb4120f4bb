"""The values of a where-clause: numbers, text and dates, and how a column becomes one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable


class Sort(StrEnum):
    """What a column or a constant holds; only like is compared with like."""

    NUMBER = "numbers"
    TEXT = "text"
    DATE = "dates"
    #: nothing but missing values: compares as blank text, missing numbers or missing dates
    EMPTY = "nothing but missing values"


@dataclass(frozen=True, slots=True)
class Values:
    """What one part of a where-clause says of every row.

    Attributes
    ----------
    sort : Sort
        What it holds.
    data : ndarray, shape (n_rows,) or ()
        Floats (missing: NaN), texts without trailing blanks (missing: ''), or dates
        (missing: NaT).
    told : str
        What it is, what it holds, and an example; a noun phrase for messages.
    constant : bool
        True for a constant of the text; a constant text may be read as a date.
    """

    sort: Sort
    data: np.ndarray[Any, Any]
    told: str
    constant: bool = False

    @property
    def missing(self) -> np.ndarray[Any, Any]:
        """Rows without a value; a blank text is one."""
        return np.asarray(_MISSING[self.sort](self.data), dtype=bool)


_MISSING: dict[Sort, Callable[[Any], Any]] = {
    Sort.NUMBER: np.isnan,
    Sort.DATE: np.isnat,
    Sort.TEXT: lambda data: data == "",
    Sort.EMPTY: np.isnan,
}

#: pandas' word for what an object column holds -> the sort it is read as
_INFERRED = {
    "string": Sort.TEXT,
    "empty": Sort.EMPTY,
    "boolean": Sort.NUMBER,
    "integer": Sort.NUMBER,
    "floating": Sort.NUMBER,
    "mixed-integer-float": Sort.NUMBER,
    "decimal": Sort.NUMBER,
    "date": Sort.DATE,
    "datetime": Sort.DATE,
    "datetime64": Sort.DATE,
}


def sort_of(column: pd.Series[Any]) -> Sort | None:
    """Return what a column holds; None where it is nothing a where-clause can compare."""
    dtype = column.dtype
    if pd.api.types.is_datetime64_any_dtype(dtype):
        return Sort.DATE
    if column.isna().all():
        return Sort.EMPTY
    if isinstance(dtype, pd.CategoricalDtype):
        return Sort.TEXT
    if pd.api.types.is_complex_dtype(dtype):
        return None
    if pd.api.types.is_numeric_dtype(dtype):
        return Sort.NUMBER
    return _INFERRED.get(pd.api.types.infer_dtype(column, skipna=True))


def column_values(column: pd.Series[Any], sort: Sort) -> Values:
    """Return a column's values as the sort it holds."""
    told = f"column {column.name} ({sort}, for example {example(column)})"
    return Values(sort, _READ[sort](column), told)


def example(column: pd.Series[Any]) -> str:
    """Return the first value of a column that is not missing, as it is shown in a message."""
    present = column.dropna()
    if present.empty:
        return "none"
    first = present.iloc[0]
    if isinstance(first, (pd.Timestamp, date)):
        return f"{first:%Y-%m-%d}"
    return repr(first) if isinstance(first, str) else str(first)


def _read_numbers(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    if column.dtype == object:
        return np.array([np.nan if pd.isna(x) else float(x) for x in column], dtype=float)
    return column.to_numpy(dtype=float, na_value=np.nan)


def _read_texts(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    present = column.notna().to_numpy(dtype=bool)
    texts = np.full(len(column), "", dtype=object)
    texts[present] = [str(x).rstrip(" ") for x in column.to_numpy(dtype=object)[present]]
    return texts


def _read_dates(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    if isinstance(column.dtype, pd.DatetimeTZDtype):
        return np.asarray(column.dt.tz_localize(None))
    if column.dtype.kind == "M" and isinstance(column.dtype, np.dtype):
        return column.to_numpy()
    moments = [np.datetime64("NaT") if pd.isna(x) else _local(x) for x in column]
    return np.array(moments, dtype="datetime64[us]")


def _local(moment: Any) -> np.datetime64:
    """Return a date or a moment as its clock shows it, whatever the zone."""
    naive = moment.replace(tzinfo=None) if getattr(moment, "tzinfo", None) else moment
    return np.datetime64(naive, "us")


def _read_nothing(column: pd.Series[Any]) -> np.ndarray[Any, Any]:
    return np.full(len(column), np.nan)


_READ = {
    Sort.NUMBER: _read_numbers,
    Sort.TEXT: _read_texts,
    Sort.DATE: _read_dates,
    Sort.EMPTY: _read_nothing,
}


def like(values: Values, sort: Sort) -> Values | None:
    """Return `values` as another sort where they can be: a missing one, or a date's text."""
    if values.sort is sort:
        return values
    if values.sort is Sort.EMPTY:
        return Values(sort, np.full(values.data.shape, _NOTHING[sort]), values.told)
    if values.constant and values.sort is Sort.TEXT and sort is Sort.DATE:
        day = read_day(values.data.item())
        return None if day is None else Values(sort, np.asarray(day), values.told, constant=True)
    return None


_NOTHING: dict[Sort, Any] = {
    Sort.NUMBER: np.nan,
    Sort.TEXT: "",
    Sort.DATE: np.datetime64("NaT", "us"),
}


def read_day(text: str) -> np.datetime64 | None:
    """Return the calendar day of a text 'YYYY-MM-DD'; None for any other text."""
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text, re.ASCII):
        return None
    try:
        return np.datetime64(date.fromisoformat(text), "D")
    except ValueError:
        return None
