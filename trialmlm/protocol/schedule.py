"""Visits, their analysis windows, baseline, and which value a window gives."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import inf
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Strict, WithJsonSchema, model_validator

from trialmlm.protocol.names import DateRole
from trialmlm.protocol.noun import (
    Column,
    Location,
    Noun,
    Number,
    Positive,
    Text,
    YesNo,
    refusal,
    refuse,
)


def _study_day(day: int) -> int:
    if day == 0:
        raise refusal("found 0: there is no study day 0, the day before day 1 is -1")
    return day


StudyDay = Annotated[int, Strict(), AfterValidator(_study_day)]


@dataclass(frozen=True, slots=True)
class Window:
    """Study days from `low` to `high`, both in it; None: open."""

    low: int | None
    high: int | None

    def __str__(self) -> str:
        return f"[{_end(self.low)}, {_end(self.high)}]"

    def __contains__(self, day: int) -> bool:
        return self.first <= day <= self.last

    @property
    def first(self) -> float:
        """The lower end as a number."""
        return -inf if self.low is None else self.low

    @property
    def last(self) -> float:
        """The upper end as a number."""
        return inf if self.high is None else self.high


def _end(day: int | None) -> str:
    return "null" if day is None else str(day)


def _window(value: Any) -> Window:
    if isinstance(value, Window):
        return value
    ends = value if isinstance(value, list | tuple) else ()
    if len(ends) != 2 or not all(end is None or type(end) is int for end in ends):
        raise refusal("expected two study days, [low, high], with null for an open end")
    if 0 in ends:
        raise refusal("found 0: there is no study day 0, the day before day 1 is -1")
    window = Window(*ends)
    if window.first > window.last:
        raise refusal(f"found {window}, expected the earlier day first")
    return window


StudyWindow = Annotated[
    Window,
    BeforeValidator(_window),
    WithJsonSchema(
        {
            "type": "array",
            "items": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
            "minItems": 2,
            "maxItems": 2,
        }
    ),
]


class Visit(Noun):
    """A planned visit after baseline."""

    name: Text
    """Its words, in tables and in models."""
    day: StudyDay
    """Target study day; day 1 is the day the schedule counts from."""
    window: StudyWindow | None = None
    """Study days that count for the visit, [low, high]; null for an open end."""
    number: Number | None = None
    """The data's number of the visit (AVISITN)."""
    value: Text | None = None
    """The data's words for the visit (AVISIT), when they are not its name."""


class Baseline(Noun):
    """The value before treatment."""

    name: Text
    """Its words, in tables and in models."""
    record: Literal["last-on-or-before-day-1", "mean-of-window", "flag"]
    """Which record is the baseline: the last one up to day 1, a mean, or the flagged one."""
    flag: Column | None = None
    """Column that flags it, for record: flag; absent: ABLFL."""
    window: StudyWindow | None = None
    """Study days that are averaged, for record: mean-of-window."""
    required: YesNo = True
    """Whether a subject of the population without a baseline is an error; false: such subjects
    are left out of the analyses, named in the log and the results."""
    number: Number | None = None
    """The data's number of the baseline visit (AVISITN)."""
    value: Text | None = None
    """The data's words for the baseline visit (AVISIT), when they are not its name."""

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        refuse("baseline", self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Location, str]]:
        if self.record == "mean-of-window" and self.window is None:
            yield (), "record: mean-of-window needs the key window: the study days averaged"
        if self.record != "mean-of-window" and self.window is not None:
            yield ("window",), f"record: {self.record} averages no window: leave it out"
        if self.record != "flag" and self.flag is not None:
            yield ("flag",), f"record: {self.record} reads no flag: leave it out"


class InWindow(Noun):
    """Which value counts when a window holds several."""

    choose: Literal["nearest", "first", "last"] = "nearest"
    """The value nearest the target day, the first, or the last."""
    ties: Literal["earlier", "later"] = "later"
    """Of two values equally near, the earlier or the later."""
    unscheduled: Literal["eligible", "excluded"] = "eligible"
    """Whether values of unscheduled visits may count."""


class Time(Noun):
    """Time as models see it: since day 1, by the actual date."""

    name: Column
    """What models call it."""
    days_per_year: Positive = 365.25
    """Days in one unit of it; an imputed visit takes its target day."""


class Schedule(Noun):
    """When subjects are seen and how days become visits."""

    day_1: DateRole
    """The date of the subjects that is study day 1."""
    baseline: Baseline
    """The value before treatment."""
    visits: tuple[Visit, ...]
    """The visits after baseline, in time order."""
    in_window: InWindow = InWindow()
    """Which value counts when a window holds several."""
    time: Time | None = None
    """Actual time, for models of slopes."""
    values: Literal["derived", "read"] = "derived"
    """Whether baseline, change and visit are derived by these rules and compared with the data's
    own, or read from the data."""

    @property
    def visit_names(self) -> tuple[str, ...]:
        """The visits' names, in time order."""
        return tuple(visit.name for visit in self.visits)

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        refuse("schedule", self._faults())
        return self

    def _faults(self) -> Iterator[tuple[Location, str]]:
        yield from _name_faults(self.baseline.name, self.visits)
        yield from _day_faults(self.visits)
        if self.values == "derived":
            yield from _window_faults(self.visits)


def _name_faults(baseline: str, visits: Sequence[Visit]) -> Iterator[tuple[Location, str]]:
    seen = {baseline: "baseline"}
    for i, visit in enumerate(visits):
        if visit.name in seen:
            yield ("visits", i, "name"), f"found {visit.name!r} twice; first at {seen[visit.name]}"
        seen.setdefault(visit.name, f"visits[{i}]")


def _day_faults(visits: Sequence[Visit]) -> Iterator[tuple[Location, str]]:
    for i, visit in enumerate(visits):
        if visit.window is not None and visit.day not in visit.window:
            yield (
                ("visits", i, "window"),
                f"the target day {visit.day} of {visit.name!r} lies outside {visit.window}",
            )
    for i, (before, visit) in enumerate(pairwise(visits), start=1):
        if visit.day <= before.day:
            yield (
                ("visits", i, "day"),
                (
                    f"found day {visit.day} ({visit.name!r}) after day {before.day} "
                    f"({before.name!r}), expected the visits in time order"
                ),
            )
    for i, visit in enumerate(visits):
        other = next((earlier for earlier in visits[:i] if _overlap(earlier, visit)), None)
        if other is not None:
            yield (
                ("visits", i, "window"),
                f"{visit.window} of {visit.name!r} overlaps {other.window} of {other.name!r}",
            )


def _overlap(one: Visit, other: Visit) -> bool:
    if one.window is None or other.window is None:
        return False
    return max(one.window.first, other.window.first) <= min(one.window.last, other.window.last)


def _window_faults(visits: Sequence[Visit]) -> Iterator[tuple[Location, str]]:
    for i, visit in enumerate(visits):
        if visit.window is None:
            yield (
                ("visits", i),
                (
                    f"missing key window: visits are derived (values: derived), and {visit.name!r} "
                    "has no study days"
                ),
            )
