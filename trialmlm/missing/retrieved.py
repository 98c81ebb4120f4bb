"""Retrieved dropouts: subjects observed after their event stand for those who were not.

The imputation model gets an indicator of the visits after the event. Values observed there inform
its coefficient, and missing values there are imputed with it (treatment policy; Guizzaro et al.
2021, Wang and Hu 2022).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.choices import one_of
from trialmlm.missing.strategies import RETRIEVED

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import BoolArray, IntArray
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout

#: the indicator's column
AFTER_EVENT = "AFTER_EVENT"
#: by what the effect of the event differs -> the term of the model
TERMS: Mapping[str, str] = {
    "common": "{after}",
    "arm": "{after}:C({arm})",
    "arm-visit": "{after}:C({arm}):C({visit})",
}


def retrieved_cells(events: Events, n_visits: int) -> BoolArray:
    """Which cells are at or after an event whose strategy is retrieved-dropout, n × T."""
    own = np.array([strategy.name == RETRIEVED for strategy in events.strategies])
    found: BoolArray = own[events.strategy][:, None] & events.after(n_visits)
    return found


def with_indicator(
    model: str, layout: Layout, events: Events, retrieved: str
) -> tuple[str, Layout]:
    """The model with a term for what comes after the event, and the column it needs.

    Parameters
    ----------
    model : str
    layout : Layout
    events : Events
    retrieved : {"arm", "arm-visit", "common"}
        By what the effect of the event on the mean differs.

    Raises
    ------
    UsageError
        If `retrieved` is not known, or the data have the indicator's column.
    DataError
        If a value after the event is missing where none was observed; names arm and visit.
    """
    one_of("retrieved", retrieved, TERMS)
    after = retrieved_cells(events, len(layout.visits))
    if not after.any():
        return model, layout
    if AFTER_EVENT in layout.frame.columns:
        msg = f"impute: {RETRIEVED} adds a column {AFTER_EVENT}, which the data have; rename theirs"
        raise UsageError(msg)
    _check_observed(after, layout, retrieved)
    names = layout.names
    term = TERMS[retrieved].format(after=AFTER_EVENT, arm=names.arm, visit=names.visit)
    frame = layout.frame.assign(**{AFTER_EVENT: after.ravel().astype(float)})
    return f"{model} + {term}", replace(layout, frame=frame)


def _check_observed(after: BoolArray, layout: Layout, retrieved: str) -> None:
    """Where a value after the event is missing, one must have been observed."""
    pool = _pools(layout)[retrieved]
    informed = np.unique(pool[after & ~layout.missing])
    without = after & layout.missing & ~np.isin(pool, informed)
    if without.any():
        i, j = (int(place[0]) for place in np.nonzero(without))
        msg = (
            f"impute: {RETRIEVED} of subject {layout.subjects[i]} at {layout.visits[j]}: no "
            f"subject of arm {layout.arms[layout.arm[i]]} was observed there after its event "
            f"(retrieved={retrieved!r}); {_WIDER[retrieved]}"
        )
        raise DataError(msg)


_WIDER: Mapping[str, str] = {
    "common": "nobody was retrieved: use another strategy",
    "arm": "pool the arms by retrieved='common', or use another strategy",
    "arm-visit": "pool the visits by retrieved='arm', or use another strategy",
}


def _pools(layout: Layout) -> Mapping[str, IntArray]:
    """Cells that share a coefficient, n × T, by each way to pool."""
    n, visits = layout.Y.shape
    arm = np.broadcast_to(layout.arm[:, None], (n, visits))
    return {
        "common": np.zeros((n, visits), dtype=np.intp),
        "arm": arm,
        "arm-visit": arm * visits + np.arange(visits),
    }
