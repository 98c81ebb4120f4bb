"""Subjects × visits: who was observed when, and what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import read_column
from trialmlm.missing.series import find_series, ordered_visits, require_columns, require_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.series import Series

#: the arm of everyone where no arm is named
EVERYONE = "all subjects"


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """The values of every subject at every visit.

    Attributes
    ----------
    subjects : Index, length n
        Labels, sorted.
    visits : Index, length T
        Labels in order.
    arms : tuple of str
        Labels; one, :data:`EVERYONE`, where no arm is named.
    arm : ndarray of int, shape (n,)
        Each subject's arm, an index of `arms`.
    Y : ndarray, shape (n, T)
        NaN where nothing was observed.
    first : ndarray of int, shape (n,)
        A row of each subject in the data.
    """

    subjects: pd.Index
    visits: pd.Index
    arms: tuple[str, ...]
    arm: IntArray
    Y: Array
    first: IntArray

    @property
    def seen(self) -> BoolArray:
        """Which cells are observed, n × T."""
        found: BoolArray = ~np.isnan(self.Y)
        return found

    @property
    def last(self) -> IntArray:
        """Position of the last visit observed, −1 where there is none, shape (n,)."""
        return last_seen(self.seen)

    @property
    def left(self) -> BoolArray:
        """Who was not observed at the last visit, shape (n,)."""
        found: BoolArray = ~self.seen[:, -1]
        return found


def last_seen(seen: BoolArray) -> IntArray:
    """Position of the last true cell of each row, −1 where there is none."""
    backwards = seen[:, ::-1].argmax(axis=1)
    found: IntArray = np.where(seen.any(axis=1), seen.shape[1] - 1 - backwards, -1)
    return found


def observe(
    function: str,
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str | None = None,
    visits: Sequence[Any] | None = None,
) -> Observed:
    """Lay the values out.

    Parameters
    ----------
    function : str
        Who asks, for the messages.
    data : DataFrame
        At most one row per subject and visit. A subject is known by its rows: one without a
        value still counts, one without a row does not.
    subject, visit, value, arm : str
        Columns.
    visits : sequence, optional
        The scheduled visits in order; by default those that occur.

    Raises
    ------
    UsageError
        If a column is not there, the value is no number, or the visits have no order.
    DataError
        If a key is missing, a subject has two rows at a visit or two arms, or a value is infinite.
    """
    keys = [subject, visit, *([arm] if arm else [])]
    require_columns(function, data, [*keys, value])
    require_rows(function, data, keys)
    scheduled = ordered_visits(function, data[visit], visits)
    series = find_series(function, data, [subject], visit, scheduled)
    values = numbers_of(function, data, value, [subject, visit])
    arms, codes = _arms(function, data, series, subject, arm)
    table = series.table(values, np.nan)
    subjects = pd.Index(data[subject].iloc[series.first])
    return Observed(subjects, scheduled, arms, codes, table, series.first)


def numbers_of(function: str, data: pd.DataFrame, name: str, keys: Sequence[str]) -> Array:
    """A column as numbers, NaN where missing.

    Raises
    ------
    UsageError
        If the column is not of numbers.
    DataError
        If a value is infinite; the rows are listed with their keys.
    """
    column = data[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        msg = f"{function}: {name} is {column.dtype}; expected a column of numbers"
        raise UsageError(msg)
    values: Array = column.to_numpy(dtype=float, na_value=np.nan)
    if np.isinf(values).any():
        msg = f"{function}: {name} is infinite in {int(np.isinf(values).sum()):,} rows; correct it"
        raise DataError(msg, data.loc[np.isinf(values), [*keys, name]])
    return values


def _arms(
    function: str, data: pd.DataFrame, series: Series, subject: str, arm: str | None
) -> tuple[tuple[str, ...], IntArray]:
    """Labels of the arms, and each subject's."""
    if arm is None:
        return (EVERYONE,), np.zeros(len(series.first), dtype=np.intp)
    require_constant(function, data, series, subject, arm, "is randomised to one arm")
    read = read_column(data[arm]).take().as_factor()
    return tuple(map(level_text, read.levels or ())), read.codes[series.first]


def require_constant(
    function: str, data: pd.DataFrame, series: Series, subject: str, name: str, why: str
) -> None:
    """Refuse a column that varies within a subject.

    Raises
    ------
    DataError
        The rows are listed.
    """
    differs = ~series.constant(data[name], series.series, series.first)
    if differs.any():
        msg = f"{function}: {name} varies within {subject}, but a subject {why}: correct it"
        raise DataError(msg, data.loc[differs, [subject, name]])
