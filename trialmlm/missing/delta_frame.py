"""A delta for each imputed value, as a frame says it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.imputed_cells import observed_cells

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout


def delta_frame(layout: Layout, completions: Completions, delta: Array) -> pd.DataFrame:
    """What is added to each imputed value: subject, visit, arm, delta; a template to fill in.

    Parameters
    ----------
    layout : Layout
    completions : Completions
    delta : ndarray, shape (k,)
    """
    names, subject, visit = layout.names, completions.subject, completions.visit
    arms = np.array(layout.arms, dtype=object)
    return pd.DataFrame(
        {
            names.subject: layout.subjects[subject],
            names.visit: layout.visits[visit],
            names.arm: arms[layout.arm[subject]],
            "delta": delta,
        }
    )


def read_delta(frame: pd.DataFrame, layout: Layout, completions: Completions) -> Array:
    """Read what is added to each imputed value; one that is not listed gets 0.

    Parameters
    ----------
    frame : DataFrame
        The subject and visit, in columns called as in the data or ``subject`` and ``visit``, and
        ``delta``, in the response's unit.
    layout : Layout
    completions : Completions

    Returns
    -------
    ndarray, shape (k,)

    Raises
    ------
    UsageError
        If a column is missing.
    DataError
        At a subject or visit that the data do not have, two rows for the same, a delta that is no
        number, or one other than 0 for a value that was not imputed. The rows are listed.
    """
    names = layout.names
    subject = _column(frame, (names.subject, "subject"))
    visit = _column(frame, (names.visit, "visit"))
    amount = pd.to_numeric(_column(frame, ("delta",)), errors="coerce").to_numpy(dtype=float)
    who = _places("subject", frame, subject, layout.subjects)
    when = _places("visit", frame, visit, layout.visits)
    _refuse(frame, ~np.isfinite(amount), "no number in delta; give a number, 0 for no change")
    cell = who * len(layout.visits) + when
    _refuse(frame, np.bincount(cell, minlength=1)[cell] > 1 if cell.size else np.zeros(0, bool),
            "the same subject and visit as another row; give one delta for each")  # fmt: skip
    _refuse(frame, observed_cells(layout, completions, who, when) & (amount != 0),
            "a delta for a value that was observed; a delta shifts imputed values only: leave "
            "the row out or give 0")  # fmt: skip
    table = np.zeros(layout.Y.shape)
    table[who, when] = amount
    found: Array = table[completions.subject, completions.visit]
    return found


def _column(frame: pd.DataFrame, names: tuple[str, ...]) -> pd.Series:
    for name in names:
        if name in frame.columns:
            return frame[name]
    listed = ", ".join(map(str, frame.columns))
    msg = f"delta: no column {' or '.join(dict.fromkeys(names))} (columns: {listed})"
    raise UsageError(msg)


def _places(what: str, frame: pd.DataFrame, column: pd.Series, known: pd.Index) -> IntArray:
    found: IntArray = pd.Index(known.astype(object)).get_indexer(pd.Index(column.astype(object)))
    _refuse(frame, found < 0, f"a {what} that the data do not have; correct it or leave it out")
    return found


def _refuse(
    frame: pd.DataFrame, wrong: np.ndarray[tuple[int], np.dtype[np.bool_]], why: str
) -> None:
    if wrong.any():
        msg = f"delta: {int(wrong.sum())} rows with {why}"
        raise DataError(msg, frame[wrong])
