"""What the reader of an imputation should know of its data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.missing.retrieved import beyond_observed

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout

#: so many subjects are named
_SHOWN = 5


def remarks(layout: Layout, events: Events, n_fitted: int) -> Iterator[str]:
    """Sentences.

    Parameters
    ----------
    layout : Layout
    events : Events
    n_fitted : int
        Rows that the imputation model saw.
    """
    missing = layout.missing
    yield (
        f"{int(missing.sum()):,} of {missing.size:,} values imputed"
        if missing.any()
        else "no value is missing: the completed data are the data"
    )
    nothing = layout.subjects[np.flatnonzero(missing.all(axis=1))]
    if len(nothing):
        yield f"without any observed value, imputed from covariates alone: {listed(nothing)}"
    apart = int((~missing).sum()) - n_fitted
    if apart:
        yield (
            f"{apart:,} values observed after an event are kept in the completed data and "
            "conditioned on, but did not enter the imputation model"
        )
    if layout.set_aside:
        yield f"{layout.set_aside:,} values observed after an event were set aside and imputed"
    if len(events.overruled):
        count = len(events.overruled)
        yield f"{count:,} events come with or after another of their subject and rule nothing"
    yield from beyond_observed(layout)


def listed(subjects: pd.Index) -> str:
    """The first few by name, and how many more there are."""
    more = "" if len(subjects) <= _SHOWN else f" and {len(subjects) - _SHOWN} more"
    return ", ".join(map(str, subjects[:_SHOWN])) + more
