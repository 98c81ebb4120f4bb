"""Cells of text: which of them are numbers, dates, and when two are the same."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_WHOLE = re.compile(r"-?[0-9]+")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
#: a whole number with more digits is an identifier: a double could not hold it
_DIGITS = 15


def is_number(cell: str) -> bool:
    """Whether a cell is a plain finite number in canonical form: not ``007``, ``NA``, ``1,5``."""
    if _NUMBER.fullmatch(cell) is None or not math.isfinite(float(cell)):
        return False
    return _WHOLE.fullmatch(cell) is None or len(cell.lstrip("-")) <= _DIGITS


def typed(cells: Sequence[str]) -> NDArray[Any]:
    """Type a column of text cells as a whole: numbers, ISO dates, or else text.

    Parameters
    ----------
    cells : sequence of str
        ``''`` is the only missing cell.

    Returns
    -------
    ndarray
        int64 (no cell missing), float64, datetime64[us], or object (str).
    """
    filled = set(cells) - {""}
    if filled and all(map(is_number, filled)):
        return _numbers(cells, filled)
    if filled and all(map(_is_date, filled)):
        return np.array([cell or "NaT" for cell in cells], dtype="datetime64[us]")
    return np.array(cells, dtype=object)


def _numbers(cells: Sequence[str], filled: set[str]) -> NDArray[Any]:
    """Whole numbers without a gap as int64, other numbers as float64."""
    if all(map(_WHOLE.fullmatch, filled)) and all(cells):
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    return np.array([float(cell) if cell else math.nan for cell in cells], dtype=np.float64)


def _is_date(cell: str) -> bool:
    """Whether a cell is a day of the calendar, as YYYY-MM-DD."""
    if _DATE.fullmatch(cell) is None:
        return False
    try:
        np.datetime64(cell, "D")
    except ValueError:
        return False
    return True


def as_text(column: pd.Series[Any]) -> pd.Series[str]:
    """Values as comparable text: blanks stripped, 54.0 as ``54``, missing as ``''``."""
    codes, values = pd.factorize(column)
    texts = np.array([*map(_text, values), ""], dtype=object)
    return pd.Series(texts[codes], index=column.index, dtype=object)


def _text(value: object) -> str:
    """One value as comparable text."""
    if isinstance(value, int | float | np.number) and not isinstance(value, bool):
        return format(value, ".15g")
    return str(value).strip()


def as_numbers(column: pd.Series[Any]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Values as float64, and which cells are text that is not a number.

    A blank cell is missing (NaN); a text such as ``ND`` or ``1,5`` is NaN and marked.
    """
    if pd.api.types.is_numeric_dtype(column):
        return column.to_numpy(dtype=np.float64), np.zeros(len(column), dtype=bool)
    texts = as_text(column)
    numeric = {text: is_number(text) for text in texts.unique()}
    values = texts.map({text: float(text) for text, good in numeric.items() if good})
    bad = ~texts.map(numeric).to_numpy(dtype=bool) & (texts != "").to_numpy(dtype=bool)
    return values.to_numpy(dtype=np.float64), bad


def as_dates(column: pd.Series[Any]) -> pd.Series[Any]:
    """Values as datetime64; a text that is not YYYY-MM-DD is missing (NaT)."""
    if pd.api.types.is_datetime64_any_dtype(column):
        return column
    return pd.to_datetime(as_text(column), format="%Y-%m-%d", errors="coerce")
