"""Completed data as frames: one row per subject and visit, and imputation."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout

#: columns that a completed frame has of its own
OWN_COLUMNS = ("imputation", "imputed", "strategy")
_DERIVATION = "DTYPE"


def completed_frame(
    layout: Layout, events: Events, completions: Completions, derivation: str, *, numbered: bool
) -> pd.DataFrame:
    """The layout's frame, its missing values filled, once for each filling.

    Parameters
    ----------
    layout : Layout
    events : Events
    completions : Completions
    derivation : str
        What DTYPE says of a value that was imputed.
    numbered : bool
        Whether an imputation has a number, from 1.
    """
    times, rows = len(completions), len(layout.frame)
    frame = layout.frame.iloc[np.tile(np.arange(rows), times)].reset_index(drop=True)
    frame[layout.names.response] = completions.tables(layout.Y).ravel()
    imputed = np.tile(layout.missing.ravel(), times)
    frame["imputed"] = imputed
    frame["strategy"] = np.tile(cell_strategies(layout, events), times)
    frame[_DERIVATION] = np.where(imputed, derivation, _said(frame))
    if numbered:
        frame.insert(0, "imputation", np.repeat(np.arange(1, times + 1), rows))
    return frame


def _said(frame: pd.DataFrame) -> Array | str:
    """What DTYPE said of observed values."""
    if _DERIVATION not in frame.columns:
        return ""
    column = frame[_DERIVATION].astype(object)
    said: Array = column.where(column.notna(), "").to_numpy()
    return said


def cell_strategies(layout: Layout, events: Events) -> Array:
    """The strategy by which each cell was imputed, '' where it was observed, (n·T,)."""
    names = np.array([strategy.name for strategy in events.strategies], dtype=object)
    throughout = np.array([strategy.throughout for strategy in events.strategies])
    affected = events.after(len(layout.visits)) | throughout[events.strategy][:, None]
    own = np.where(affected, names[events.strategy][:, None], names[0])
    found: Array = np.where(layout.missing, own, "").ravel()
    return found


def imputed_counts(layout: Layout, events: Events) -> pd.DataFrame:
    """How many values were imputed: arm, visit, strategy, subjects of the arm, imputed."""
    n, visits = layout.Y.shape
    table = pd.DataFrame(
        {
            "arm": np.repeat(np.array(layout.arms, dtype=object)[layout.arm], visits),
            "place": np.tile(np.arange(visits), n),
            "strategy": cell_strategies(layout, events),
        }
    )[layout.missing.ravel()]
    found = table.groupby(["arm", "place", "strategy"], as_index=False).size()
    sizes = dict(zip(layout.arms, np.bincount(layout.arm, minlength=len(layout.arms)), strict=True))
    return pd.DataFrame(
        {
            "arm": found["arm"],
            "visit": layout.visits[found["place"].to_numpy(dtype=int)],
            "strategy": found["strategy"],
            "subjects": found["arm"].map(sizes).astype(int),
            "imputed": found["size"].astype(int),
        }
    )


def check_own_columns(data: pd.DataFrame) -> None:
    """Refuse what is no frame, or has a column of the completed frame already.

    Raises
    ------
    UsageError
    """
    if not isinstance(data, pd.DataFrame):
        msg = f"data: found {type(data).__name__}, expected a pandas DataFrame"
        raise UsageError(msg)
    for name in OWN_COLUMNS:
        if name in data.columns:
            msg = f"impute: completed data have their own column {name}; rename that of the data"
            raise UsageError(msg)
