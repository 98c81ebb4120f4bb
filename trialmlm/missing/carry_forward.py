"""Single imputation: the last, the baseline, the worst or another value in place of a missing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.methods import (
    METHODS,
    OVER,
    WORST,
    caution,
    check_options,
    fillers_of,
)
from trialmlm.missing.series import find_series, ordered_visits, require_columns, require_rows
from trialmlm.missing.single_fill import Cells
from trialmlm.missing.spread import derivation as derivation_of
from trialmlm.missing.spread import rows_of, spread

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.methods import Filler
    from trialmlm.missing.series import Series
    from trialmlm.missing.single_fill import Filling


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
    over: str | None = None,
    k: int | None = None,
    within: str | None = None,
    by: str | Sequence[str] = (),
    derivation: str = "DTYPE",
) -> pd.DataFrame:
    """Fill missing values, each with one value: a comparator, never a primary analysis.

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
    method : {"locf", "bocf", "wocf", "mean-of-last", "worst-case", "nearest"}
        Last observation, baseline observation, or worst observation carried forward; the mean of
        the last `k` observed values (of fewer where there are fewer); the worst value of any
        subject at the visit; the mean at the visit of the `k` subjects whose values differ least
        (sum of squares) at the earlier visits at which the subject was observed.
    visits : sequence, optional
        The scheduled visits in order; by default those that occur in the data.
    baseline : str or number, or a sequence of them, optional
        For ``bocf``, what each value column is filled with: a column that is constant within
        subjects, or a number (0 for a change from baseline). For ``wocf``, a candidate for the
        worst value.
    worst : {"higher", "lower"}, optional
        For ``wocf`` and ``worst-case``, which end of the values is the worse.
    over : {"so-far", "all"}, optional
        For ``wocf``, whether the worst is looked for at the earlier visits (default), or at all
        those observed, later ones included.
    k : int, optional
        For ``mean-of-last`` and ``nearest``.
    within : str, optional
        For ``worst-case`` and ``nearest``, a column constant within subjects: only subjects with
        the same value of it (the arm, the reason of leaving) are looked at.
    by : str or sequence of str
        Columns that, with the subject, set one series apart from another (PARAMCD).
    derivation : str
        The column that says how a value came about: LOCF, BOCF, WOCF, MEAN OF LAST 2, WORST CASE
        or NEAREST 3 where it was filled, what it said before (or '') elsewhere.

    Returns
    -------
    DataFrame
        One row for every subject (and `by`) × visit, sorted by them. Observed rows are as they
        were. A filled row also has the columns that are constant within its subject, and those
        that the visit determines (its label, its target day); other columns keep what its own
        row says and are missing where it had none. ``attrs["carry_forward"]`` counts: ``filled``
        rows, rows ``left_empty``, and ``subjects_without_value`` (series in which nothing was
        observed); and says the ``method`` and the ``caution`` to print with it.

    Raises
    ------
    UsageError
        If an argument names what is not there, or the method needs another one.
    DataError
        If a subject has several rows at a visit, a row stands at a visit that is not
        scheduled, a key is missing, or a baseline varies within a subject.

    Notes
    -----
    Under ``locf``, ``mean-of-last`` and ``nearest`` a visit before the first observed one stays
    empty, under ``wocf`` unless a baseline is given or later visits count: the baseline is
    carried where it is named only. A value carried forward is not an observation, and standard
    errors from filled data do not know that; the methods are here because protocols name them.

    Rules that differ by arm or reason are applied to each part of the data, with `visits` given,
    and the parts put together again.

    Examples
    --------
    >>> d = pd.DataFrame({"USUBJID": "01", "AVISITN": [4, 8], "CHG": [-2.0, -3.0]})
    >>> f = carry_forward(d, subject="USUBJID", visit="AVISITN", value="CHG", visits=[4, 8, 12])
    >>> f[["AVISITN", "CHG", "DTYPE"]].to_numpy().tolist()
    [[4, -2.0, ''], [8, -3.0, ''], [12, -3.0, 'LOCF']]
    """
    values, keys = _names(value), (*_names(by), subject)
    given = {"baseline": baseline, "worst": worst, "over": over, "k": k, "within": within}
    check_options(method, given)
    fillers = fillers_of(baseline, values)
    columns = [name for name in (*fillers, within) if isinstance(name, str)]
    require_columns("carry_forward", data, [*keys, visit, *values, *columns])
    require_rows("carry_forward", data, [*keys, visit, *_names(within or ())])
    scheduled = ordered_visits("carry_forward", data[visit], visits)
    series = find_series("carry_forward", data, keys, visit, scheduled)
    _check_constant(series, data, subject, columns)

    rule = METHODS[method]
    cells = Cells(
        observed=series.table(data[values[0]].notna().to_numpy(), absent=False),
        values=tuple(_table(series, data, name) for name in values) if rule.numeric else (),
        baselines=tuple(_baseline(series, data, filler) for filler in fillers),
        group=_group(data, series, [*_names(by), *_names(within or ())]),
        sign=WORST[worst or "higher"],
        later=OVER[over or "so-far"],
        k=k or 1,
    )
    made = spread(data, series, visit, scheduled)
    filled = _fill(made, data, series, values, cells.observed, rule.fill(cells))
    made[derivation] = derivation_of(data, series, derivation, filled, rule.label.format(k=k))
    frame = pd.DataFrame(made)
    said = {"method": method, "caution": caution(method)}
    frame.attrs = {**data.attrs, "carry_forward": _counts(cells.observed, filled) | said}
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
                f"carry_forward: {name} varies within {subject}; expected one value per subject: "
                "correct it, or derive it again"
            )
            raise DataError(msg, data.loc[differs, [subject, name]])


def _numbers(data: pd.DataFrame, name: str) -> Array:
    column = data[name]
    if not pd.api.types.is_numeric_dtype(column.dtype):
        msg = f"carry_forward: the method needs numbers, but {name} is {column.dtype}"
        raise UsageError(msg)
    values: Array = column.to_numpy(dtype=float, na_value=np.nan)
    return values


def _table(series: Series, data: pd.DataFrame, name: str) -> Array:
    table: Array = series.table(_numbers(data, name), absent=np.nan)
    return table


def _baseline(series: Series, data: pd.DataFrame, filler: Filler) -> Array:
    """The baseline of every series."""
    if isinstance(filler, str):
        return _numbers(data, filler)[series.first]
    return np.full(len(series.first), float(filler))


def _group(data: pd.DataFrame, series: Series, names: Sequence[str]) -> IntArray:
    """Codes of the series that are compared with one another."""
    if not names:
        return np.zeros(len(series.first), dtype=np.intp)
    firsts = data.iloc[series.first].groupby(list(names), sort=True, observed=True)
    return np.asarray(firsts.ngroup(), dtype=np.intp)


def _fill(
    made: dict[str, pd.Series],
    data: pd.DataFrame,
    series: Series,
    values: Sequence[str],
    observed: BoolArray,
    filling: Filling,
) -> BoolArray:
    """Put the filling into the columns of `made`; which cells it filled."""
    source = np.where(observed, -1, filling.source)
    handed_on = np.take_along_axis(series.row, source.clip(0), axis=1)
    donor = np.where(source < 0, series.row, handed_on).ravel()
    for name in values:
        made[name] = rows_of(data[name], donor)
    filled = (source >= 0).ravel()
    if filling.numbers:
        own = (~observed & ~np.isnan(filling.numbers[0])).ravel()
        for name, numbers in zip(values, filling.numbers, strict=True):
            made[name] = _replaced(made[name], own, numbers.ravel())
        filled = filled | own
    return filled


def _replaced(column: pd.Series, own: BoolArray, numbers: Array) -> pd.Series:
    """The column with numbers in some cells; its dtype is kept where it can hold them."""
    if not own.any():
        return column
    made = pd.Series(np.where(own, numbers, column.to_numpy(dtype=float, na_value=np.nan)))
    fractions = column.dtype.kind in "iu" and bool((numbers[own] % 1 != 0).any())
    return made if fractions else made.astype(column.dtype)


def _counts(observed: BoolArray, filled: BoolArray) -> dict[str, int]:
    return {
        "filled": int(filled.sum()),
        "left_empty": int((~observed.ravel() & ~filled).sum()),
        "subjects_without_value": int((~observed.any(axis=1)).sum()),
    }
