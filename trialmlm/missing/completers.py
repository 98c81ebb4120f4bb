"""The subjects observed to the end."""

from __future__ import annotations

from collections.abc import Hashable
from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.missing.series import ordered_visits, require_columns, require_rows

if TYPE_CHECKING:
    import pandas as pd


def completers(
    data: pd.DataFrame, *, subject: str, visit: str, value: str, at: Any = None
) -> pd.DataFrame:
    """The rows of the subjects who completed.

    Parameters
    ----------
    data : DataFrame
        One row per subject and visit, one parameter.
    subject, visit, value : str
        Columns; a visit is observed where `value` is not missing.
    at : optional
        The visit that a completer is observed at: by default the last, as numbers or categories
        are ordered; ``"all"`` for every visit that occurs in the data.

    Returns
    -------
    DataFrame
        All rows of those subjects, as they stand in `data`.

    Raises
    ------
    UsageError
        If a column or the visit is not there, or the visits have no order to be last in.
    DataError
        If there are no rows.

    Notes
    -----
    Who completes is known only after randomisation: comparing completers by arm is not a
    randomised comparison.

    Examples
    --------
    >>> completers(d, subject="USUBJID", visit="AVISITN", value="CHG", at=24)  # doctest: +SKIP
    """
    require_columns("completers", data, [subject, visit, value])
    require_rows("completers", data, [])
    required = _required(data[visit], at)
    observed = data[data[value].notna() & data[visit].isin(required)]
    reached = observed.groupby(subject, observed=True)[visit].nunique()
    finished = reached.index[reached == len(required)]
    return data[data[subject].isin(finished)]


def _required(column: pd.Series, at: Any) -> list[Any]:
    """The visits at which a completer is observed."""
    if at is None:
        return [ordered_visits("completers", column.dropna(), None)[-1]]
    occurring = column.dropna().unique()
    if isinstance(at, str) and at == "all":
        return list(occurring)
    if not isinstance(at, Hashable) or at not in list(occurring):
        listed = ", ".join(map(str, occurring))
        msg = f"completers: at= found {at!r}, expected 'all' or a visit of {column.name}: {listed}"
        raise UsageError(msg)
    return [at]
