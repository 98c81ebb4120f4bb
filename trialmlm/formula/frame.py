"""The rows of a data frame that a model uses, and why the others are not used."""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.variables import Column, Variable, read_column

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trialmlm.arrays import IntArray


@dataclass(frozen=True, slots=True)
class ModelFrame:
    """The complete rows, as variables.

    Attributes
    ----------
    variables : mapping of str to Variable
    rows : ndarray of int
        Positions of the used rows in the data given.
    n_read : int
        Rows of the data given.
    absent : mapping of str to int
        How many of the rows read have the column missing.
    labels : Index
        The index of the used rows in the data given.
    given : mapping of str to Column
        The same columns on all rows of the data given, missing values and all.
    """

    variables: Mapping[str, Variable]
    rows: IntArray
    n_read: int
    absent: Mapping[str, int]
    labels: pd.Index
    given: Mapping[str, Column]


def model_frame(data: pd.DataFrame, names: Iterable[str]) -> ModelFrame:
    """Keep the rows without a missing value in `names`.

    Raises
    ------
    FitError
        If a column is not there, or no row is complete.
    UsageError
        If `data` is no data frame.
    """
    if not isinstance(data, pd.DataFrame):
        msg = f"data: found {type(data).__name__}, expected a pandas DataFrame"
        raise UsageError(msg)
    wanted = tuple(dict.fromkeys(names))
    for name in wanted:
        _require(name, data)
    return frame_of({name: read_column(data[name]) for name in wanted}, data.index)


def frame_of(columns: Mapping[str, Column], index: pd.Index) -> ModelFrame:
    """Keep the rows of columns that were read without a missing value.

    Raises
    ------
    FitError
        If no row is complete.
    """
    complete = ~np.logical_or.reduce([column.missing for column in columns.values()])
    rows = np.flatnonzero(complete)
    absent = {
        name: int(column.missing.sum()) for name, column in columns.items() if column.missing.any()
    }
    if not rows.size:
        listed = ", ".join(f"{name} ({count:,})" for name, count in absent.items())
        msg = f"no complete row among {len(index):,}; missing values: {listed or 'no rows at all'}"
        raise FitError(msg)
    kept = rows if rows.size < len(index) else None
    found = {name: column.take(kept) for name, column in columns.items()}
    labels = index if kept is None else index[kept]
    return ModelFrame(found, rows, len(index), absent, labels, columns)


def _require(name: str, data: pd.DataFrame) -> None:
    count = list(data.columns).count(name)
    if count == 1:
        return
    if count > 1:
        msg = f"the data have {count} columns named {name}; keep one"
        raise FitError(msg)
    columns = [column for column in data.columns if isinstance(column, str)]
    near = difflib.get_close_matches(name, columns, n=1)
    hint = f"; did you mean {near[0]}?" if near else ""
    msg = f"the data have no column {name}{hint} (columns: {', '.join(columns)})"
    raise FitError(msg)
