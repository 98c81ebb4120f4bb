"""From the rows of a data frame to every subject at every visit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import DataError
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import read_column
from trialmlm.missing.layout import Layout
from trialmlm.missing.series import find_series, ordered_visits, require_columns, require_rows
from trialmlm.missing.spread import spread

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from typing import Any

    from trialmlm.arrays import Array, IntArray
    from trialmlm.missing.layout import Names
    from trialmlm.missing.series import Series


def lay_out(
    data: pd.DataFrame,
    names: Names,
    covariates: Collection[str],
    visits: Sequence[Any] | None = None,
) -> Layout:
    """Complete the grid: a row for every subject of the data at every visit.

    Parameters
    ----------
    data : DataFrame
        At most one row per subject and visit.
    names : Names
    covariates : collection of str
        The other columns of the model; each must have a value in every row of the grid.
    visits : sequence, optional
        In order; needed where the visits are text, which has no order.

    Returns
    -------
    Layout
        A row that was absent takes what is constant within its subject, then what the visit
        determines (its label, its target day); any other column is missing there.

    Raises
    ------
    UsageError
        If a column is not there, or the visits have no order.
    DataError
        If a subject has two rows at a visit, or two arms; if the response is no number; if a
        covariate has no value at some visit of a subject. Subject and visit are listed.
    """
    keys = [names.subject, names.visit, names.arm]
    require_columns("impute", data, [*keys, names.response, *covariates])
    require_rows("impute", data, keys)
    scheduled = ordered_visits("impute", data[names.visit], visits)
    series = find_series("impute", data, [names.subject], names.visit, scheduled)
    arms, arm = _arms(data, names, series)
    frame = pd.DataFrame(spread(data, series, names.visit, _in_order(scheduled, visits)))
    _check_covariates(frame, names, covariates)
    column = read_column(data[names.response])
    if column.levels is not None:
        msg = f"impute: {names.response} is text or a factor; expected a column of numbers"
        raise DataError(msg)
    table: Array = series.table(np.where(column.missing, np.nan, column.values), absent=np.nan)
    frame[names.response] = table.ravel()
    subjects = pd.Index(data[names.subject].iloc[series.first])
    return Layout(subjects, pd.Index(scheduled), arms, arm, table, frame, names)


def _arms(data: pd.DataFrame, names: Names, series: Series) -> tuple[tuple[str, ...], IntArray]:
    """Labels of the arms that occur, and each subject's."""
    column = data[names.arm]
    changes = ~series.constant(column, series.series, series.first)
    if changes.any():
        msg = (
            f"impute: {names.arm} changes within a subject; expected one arm per subject, the one "
            "randomised to"
        )
        several = np.isin(series.series, series.series[changes])
        raise DataError(msg, data.loc[several, [names.subject, names.visit, names.arm]])
    found = read_column(column).take().as_factor()
    return tuple(map(level_text, found.levels or ())), found.codes[series.first]


def _in_order(scheduled: pd.Index, visits: Sequence[Any] | None) -> pd.Series:
    """The visits as a column; what was listed in order and is no number is categorical so."""
    if visits is None or pd.api.types.is_numeric_dtype(scheduled.dtype):
        return pd.Series(scheduled)
    return pd.Series(pd.Categorical(scheduled, categories=list(visits), ordered=True))


def _check_covariates(frame: pd.DataFrame, names: Names, covariates: Collection[str]) -> None:
    """A covariate without a value at some visit, where a response may have to be imputed."""
    for name in sorted(covariates):
        absent = frame[name].isna()
        if absent.any():
            msg = (
                f"impute: the covariate {name} has no value in {int(absent.sum()):,} rows of the "
                "grid of subjects × visits; a value cannot be imputed without it. A covariate "
                "that varies with the visit needs a row with its value at every visit; one that "
                "does not, a value per subject; or leave the subject or the covariate out"
            )
            raise DataError(msg, frame.loc[absent, [names.subject, names.visit, name]])
