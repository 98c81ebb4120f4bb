"""The columns of a data frame over all cells of subjects × visits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from trialmlm.arrays import BoolArray, IntArray
    from trialmlm.missing.series import Series


def rows_of(column: pd.Series, rows: IntArray) -> pd.Series:
    """The values at `rows`, missing at −1; the dtype is kept where it can be."""
    return column.set_axis(pd.RangeIndex(len(column))).reindex(rows).reset_index(drop=True)


def spread(
    data: pd.DataFrame, series: Series, visit: str, scheduled: pd.Index | pd.Series
) -> dict[str, pd.Series]:
    """Every column over all cells: a subject's own, a visit's own, else the row's own."""
    n_series, n_visits = series.row.shape
    places = np.arange(n_visits)
    first_at = series.row[(series.row >= 0).argmax(axis=0), places]
    by_subject, by_visit = np.repeat(series.first, n_visits), np.tile(first_at, n_series)
    made = {}
    for name in data.columns:
        column = data[name]
        if series.constant(column, series.series, series.first).all():
            made[name] = rows_of(column, by_subject)
        elif series.constant(column, series.visit, first_at).all():
            made[name] = rows_of(column, by_visit)
        else:
            made[name] = rows_of(column, series.row.ravel())
    made[visit] = pd.Series(scheduled).take(np.tile(places, n_series)).reset_index(drop=True)
    return made


def derivation(
    data: pd.DataFrame, series: Series, name: str, filled: BoolArray, label: str
) -> pd.Series:
    """The label where filled; elsewhere what the row said, '' if nothing."""
    if name not in data.columns:
        return pd.Series(np.where(filled, label, ""))
    said = rows_of(data[name].astype(object), series.row.ravel())
    return pd.Series(np.where(filled, label, said.where(said.notna(), "")).astype(str))
