"""Which rows each strategy of an estimand touched: said, counted and listed by subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.adam.cells import as_dates, as_text
from trialmlm.adam.steps import counted
from trialmlm.batch.events import happened
from trialmlm.batch.grid import schedule_in
from trialmlm.batch.handled import handle_events
from trialmlm.batch.sets import subject_roles
from trialmlm.results.events import EventRecord, events_frame
from trialmlm.results.results import Results
from trialmlm.results.statistic import Statistic

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator

    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol

#: what a strategy does to an observed value after its event
DONE = {
    "treatment-policy": "kept",
    "hypothetical": "set aside",
    "composite": "replaced by failure",
    "while-on-treatment": "cut",
}
RULES, NO_VISIT = "rules", "no visit after it"


@dataclass(frozen=True, slots=True)
class Question:
    """An estimand with the records it is asked of."""

    estimand: str
    endpoint: str
    population: str


def questions_of(analyses: Iterable[Analysis]) -> tuple[Question, ...]:
    """The questions with events that analyses ask, each once."""
    return tuple(
        dict.fromkeys(
            Question(a.estimand, a.endpoint, a.population)
            for a in analyses
            if a.estimand and a.endpoint and a.population
        )
    )


def events_of(inputs: Inputs, question: Question) -> tuple[EventRecord, ...]:
    """The first of each event in each subject of the analysis set, and what it rules.

    Raises
    ------
    DataError
        As `trialmlm.batch.handled.handle_events`.
    """
    protocol = inputs.protocol
    if not protocol.estimand(question.estimand).events:
        return ()
    found = inputs.analysis_set(question.endpoint, question.population, locf_records=False)
    ruled = handle_events(inputs, question.estimand, found).ruled
    events = happened(inputs, question.estimand)
    arms = _arms(inputs)
    name = protocol.data.subjects.subject
    there = {*as_text(found.frame[name]), *as_text(found.baseline[name])}
    days = study_days(inputs, events)
    none, by_subject = ruled.iloc[:0], dict(list(ruled.groupby("subject", sort=False)))
    return tuple(
        _record(
            question, event, arms[event["subject"]], day, by_subject.get(event["subject"], none)
        )
        for event, day in zip(events.to_dict(orient="records"), days, strict=True)
        if event["subject"] in there
    )


def _record(
    question: Question, event: dict[Hashable, Any], arm: str, day: int, own: pd.DataFrame
) -> EventRecord:
    """What is told of an event, by the cells of its subject that are after one."""
    rules = own[own["event"] == event["event"]]
    return EventRecord(
        estimand=question.estimand,
        endpoint=question.endpoint,
        population=question.population,
        subject=str(event["subject"]),
        arm=arm,
        event=str(event["event"]),
        reason=str(event["reason"]),
        date=f"{event['date']:%Y-%m-%d}",
        day=day,
        strategy=str(event["strategy"]),
        visits=", ".join(rules["visit"]),
        values=int((rules["ROW"] >= 0).sum()),
        gaps=int((rules["ROW"] < 0).sum()),
        ruling=RULES if len(rules) else _overruled(own),
    )


def _overruled(own: pd.DataFrame) -> str:
    """Which other events rule in the subject, or that no visit is left."""
    others = ", ".join(dict.fromkeys(own["event"]))
    return f"{others} rules" if others else NO_VISIT


def _arms(inputs: Inputs) -> dict[str, str]:
    """Subject -> key of the arm."""
    roles, frame = subject_roles(inputs.protocol.data.subjects), inputs.subjects.frame
    keys = {arm.value: key for key, arm in inputs.protocol.arms.items()}
    return dict(zip(as_text(frame[roles.subject]), as_text(frame[roles.arm]).map(keys).fillna(""),
                    strict=True))  # fmt: skip


def study_days(inputs: Inputs, events: pd.DataFrame) -> list[int]:
    """Study day of each event; there is no day 0."""
    roles, frame = subject_roles(inputs.protocol.data.subjects), inputs.subjects.frame
    day_1 = as_dates(frame[roles.dates[schedule_in(inputs).day_1]])
    first = events["subject"].map(dict(zip(as_text(frame[roles.subject]), day_1, strict=True)))
    elapsed = (pd.to_datetime(events["date"]) - pd.to_datetime(first)).dt.days.fillna(0)
    return [int(days) + (days >= 0) for days in elapsed]


def events_results(protocol: Protocol, events: tuple[EventRecord, ...]) -> Results:
    """The events, and their counts by estimand, event (as the estimand has them), strategy, arm.

    The statistics have ``analysis="events"``, the estimand as method, the strategy as quantity and
    the event as group; ``subjects`` (with the event), ``ruled`` (subjects in whom it rules at a
    visit or more), ``values`` and ``gaps`` (visits with and without an observed value).
    """
    order = {
        (key, event): rank
        for key in protocol.estimands
        for rank, event in enumerate(protocol.estimand(key).events)
    }
    frame = events_frame(sorted(events, key=lambda e: order[e.estimand, e.event]))
    keys = ["estimand", "endpoint", "population", "event", "strategy", "arm"]
    statistics = []
    for key, rows in frame.groupby(keys, sort=False):
        estimand, endpoint, population, event, strategy, arm = map(str, key)
        numbers = {
            "subjects": len(rows),
            "ruled": int((rows["ruling"] == RULES).sum()),
            "values": int(rows["values"].sum()),
            "gaps": int(rows["gaps"].sum()),
        }
        statistics += [
            Statistic("events", estimand, endpoint, population, strategy, arm, "", "", event, name,
                      float(number))
            for name, number in numbers.items()
        ]  # fmt: skip
    return Results(tuple(statistics), events=events)


def described_events(protocol: Protocol, events: tuple[EventRecord, ...]) -> Iterator[str]:
    """Lines: for each estimand and event, how many subjects, and what became of the values."""
    frame = events_frame(events)
    for (estimand, endpoint), own in frame.groupby(["estimand", "endpoint"], sort=False):
        yield f"estimand {estimand} ({endpoint}): values after intercurrent events"
        for event in protocol.estimand(str(estimand)).events:
            for strategy, rows in own[own["event"] == event].groupby("strategy", sort=False):
                yield f"  {event} ({str(strategy).replace('-', ' ')}): {_said(protocol, rows)}"


def _said(protocol: Protocol, rows: pd.DataFrame) -> str:
    """``12 subjects; 30 values kept (Placebo 10, Active 20), 5 visits without a value``."""
    done = DONE[str(rows["strategy"].iloc[0])]
    by_arm = rows.groupby("arm")["values"].sum()
    arms = ", ".join(
        f"{arm.name} {int(by_arm.get(key, 0)):,}" for key, arm in protocol.ordered_arms.items()
    )
    values, gaps = int(rows["values"].sum()), int(rows["gaps"].sum())
    other = rows[rows["ruling"] != RULES].groupby("ruling", sort=True).size()
    told = "".join(f"; in {counted(int(n), 'subject')} {why}" for why, n in other.items())
    return (
        f"{counted(len(rows), 'subject')}; {counted(values, 'value')} {done} ({arms}), "
        f"{counted(gaps, 'visit')} without a value{told}"
    )
