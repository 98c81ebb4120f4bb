"""Rows as series over ordered visits: who each row belongs to, and at which visit it stands."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import BoolArray, IntArray


def require_columns(function: str, data: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise UsageError for the first of `names` that `data` do not have."""
    for name in names:
        if name not in data.columns:
            listed = ", ".join(map(str, data.columns))
            msg = f"{function}: the data have no column {name!r}; they have {listed}"
            raise UsageError(msg)


def require_rows(function: str, data: pd.DataFrame, names: Sequence[str]) -> None:
    """Raise DataError without rows, or where a row does not say whose it is or at which visit."""
    if data.empty:
        msg = f"{function}: the data have no rows; check what selected them"
        raise DataError(msg)
    for name in names:
        absent = data[name].isna()
        if absent.any():
            msg = (
                f"{function}: {name} is missing in {int(absent.sum()):,} rows; every row needs "
                "it: complete the rows or leave them out"
            )
            raise DataError(msg, data[absent])


def ordered_visits(function: str, column: pd.Series, visits: Sequence[Any] | None) -> pd.Index:
    """The visits in order, in the column's own dtype.

    Those of `visits` as listed; else those that occur, in the order of the categories or numbers.

    Raises
    ------
    UsageError
        If the visits have no order, or `visits` repeats one or does not suit the column.
    DataError
        If a row stands at a visit that `visits` does not list.
    """
    if visits is None:
        return _sorted_visits(function, column)
    listed = _as_column(function, column, visits)
    outside = ~column.isin(listed)
    if outside.any():
        found = ", ".join(map(str, column[outside].unique()))
        msg = (
            f"{function}: {int(outside.sum()):,} rows have a {column.name} that visits= does "
            f"not list: {found}; list it, or leave those rows out"
        )
        raise DataError(msg)
    return listed


def _sorted_visits(function: str, column: pd.Series) -> pd.Index:
    """The visits that occur, each once, in order."""
    found = column.drop_duplicates()
    if isinstance(column.dtype, pd.CategoricalDtype):
        found = found.iloc[np.argsort(found.cat.codes.to_numpy())]
    elif pd.api.types.is_numeric_dtype(column.dtype):
        found = found.sort_values()
    else:
        msg = (
            f"{function}: {column.name} is neither a number nor categorical, so its visits have "
            "no order; make it categorical or list them in order"
        )
        raise UsageError(msg)
    order: pd.Index = pd.Index(found)
    return order


def _as_column(function: str, column: pd.Series, visits: Sequence[Any]) -> pd.Index:
    """`visits` as an index with the dtype of the column."""
    if len(set(visits)) < len(visits) or not len(visits):
        msg = f"{function}: visits= found {list(visits)}, expected each visit once"
        raise UsageError(msg)
    try:
        listed: pd.Index = pd.Index(pd.Series(list(visits)).astype(column.dtype))
    except (TypeError, ValueError):
        listed = pd.Index([])
    if list(listed) != list(visits):
        msg = (
            f"{function}: visits= found {list(visits)}, which are not values that {column.name} "
            f"(of type {column.dtype}) can have"
        )
        raise UsageError(msg)
    return listed


@dataclass(frozen=True, slots=True)
class Series:
    """Every row's place in the table of series × visits; a series is a subject, or its parameter.

    Attributes
    ----------
    series, visit : ndarray of int, shape (N,)
        Codes; series run in the sorted order of their keys.
    first : ndarray of int, shape (n,)
        A row of each series.
    row : ndarray of int, shape (n, T)
        The row at each visit, −1 where there is none.
    """

    series: IntArray
    visit: IntArray
    first: IntArray
    row: IntArray

    def table(self, values: Any, absent: Any) -> Any:
        """Row values as series × visits, `absent` where there is no row."""
        return np.where(self.row >= 0, values[self.row], absent)

    def constant(self, column: pd.Series, codes: IntArray, first: IntArray) -> BoolArray:
        """Which rows have the value of the first row with their code; missing equals missing."""
        values = pd.factorize(column)[0]
        same: BoolArray = values == values[first[codes]]
        return same


def find_series(
    function: str, data: pd.DataFrame, keys: Sequence[str], visit: str, visits: pd.Index
) -> Series:
    """Place the rows.

    Raises
    ------
    DataError
        If a subject has several rows at a visit; they are listed.
    """
    series, first = _codes(data, keys)
    at = visits.get_indexer(pd.Index(data[visit]))
    cell = series * len(visits) + at
    twice = np.bincount(cell, minlength=1)[cell] > 1
    if twice.any():
        rows = data.loc[twice, [*keys, visit]].sort_values([*keys, visit], kind="stable")
        msg = (
            f"{function}: {int(twice.sum()):,} rows share subject and visit with another; "
            "expected one row per subject and visit: select the analysis record (ANL01FL) and one "
            "parameter first"
        )
        raise DataError(msg, rows)
    row = np.full(len(first) * len(visits), -1, dtype=np.intp)
    row[cell] = np.arange(len(data))
    return Series(series, at, first, row.reshape(len(first), len(visits)))


def _codes(data: pd.DataFrame, keys: Sequence[str]) -> tuple[IntArray, IntArray]:
    """Codes of the distinct keys in sorted order, and a row of each."""
    codes = np.zeros(len(data), dtype=np.intp)
    for key in keys:
        own, levels = pd.factorize(data[key], sort=True)
        codes = codes * max(1, len(levels)) + own
    _, first, dense = np.unique(codes, return_index=True, return_inverse=True)
    return dense, first
