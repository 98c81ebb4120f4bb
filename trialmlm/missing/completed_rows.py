"""A completed data set as the analysis of a model or a user's function sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.series import require_columns

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from trialmlm.arrays import Array, IntArray
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout


def completed_values(layout: Layout, completions: Completions) -> Iterator[Array]:
    """The completed tables one after another, n × T: all of them at once may not fit."""
    for filling in range(len(completions)):
        yield completions.only(filling).tables(layout.Y)[0]


def completed_rows(layout: Layout, table: Array, counts: IntArray | None = None) -> pd.DataFrame:
    """The layout's frame with a completed response.

    Parameters
    ----------
    layout : Layout
    table : ndarray, shape (n, T)
    counts : ndarray of int, shape (n,), optional
        How often each subject stands in it; a subject drawn again is another one, ``01 (2)``.
    """
    frame = layout.frame.assign(**{layout.names.response: table.ravel()})
    if counts is None:
        return frame
    n_subjects, n_visits = table.shape
    drawn = np.repeat(np.arange(n_subjects), counts)
    again = np.arange(drawn.size) - np.repeat(np.cumsum(counts) - counts, counts)
    rows = (drawn[:, None] * n_visits + np.arange(n_visits)).ravel()
    labels = [
        label if k == 0 else f"{label} ({k + 1})"
        for label, k in zip(layout.subjects[drawn].astype(str), again, strict=True)
    ]
    made: pd.DataFrame = frame.iloc[rows].reset_index(drop=True)
    return made.assign(
        **{layout.names.subject: np.repeat(np.array(labels, dtype=object), n_visits)}
    )


def with_targets(
    layout: Layout, columns: frozenset[str], targets: Mapping[Any, float] | None
) -> pd.DataFrame:
    """The layout's frame with times at imputed visits: the visit's target, as the user gives it.

    Parameters
    ----------
    layout : Layout
    columns : frozenset of str
        Of the model.
    targets : mapping of visit to number, optional

    Returns
    -------
    DataFrame

    Raises
    ------
    UsageError
        If a visit is not one of the layout's, or targets are given and no time is missing.
    DataError
        If a column of the model is still missing somewhere; subjects and visits are listed.
    """
    names, used = layout.names, sorted(columns - {layout.names.response})
    require_columns("analyse", layout.frame, used)
    frame = layout.frame
    if targets is not None:
        time = _time(layout, used, targets)
        due = frame[names.visit].astype(object).map(dict(targets)).astype(float)
        frame = frame.assign(**{time: frame[time].astype(float).fillna(due)})
    absent = [name for name in used if frame[name].isna().any()]
    if absent:
        rows = frame.loc[frame[absent].isna().any(axis=1), [names.subject, names.visit, *absent]]
        msg = (
            f"analyse: {', '.join(absent)} missing where the response was imputed, expected a "
            "value in every row; a time takes its visit's target: give targets={visit: time}"
        )
        raise DataError(msg, rows)
    return frame


def _time(layout: Layout, used: list[str], targets: Mapping[Any, float]) -> str:
    """The one column with missing values."""
    unknown = [visit for visit in targets if visit not in layout.visits]
    if unknown:
        msg = f"analyse: targets: {unknown} are no visits of the data: {layout.visits.tolist()}"
        raise UsageError(msg)
    absent = [name for name in used if layout.frame[name].isna().any()]
    if len(absent) != 1:
        found = ", ".join(absent) or "none"
        msg = f"analyse: targets fill the one column with missing values, the time; found {found}"
        raise UsageError(msg)
    return absent[0]
