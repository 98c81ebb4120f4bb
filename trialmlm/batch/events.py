"""Intercurrent events: the values that an estimand's strategies set aside."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import as_dates, as_text
from trialmlm.adam.roles import check_columns
from trialmlm.errors import DataError
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.schema import Protocol

#: under these, values after the event are not those the estimand asks about
SET_ASIDE = frozenset({"hypothetical"})


def set_aside(inputs: Inputs, estimand: str | None, frame: pd.DataFrame) -> pd.DataFrame:
    """The records without those after an event whose strategy is hypothetical.

    Parameters
    ----------
    inputs : Inputs
    estimand : str or None
        Key of the protocol; None sets nothing aside.
    frame : DataFrame
        Records with the subject's column and, where events are to be applied, ADT.

    Raises
    ------
    DataError
        If the events' data contradict the protocol, or the records have no dates.
    """
    if estimand is None:
        return frame
    strategies = inputs.protocol.estimand(estimand).events
    subject = as_text(frame[inputs.protocol.data.subjects.subject])
    after = pd.Series(data=False, index=frame.index)
    for event, strategy in strategies.items():
        if strategy in SET_ASIDE:
            first = subject.map(first_dates(inputs, event))
            if first.notna().any():
                _check_dates(frame, first, f"{event}: {strategy}")
                after |= frame["ADT"] > first
    return frame[~after].reset_index(drop=True) if after.any() else frame


def strategies_aside(protocol: Protocol, estimand: str | None) -> str:
    """The events after which values are set aside, in words; empty where there are none."""
    if estimand is None:
        return ""
    events = protocol.estimand(estimand).events.items()
    return ", ".join(f"{event}: {way}" for event, way in events if way in SET_ASIDE)


def _check_dates(frame: pd.DataFrame, first: pd.Series[pd.Timestamp], place: str) -> None:
    """Refuse records of which nobody can tell whether they are after the event."""
    if "ADT" not in frame.columns:
        raise DataError(
            f"{place} needs the date of each record to tell which are after the event; map it "
            "(date:)"
        )
    undated = first.notna() & frame["ADT"].isna()
    if undated.any():
        raise DataError(
            f"{place} needs the date of each record to tell which are after the event; "
            f"{int(undated.sum())} have none:",
            frame[undated],
        )


def first_dates(inputs: Inputs, event: str) -> pd.Series[pd.Timestamp]:
    """Subject -> date of the first such event, of the subjects who had it.

    Raises
    ------
    DataError
        If a column is not there, or an event has no date.
    """
    role = inputs.protocol.data.events[event]
    dataset = inputs.dataset(role)
    subject = role.subject or inputs.protocol.data.subjects.subject
    check_columns(dataset, {"subject": subject, "date": role.date})
    frame = dataset.frame
    if role.where is not None:
        frame = frame[read_where(role.where).mask(frame, dataset.name)]
    dates = as_dates(frame[role.date])
    if dates.isna().any():
        raise DataError(
            f"{dataset}: {int(dates.isna().sum())} event(s) {event} without a date in "
            f"{role.date}; complete them, with the imputed date where it was partial:",
            frame.loc[dates.isna(), [subject, role.date]],
        )
    found: pd.Series[pd.Timestamp] = dates.groupby(as_text(frame[subject])).min()
    return found
