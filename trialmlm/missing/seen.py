"""What the imputation model sees: values observed, but those set apart by an event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.errors import DataError

if TYPE_CHECKING:
    import numpy as np

    from trialmlm.arrays import BoolArray
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout


def seen_cells(layout: Layout, events: Events, group: str | None = None) -> BoolArray:
    """Which cells the imputation model sees, n × T.

    Parameters
    ----------
    layout : Layout
    events : Events
    group : str, optional
        The column by which the covariance differs.

    Raises
    ------
    DataError
        If it sees no value of an arm, at a visit, or of a level of `group`; names it.
    """
    seen = ~layout.missing & ~events.set_apart(len(layout.visits))
    for place, visit in enumerate(layout.visits):
        _require(seen[:, place].any(), f"at {visit}", "leave the visit out")
    for arm, label in enumerate(layout.arms):
        _require(seen[layout.arm == arm].any(), f"in arm {label}", "leave the arm out")
    levels = layout.frame[group].iloc[:: len(layout.visits)] if group else pd.Series([])
    for level in levels.unique():
        where = f"where {group} is {level}"
        _require(seen[(levels == level).to_numpy()].any(), where, "leave those subjects out")
    return seen


def _require(found: np.bool_, where: str, advice: str) -> None:
    if not found:
        msg = (
            f"impute: nothing was observed {where} that the imputation model may see (values "
            f"after an event that is not mar do not count); {advice}, or correct the response"
        )
        raise DataError(msg)
