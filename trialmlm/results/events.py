"""The intercurrent events of the subjects, and what became of the values after each."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class EventRecord:
    """The first of an intercurrent event in one subject, as an estimand deals with it.

    Attributes
    ----------
    estimand, endpoint, population : str
        Keys of the protocol.
    subject : str
    arm : str
        Key of the arm.
    event : str
        Key of the protocol.
    reason : str
        As the data word it; empty where they hold none.
    date : str
        ISO 8601.
    day : int
        Study day.
    strategy : str
        ``treatment-policy``, ``hypothetical``, ``composite`` or ``while-on-treatment``.
    visits : str
        The visits at which it rules, in order, joined by ``", "``.
    values : int
        Observed values at those visits: kept, set aside, made failures or cut, as the strategy has
        it.
    gaps : int
        Those visits at which no value was observed.
    ruling : str
        ``rules``; or why it does not: the event that does, or that no visit follows it.
    """

    estimand: str
    endpoint: str
    population: str
    subject: str
    arm: str
    event: str
    reason: str
    date: str
    day: int
    strategy: str
    visits: str
    values: int
    gaps: int
    ruling: str


#: the columns, in order
EVENT_COLUMNS = tuple(field.name for field in fields(EventRecord))


def events_frame(events: Iterable[EventRecord]) -> pd.DataFrame:
    """One row per subject and event."""
    rows = [[getattr(event, name) for name in EVENT_COLUMNS] for event in events]
    return pd.DataFrame(rows, columns=pd.Index(EVENT_COLUMNS))


def events_csv(events: Iterable[EventRecord]) -> str:
    """The events as CSV."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(EVENT_COLUMNS)
    writer.writerows([getattr(event, name) for name in EVENT_COLUMNS] for event in events)
    return out.getvalue()
