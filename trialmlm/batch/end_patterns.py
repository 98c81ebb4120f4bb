"""Who has no value at the visit an estimand asks about, and after which event."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.adam.cells import as_dates, as_text
from trialmlm.adam.populations import members
from trialmlm.batch.events import first_dates
from trialmlm.batch.grid import schedule_in
from trialmlm.batch.sets import subject_roles
from trialmlm.protocol.estimand_rules import is_death
from trialmlm.protocol.estimands import SlopeTo, ValueAt
from trialmlm.results.results import Results
from trialmlm.results.statistic import Statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.events_account import Question
    from trialmlm.batch.inputs import Inputs

#: group of those with a value, and of those without one and without an event
OBSERVED, NO_EVENT = "observed", "no event"


def end_patterns(inputs: Inputs, question: Question) -> Results:
    """Subjects with a value at the last visit asked about; others by the event before it.

    Of several events death counts before the others, and these as the estimand has them. An event
    is before the visit if it is not after the last day of the visit's window.

    Returns
    -------
    Results
        Counts with ``analysis="end-patterns"``, the visit, and as group ``observed``, the event,
        or ``no event``.

    Raises
    ------
    DataError
        If the data contradict the protocol.
    """
    visit, last = _asked(inputs, question)
    subjects, roles = inputs.subjects, subject_roles(inputs.protocol.data.subjects)
    frame = subjects.frame[members(subjects, inputs.population(question.population))]
    subject, arm = as_text(frame[roles.subject]), as_text(frame[roles.arm])
    found = inputs.analysis_set(question.endpoint, question.population, locf_records=False).frame
    there = found[found["AVISIT"].astype(str) == visit]
    state: pd.Series[str] = pd.Series(NO_EVENT, index=subject.index)
    day_1 = as_dates(frame[roles.dates[schedule_in(inputs).day_1]])
    for event in reversed(_events(inputs, question)):
        day = (subject.map(first_dates(inputs, event)) - day_1).dt.days + 1.0
        state = state.mask(day <= last, event)
    state = state.mask(subject.isin(as_text(there[roles.subject])), OBSERVED)
    return Results(tuple(_counted(inputs, question, visit, state, arm)))


def _asked(inputs: Inputs, question: Question) -> tuple[str, float]:
    """The visit, and the last day on which it may take place."""
    schedule = schedule_in(inputs)
    variable = inputs.protocol.estimand(question.estimand).variable
    name = schedule.visit_names[-1]
    if isinstance(variable, ValueAt | SlopeTo):
        name = variable.at if isinstance(variable, ValueAt) else variable.to
    visit = next(one for one in schedule.visits if one.name == name)
    last = visit.window.last if visit.window is not None else float(visit.day)
    return name, last if np.isfinite(last) else float(visit.day)


def _events(inputs: Inputs, question: Question) -> list[str]:
    """Death first, then the others in the order of the estimand."""
    events = inputs.protocol.estimand(question.estimand).events
    return sorted(events, key=lambda event: not is_death(inputs.protocol, event))


def _counted(
    inputs: Inputs,
    question: Question,
    visit: str,
    state: pd.Series[str],
    arm: pd.Series[str],
) -> Iterator[Statistic]:
    shared = ("end-patterns", question.estimand, question.endpoint, question.population, "count")
    for group in (OBSERVED, *_events(inputs, question), NO_EVENT):
        for key, held in inputs.protocol.ordered_arms.items():
            n = float(((state == group) & (arm == held.value)).sum())
            yield Statistic(*shared, key, "", visit, group, "n", n)
