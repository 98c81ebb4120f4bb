"""Columns of the subjects summed up by arm, and which values there are at each visit."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.adam.cells import as_dates, as_text
from trialmlm.adam.populations import members
from trialmlm.adam.roles import check_columns
from trialmlm.batch.events import first_dates
from trialmlm.batch.sets import subject_roles
from trialmlm.results.results import Results
from trialmlm.results.statistic import Statistic

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.inputs import Inputs

#: decimals printed of a number of the subjects, however many are stored
MOST_DECIMALS = 2


def summarise_columns(inputs: Inputs, population: str, columns: tuple[str, ...]) -> Results:
    """Each column by arm and in all: numbers described, text counted.

    Raises
    ------
    DataError
        A column is not there.
    """
    check_columns(inputs.subjects, {f"columns: {name}": name for name in columns})
    subjects = inputs.subjects
    frame = subjects.frame[members(subjects, inputs.population(population))]
    arm = as_text(frame[subject_roles(inputs.protocol.data.subjects).arm])
    groups = {key: arm == held.value for key, held in inputs.protocol.ordered_arms.items()}
    groups[""] = pd.Series(data=True, index=frame.index)
    statistics = (
        statistic
        for name in columns
        for key, rows in groups.items()
        for statistic in _column(frame[name], rows, population, key)
    )
    return Results(tuple(statistics))


def _column(
    column: pd.Series[float], rows: pd.Series[bool], population: str, arm: str
) -> Iterator[Statistic]:
    numeric = pd.api.types.is_numeric_dtype(column)
    make = _numbers if numeric else _levels
    for group, name, value in make(column, rows):
        yield Statistic(
            "subjects", "", "", population, str(column.name), arm, "", "", group, name, value
        )
    if numeric and not arm:
        yield Statistic(
            "subjects", "", "", population, str(column.name), "", "", "", "", "decimals",
            float(_decimals(column)),
        )  # fmt: skip


def _numbers(column: pd.Series[float], rows: pd.Series[bool]) -> Iterator[tuple[str, str, float]]:
    x = column[rows].dropna().to_numpy(dtype=float)
    yield "", "n", float(x.size)
    found = {
        "mean": x.mean() if x.size else np.nan,
        "sd": x.std(ddof=1) if x.size > 1 else np.nan,
        "median": np.median(x) if x.size else np.nan,
        "min": x.min() if x.size else np.nan,
        "max": x.max() if x.size else np.nan,
    }
    for name, value in found.items():
        yield "", name, float(value)


def _levels(column: pd.Series[float], rows: pd.Series[bool]) -> Iterator[tuple[str, str, float]]:
    """Counts of the levels, the same levels for every arm; n counts the subjects with a value."""
    texts = as_text(column)
    own = texts[rows]
    yield "", "n", float((own != "").sum())
    for level in sorted(set(texts) - {""}):
        yield level, "n", float((own == level).sum())


def _decimals(column: pd.Series[float]) -> int:
    """Decimals of the values as stored, at most so many."""
    exponents = (
        -int(Decimal(repr(float(value))).normalize().as_tuple().exponent)
        for value in column.dropna().unique()
    )
    return min(MOST_DECIMALS, max(0, *exponents, 0))


def attendance(inputs: Inputs, endpoint: str, population: str) -> Results:
    """Subjects with and without a value at each visit, and why there is none.

    A missing value is put down to death, then to leaving the trial, where that came before the
    visit's window ended; else it was missed.

    Raises
    ------
    DataError
        If the data contradict the protocol.
    """
    protocol = inputs.protocol
    schedule = protocol.schedule
    assert schedule is not None  # noqa: S101  (the plan refuses an endpoint without a schedule)
    found = inputs.analysis_set(endpoint, population, locf_records=False)
    subjects = inputs.subjects
    roles = subject_roles(protocol.data.subjects)
    frame = subjects.frame[members(subjects, inputs.population(population))]
    subject = as_text(frame[roles.subject])
    arm = as_text(frame[roles.arm])
    gone = {
        "died": _day(inputs, frame, subject, "death"),
        "left": _day(inputs, frame, subject, "end_of_study"),
    }
    statistics: list[Statistic] = []
    for visit in schedule.visits:
        there = found.frame[found.frame["AVISIT"].astype(str) == visit.name]
        observed = subject.isin(as_text(there[roles.subject]))
        last = visit.window.last if visit.window is not None else float(visit.day)
        states = _states(observed, gone, last if np.isfinite(last) else float(visit.day))
        for key, held in {**protocol.ordered_arms, "": None}.items():
            rows = arm == held.value if held is not None else pd.Series(True, index=frame.index)
            for state, mask in states.items():
                statistics.append(
                    Statistic(
                        "attendance", "", endpoint, population, "count", key, "", visit.name,
                        state, "n", float((rows & mask).sum()),
                    )
                )  # fmt: skip
    return Results(tuple(statistics))


def _states(
    observed: pd.Series[bool], gone: dict[str, pd.Series[float]], last: float
) -> dict[str, pd.Series[bool]]:
    """Which subjects are in which state at a visit whose window ends on day `last`."""
    missing = ~observed
    died = missing & (gone["died"] <= last)
    left = missing & ~died & (gone["left"] < last)
    return {
        "observed": observed,
        "missing": missing,
        "died": died,
        "left": left,
        "missed": missing & ~died & ~left,
    }


def _day(
    inputs: Inputs, frame: pd.DataFrame, subject: pd.Series[str], name: str
) -> pd.Series[float]:
    """Study day of a date of the subjects, or of an event of that name; NaN where there is none."""
    protocol = inputs.protocol
    schedule, roles = protocol.schedule, protocol.data.subjects
    column = getattr(roles, name)
    if column is not None:
        dates = as_dates(frame[column])
    elif name in protocol.data.events:
        dates = subject.map(first_dates(inputs, name))
    else:
        return pd.Series(np.nan, index=frame.index)
    named = subject_roles(roles).dates
    day_1 = as_dates(frame[named[schedule.day_1]]) if schedule else dates
    days: pd.Series[float] = (dates - day_1).dt.days + 1.0
    return days
