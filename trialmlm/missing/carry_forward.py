"""Single imputation: the last, the baseline or the worst value carried forward."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.methods import METHODS, WORST, check_options, fillers_of
from trialmlm.missing.series import find_series, ordered_visits, require_columns, require_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.methods import Filler
    from trialmlm.missing.series import Series


def carry_forward(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str | Sequence[str],
    method: str = "locf",
    visits: Sequence[Any] | None = None,
    baseline: Filler | Sequence[Filler] | None = None,
    worst: str | None = None,
    by: str | Sequence[str] = (),
    derivation: str = "DTYPE",
) -> pd.DataFrame:
    """Fill missing values by carrying one value of the same subject to later visits.

    Parameters
    ----------
    data : DataFrame
        At most one row per subject and visit, post-baseline visits only: a baseline row would
        be carried forward as any other.
    subject, visit : str
        Columns. Visits are ordered as numbers or categories are, or as `visits` lists them.
    value : str or sequence of str
        The column to fill; of several (AVAL and CHG), the first decides what is missing and
        the others follow it.
    method : {"locf", "bocf", "wocf"}
        Last observation, baseline observation, or worst observation so far carried forward.
    visits : sequence, optional
        The scheduled visits in order; by default those that occur in the data.
    baseline : str or number, or a sequence of them, optional
        For ``bocf``, what each value column is filled with: a column that is constant within
        subjects, or a number (0 for a change from baseline).
    worst : {"higher", "lower"}, optional
        For ``wocf``, which end of the first value column is the worse.
    by : str or sequence of str
        Columns that, with the subject, set one series apart from another (PARAMCD).
    derivation : str
        The column that says how a value came about: LOCF, BOCF or WOCF where it was filled,
        what it said before (or '') elsewhere.

    Returns
    -------
    DataFrame
        One row for every subject (and `by`) × visit, sorted by them. Observed rows are as they
        were. A filled row also has the columns that are constant within its subject, and those
        that the visit determines (its label, its target day); other columns keep what its own
        row says and are missing where it had none. ``attrs["carry_forward"]`` counts: ``filled``
        rows, rows ``left_empty``, and ``subjects_without_value`` (series in which nothing was
        observed).

    Raises
    ------
    UsageError
        If an argument names what is not there, or the method needs another one.
    DataError
        If a subject has several rows at a visit, a row stands at a visit that is not
        scheduled, a key is missing, or a baseline varies within a subject.

    Notes
    -----
    Under ``locf`` and ``wocf`` a visit before the first observed one stays empty: the baseline
    is never carried. A value carried forward is not an observation, and standard errors from
    filled data do not know that; the method is here because protocols name it.

    Examples
    --------
    >>> d = pd.DataFrame({"USUBJID": "01", "AVISITN": [4, 8], "CHG": [-2.0, -3.0]})
    >>> f = carry_forward(d, subject="USUBJID", visit="AVISITN", value="CHG", visits=[4, 8, 12])
    >>> f[["AVISITN", "CHG", "DTYPE"]].to_numpy().tolist()
    [[4, -2.0, ''], [8, -3.0, ''], [12, -3.0, 'LOCF']]
    """
    values, keys = _names(value), (*_names(by), subject)
    check_options(method, {"baseline": baseline, "worst": worst})
    fillers = fillers_of(baseline, values)
    columns = [filler for filler in fillers if isinstance(filler, str)]
    require_columns("carry_forward", data, [*keys, visit, *values, *columns])
    require_rows("carry_forward", data, [*keys, visit])
    scheduled = ordered_visits("carry_forward", data[visit], visits)
    series = find_series("carry_forward", data, keys, visit, scheduled)
    _check_constant(series, data, subject, columns)

    first = data[values[0]]
    observed = series.table(first.notna().to_numpy(), absent=False)
    handed_on = METHODS[method].handed_on(observed, _badness(series, first, worst))
    source = _latest(handed_on)
    donor = np.where(observed | (source < 0), series.row, _pick(series.row, source))
    baselines = [_baseline(series, data, filler) for filler in fillers]
    filled = (~observed & (source >= 0)).ravel()
    if baselines:
        filled = filled | (~observed.ravel() & baselines[0].notna().to_numpy())

    made = _spread(data, series, visit, scheduled)
    for name in values:
        made[name] = _rows(data[name], donor.ravel())
    for name, replacement in zip(values, baselines, strict=False):
        made[name] = made[name].where(~filled, replacement)
    made[derivation] = _derivation(data, series, derivation, filled, method.upper())
    frame = pd.DataFrame(made)
    frame.attrs = {**data.attrs, "carry_forward": _counts(observed, filled)}
    return frame


def _names(given: str | Sequence[str]) -> tuple[str, ...]:
    return (given,) if isinstance(given, str) else tuple(given)


def _check_constant(
    series: Series, data: pd.DataFrame, subject: str, columns: Sequence[str]
) -> None:
    for name in columns:
        differs = ~series.constant(data[name], series.series, series.first)
        if differs.any():
            msg = (
                f"carry_forward: the baseline {name} varies within {subject}; expected one value "
                "per subject: correct it, or derive it again"
            )
            raise DataError(msg, data.loc[differs, [subject, name]])


def _badness(series: Series, column: pd.Series, worst: str | None) -> Array:
    """How bad each cell is, −∞ where nothing is observed; zeros where no method asks."""
    if worst is None:
        return np.zeros(series.row.shape)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        msg = f"carry_forward: wocf compares numbers, but {column.name} is {column.dtype}"
        raise UsageError(msg)
    signed = WORST[worst] * column.to_numpy(dtype=float, na_value=np.nan)
    table: Array = series.table(np.where(np.isnan(signed), -np.inf, signed), absent=-np.inf)
    return table


def _latest(handed_on: BoolArray) -> IntArray:
    """The latest visit so far that hands its value on, −1 before there is one."""
    visits = np.arange(handed_on.shape[1])
    found: IntArray = np.maximum.accumulate(np.where(handed_on, visits, -1), axis=1)
    return found


def _pick(row: IntArray, source: IntArray) -> IntArray:
    return np.take_along_axis(row, source.clip(0), axis=1)


def _rows(column: pd.Series, rows: IntArray) -> pd.Series:
    """The values at `rows`, missing at −1; the dtype is kept where it can be."""
    return column.set_axis(pd.RangeIndex(len(column))).reindex(rows).reset_index(drop=True)


def _baseline(series: Series, data: pd.DataFrame, filler: Filler) -> pd.Series:
    """What a value column is filled with, for every cell."""
    if isinstance(filler, str):
        return _rows(data[filler], np.repeat(series.first, series.row.shape[1]))
    return pd.Series(np.full(series.row.size, filler))


def _spread(
    data: pd.DataFrame, series: Series, visit: str, scheduled: pd.Index
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
            made[name] = _rows(column, by_subject)
        elif series.constant(column, series.visit, first_at).all():
            made[name] = _rows(column, by_visit)
        else:
            made[name] = _rows(column, series.row.ravel())
    made[visit] = pd.Series(scheduled).take(np.tile(places, n_series)).reset_index(drop=True)
    return made


def _derivation(
    data: pd.DataFrame, series: Series, name: str, filled: BoolArray, label: str
) -> pd.Series:
    """The label where filled; elsewhere what the row said, '' if nothing."""
    if name not in data.columns:
        return pd.Series(np.where(filled, label, ""))
    said = _rows(data[name].astype(object), series.row.ravel())
    return pd.Series(np.where(filled, label, said.where(said.notna(), "")).astype(str))


def _counts(observed: BoolArray, filled: BoolArray) -> dict[str, int]:
    return {
        "filled": int(filled.sum()),
        "left_empty": int((~observed.ravel() & ~filled).sum()),
        "subjects_without_value": int((~observed.any(axis=1)).sum()),
    }
