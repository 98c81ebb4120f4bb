"""Retrieved dropouts: subjects observed after their event stand for those who were not.

The imputation model lets the mean shift after the event. Values observed there inform the shift,
and missing values there are imputed with it (treatment policy; Guizzaro et al. 2021, Wang and Hu
2022). The shift may grow with the time since the event, as the model RD1 of rbmi's vignette on
retrieved dropouts has it; see :mod:`trialmlm.missing.retrieved_forms`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.choices import one_of
from trialmlm.missing.retrieved_forms import AFTER_EVENT, FORMS, TIME_AFTER_EVENT
from trialmlm.missing.strategies import RETRIEVED
from trialmlm.missing.visit_times import visit_times

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.missing.events import Events
    from trialmlm.missing.layout import Layout


def retrieved_cells(events: Events, n_visits: int) -> BoolArray:
    """Which cells are at or after an event whose strategy is retrieved-dropout, n × T."""
    own = np.array([strategy.name == RETRIEVED for strategy in events.strategies])
    found: BoolArray = own[events.strategy][:, None] & events.after(n_visits)
    return found


def check_targets(retrieved: str, targets: Mapping[Any, float] | None) -> None:
    """Times of visits belong to a shift that changes with time, which cannot do without.

    Raises
    ------
    UsageError
        Also if `retrieved` is not known.
    """
    timed = FORMS[one_of("retrieved", retrieved, FORMS)].timed
    if timed and targets is None:
        msg = (
            "targets: found none, expected the time of every visit, as targets={'Week 4': 28, "
            "'Week 8': 56}: retrieved='arm-time' shifts the mean by the time since the event, "
            "and labels of visits are no times"
        )
        raise UsageError(msg)
    if targets is not None and not timed:
        msg = f"targets: retrieved={retrieved!r} uses no times; leave them out, or use 'arm-time'"
        raise UsageError(msg)


def with_shift(
    model: str,
    layout: Layout,
    events: Events,
    retrieved: str,
    targets: Mapping[Any, float] | None = None,
) -> tuple[str, Layout]:
    """The model with terms for what comes after the event, and the columns they need.

    Parameters
    ----------
    model : str
    layout : Layout
    events : Events
    retrieved : {"arm", "arm-visit", "arm-time", "common"}
        By what the effect of the event on the mean differs.
    targets : mapping of visit to number, optional
        The time of every visit, for "arm-time".

    Raises
    ------
    UsageError
        If `retrieved` or a time is not known, or the data have a column that is to be added.
    DataError
        If a value after the event is missing and nobody observed tells its shift; names the arms
        and visits.
    """
    check_targets(retrieved, targets)
    form = FORMS[retrieved]
    times = visit_times(targets, layout) if form.timed else None
    after = retrieved_cells(events, len(layout.visits))
    if not after.any():
        return model, layout
    columns = {AFTER_EVENT: after.astype(float)}
    _check_observed(after, layout, retrieved)
    if times is not None:
        columns[TIME_AFTER_EVENT] = _time_since(times, events, after)
        _check_times(columns[TIME_AFTER_EVENT], after, layout)
    _check_free(columns, layout)
    names = layout.names
    term = form.term.format(arm=names.arm, visit=names.visit)
    frame = layout.frame.assign(**{name: column.ravel() for name, column in columns.items()})
    return f"{model} + {term}", replace(layout, frame=frame)


def _check_free(columns: Mapping[str, Array], layout: Layout) -> None:
    for name in columns:
        if name in layout.frame.columns:
            msg = f"impute: {RETRIEVED} adds a column {name}, which the data have; rename theirs"
            raise UsageError(msg)


def _time_since(times: Array, events: Events, after: BoolArray) -> Array:
    """Time since the first visit affected, n × T; 0 before it."""
    first = times[np.minimum(events.first, times.size - 1)]
    found: Array = np.where(after, times - first[:, None], 0.0)
    return found


def _check_observed(after: BoolArray, layout: Layout, retrieved: str) -> None:
    """Where a value after the event is missing, one must have been observed."""
    form = FORMS[retrieved]
    pool = form.pools(layout)
    informed = np.unique(pool[after & ~layout.missing])
    without = after & layout.missing & ~np.isin(pool, informed)
    if without.any():
        subject, visit = np.nonzero(without)
        places = np.unique(pool[without], return_index=True)[1]
        empty = " or ".join(form.named(layout, subject[k], visit[k]) for k in places)
        advice = form.advice if informed.size else "nobody was, so use another strategy"
        msg = (
            f"impute: {RETRIEVED}: no subject of {empty} was observed after its event, so the "
            f"shift of the mean is not known (retrieved={retrieved!r}; first needed for subject "
            f"{layout.subjects[subject[0]]} at {layout.visits[visit[0]]}); {advice}"
        )
        raise DataError(msg)


def _check_times(since: Array, after: BoolArray, layout: Layout) -> None:
    """A line needs two times at which somebody was observed, unless only one is asked for."""
    for arm, label in enumerate(layout.arms):
        own = after & (layout.arm == arm)[:, None]
        observed = np.unique(since[own & ~layout.missing])
        asked = own & layout.missing & ~np.isin(since, observed)
        if observed.size == 1 and asked.any():
            i, j = (int(place[0]) for place in np.nonzero(asked))
            msg = (
                f"impute: subjects of arm {label} were observed after their event at one time "
                f"alone, {observed[0]:g} after the first visit affected, which does not tell how "
                f"the mean changes with time (retrieved='arm-time'; first needed for subject "
                f"{layout.subjects[i]} at {layout.visits[j]}, {since[i, j]:g} after it); use "
                "retrieved='arm', or another strategy"
            )
            raise DataError(msg)


def beyond_observed(layout: Layout) -> Iterator[str]:
    """Arms of which values are imputed later after the event than any was observed: sentences.

    Parameters
    ----------
    layout : Layout
        With the columns that `with_shift` adds, if it did.
    """
    if TIME_AFTER_EVENT not in layout.frame.columns:
        return
    since = layout.frame[TIME_AFTER_EVENT].to_numpy().reshape(layout.Y.shape)
    for arm, label in enumerate(layout.arms):
        own = (layout.arm == arm)[:, None]
        asked, known = (since[own & cells].max(initial=0.0) for cells in _split(layout))
        if asked > known:
            yield (
                f"{RETRIEVED}: {label} has values imputed up to {asked:g} after the first visit "
                f"affected (in the unit of targets) and observed up to {known:g}: beyond, the "
                "shift goes on along its line"
            )


def _split(layout: Layout) -> tuple[BoolArray, BoolArray]:
    """What is missing, and what was observed."""
    return layout.missing, ~layout.missing
