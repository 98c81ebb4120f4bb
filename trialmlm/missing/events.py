"""Intercurrent events of imputation: from which visit on a subject is imputed in which way."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.others import and_others
from trialmlm.missing.strategies import MAR, find_strategy

if TYPE_CHECKING:
    from trialmlm.arrays import BoolArray, IntArray
    from trialmlm.missing.layout import Layout, Names
    from trialmlm.missing.strategies import Strategy


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """The event that rules each subject: the first in time.

    Attributes
    ----------
    strategies : tuple of Strategy
        The first is MAR.
    strategy : ndarray of int, shape (n,)
        An index of `strategies`; 0 for a subject without an event.
    first : ndarray of int, shape (n,)
        Index of the first visit affected; T for a subject without an event.
    ruling, overruled : DataFrame
        The events as given: those that rule, and later ones of the same subjects.
    """

    strategies: tuple[Strategy, ...]
    strategy: IntArray
    first: IntArray
    ruling: pd.DataFrame
    overruled: pd.DataFrame

    def after(self, n_visits: int) -> BoolArray:
        """Which cells are at or after the event, n × T."""
        found: BoolArray = np.arange(n_visits) >= self.first[:, None]
        return found

    def set_apart(self, n_visits: int) -> BoolArray:
        """Which cells the imputation model does not see even where they were observed, n × T."""
        fitted = np.array([strategy.fitted for strategy in self.strategies])
        found: BoolArray = self.after(n_visits) & ~fitted[self.strategy][:, None]
        return found

    def names(self) -> list[str]:
        """The name of each subject's strategy."""
        return [self.strategies[k].name for k in self.strategy]


def read_events(events: pd.DataFrame | None, layout: Layout) -> Events:
    """Read and check the events.

    Parameters
    ----------
    events : DataFrame or None
        One row per event: the subject, the first visit affected (columns called as in the data,
        or ``subject`` and ``visit``) and the ``strategy``. Other columns are kept.
    layout : Layout

    Raises
    ------
    UsageError
        If a column is missing or a strategy unknown.
    DataError
        At an unknown subject or visit, at two strategies for one subject and visit, at a strategy
        that needs an earlier visit where there is none. The rows are listed.
    """
    n, visits = layout.Y.shape
    if events is None:
        events = pd.DataFrame({"subject": [], "visit": [], "strategy": []})
    subject, visit, strategy = _columns(events, layout.names)
    found = {MAR: find_strategy(MAR)}
    found.update({name: find_strategy(name) for name in pd.unique(strategy)})
    who = _places(events, subject, layout.subjects, "subject")
    when = _places(events, visit, layout.visits, "visit")
    _check_contradictions(events, who, when, strategy)
    what = np.array([list(found).index(name) for name in strategy], dtype=np.intp)
    order = np.lexsort((what, when, who))
    rules = order[np.unique(who[order], return_index=True)[1]]
    made = Events(
        tuple(found.values()),
        _placed(n, 0, who[rules], what[rules]),
        _placed(n, visits, who[rules], when[rules]),
        events.iloc[rules],
        events.iloc[np.setdiff1d(order, rules)],
    )
    _check_earlier(made, layout)
    return made


def _columns(events: pd.DataFrame, names: Names) -> tuple[pd.Series, pd.Series, pd.Series]:
    if not isinstance(events, pd.DataFrame):
        found = type(events).__name__
        msg = f"events: found {found}, expected a DataFrame with subject, visit and strategy"
        raise UsageError(msg)
    wanted = ((names.subject, "subject"), (names.visit, "visit"), ("strategy", "strategy"))
    columns = [next((name for name in pair if name in events.columns), None) for pair in wanted]
    for column, pair in zip(columns, wanted, strict=True):
        if column is None:
            known = ", ".join(map(str, events.columns))
            msg = f"events: no column {' or '.join(dict.fromkeys(pair))} (columns: {known})"
            raise UsageError(msg)
    subject, visit, strategy = (events[column] for column in columns)
    absent = subject.isna() | visit.isna() | strategy.isna()
    if absent.any():
        msg = "events: subject, visit or strategy is missing; complete the rows or leave them out"
        raise DataError(msg, events[absent.to_numpy()])
    return subject, visit, strategy


def _places(events: pd.DataFrame, column: pd.Series, known: pd.Index, what: str) -> IntArray:
    """Where each value stands among the labels of the data."""
    found: IntArray = pd.Index(known.astype(object)).get_indexer(pd.Index(column.astype(object)))
    strange = found < 0
    if strange.any():
        values = ", ".join(repr(value) for value in column[strange].unique()[:5].tolist())
        raise DataError(f"events: {values} {_WHY[what](column[strange], known)}", events[strange])
    return found


def _strange_subject(values: pd.Series, known: pd.Index) -> str:
    if set(map(str, values)) & set(map(str, known)):
        return (
            f"of type {type(values.iloc[0]).__name__}: the data's {known.name} are of type "
            f"{type(known[0]).__name__}; make both text, or both numbers"
        )
    return (
        "is no subject of the data: an event needs a subject with at least one row; correct the "
        "subject, or leave the event out"
    )


def _strange_visit(values: pd.Series, known: pd.Index) -> str:
    numbers = pd.api.types.is_number(known[-1]) and all(map(pd.api.types.is_number, values))
    late = numbers and (values.astype(float) > known[-1]).all()
    listed = ", ".join(map(str, known))
    if late:
        return (
            f"is after the last visit, {known[-1]}: such an event affects no visit; leave it out "
            f"(visits: {listed})"
        )
    return f"is no visit of the data (visits in order: {listed}); name the first visit affected"


_WHY = {"subject": _strange_subject, "visit": _strange_visit}


def _check_contradictions(
    events: pd.DataFrame, who: IntArray, when: IntArray, strategy: pd.Series
) -> None:
    keys = pd.DataFrame({"who": who, "when": when, "strategy": strategy.to_numpy()})
    several = keys.groupby(["who", "when"])["strategy"].transform("nunique").to_numpy() > 1
    if several.any():
        msg = (
            "events: two strategies for the same subject and visit; expected one: decide which "
            "event rules, and leave the other out"
        )
        raise DataError(msg, events[several])


def _placed(n: int, otherwise: int, places: IntArray, values: IntArray) -> IntArray:
    found = np.full(n, otherwise, dtype=np.intp)
    found[places] = values
    return found


def _check_earlier(events: Events, layout: Layout) -> None:
    needs = np.array([strategy.earlier_visit for strategy in events.strategies])
    early = needs[events.strategy] & (events.first == 0)
    if early.any():
        subjects = layout.subjects[early]
        name = events.strategies[events.strategy[np.argmax(early)]].name
        msg = (
            f"events: {name} carries on from the visit before the event, but the event of subject "
            f"{subjects[0]}{and_others(len(subjects))} is at {layout.visits[0]}, the first "
            "visit; use another strategy for an event before any visit"
        )
        raise DataError(msg, pd.DataFrame({layout.names.subject: subjects}))
