"""Rows that an analysis adds to, or leaves out of, its analysis set."""

from __future__ import annotations

from math import inf
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import as_text
from trialmlm.batch.events import occurrences
from trialmlm.batch.grid import schedule_in
from trialmlm.batch.handled import DERIVATION, handle_events
from trialmlm.batch.sets import time_of
from trialmlm.errors import DataError, UsageError
from trialmlm.expressions.where import read_where
from trialmlm.missing.completers import completers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.missing import KeptRows


def kept_rows(
    inputs: Inputs, analysis: Analysis, found: AnalysisSet, frame: pd.DataFrame
) -> pd.DataFrame:
    """The rows that the analysis keeps by its key ``rows``.

    Parameters
    ----------
    inputs : Inputs
    analysis : Analysis
    found : AnalysisSet
        Of the observed records, by which completers are told.
    frame : DataFrame
        The records to choose from.
    """
    rows = analysis.rows
    if rows is None:
        return frame
    for event, days in _left_out(rows):
        frame = frame[~_near(inputs, frame, event, days)]
    return chosen_rows(inputs, analysis, found, frame)


def chosen_rows(
    inputs: Inputs, analysis: Analysis, found: AnalysisSet, frame: pd.DataFrame
) -> pd.DataFrame:
    """Of records, with a value or without, those of completers and those that meet ``where``.

    Parameters
    ----------
    inputs, analysis, found, frame
        As of `kept_rows`.
    """
    rows = analysis.rows
    if rows is None:
        return frame
    if rows.observed_at is not None:
        subject = inputs.protocol.data.subjects.subject
        # a value that is set aside, or that a strategy made, does not make a completer
        handled = handle_events(inputs, analysis.estimand, found).frame
        observed = handled[~handled["DTYPE"].isin(DERIVATION.values())]
        complete = completers(
            observed, subject=subject, visit="AVISIT", value="AVAL", at=rows.observed_at
        )
        frame = frame[frame[subject].isin(complete[subject])]
    if rows.where is not None:
        frame = frame[read_where(rows.where).mask(frame, "the analysis set")]
    return frame.reset_index(drop=True)


def said_of(rows: KeptRows) -> str:
    """Which rows are kept, in words."""
    near = rows.exclude_within
    within = f"{near.days} days of {_words(near.event)}" if near else ""
    said = {
        f"subjects with a value at {rows.observed_at}": rows.observed_at,
        f"values up to the day of {_words(rows.before)}": rows.before,
        f"no values within {within}": near,
        str(rows.where): rows.where,
    }
    return ", ".join(words for words, asked in said.items() if asked)


def _words(event: str | None) -> str:
    return (event or "").replace("_", " ")


def _left_out(rows: KeptRows) -> Iterator[tuple[str, tuple[float, float]]]:
    """The events that leave rows out, and from which to which day after one of them."""
    if rows.before is not None:
        yield rows.before, (1.0, inf)
    if rows.exclude_within is not None:
        near = rows.exclude_within
        yield near.event, (-float(near.days), float(near.days))


def _near(
    inputs: Inputs, frame: pd.DataFrame, event: str, days: tuple[float, float]
) -> pd.Series[bool]:
    """Which records were taken so many days after one of a subject's events; a baseline never.

    Raises
    ------
    DataError
        If a record of a subject with the event has no date.
    """
    roles, schedule = inputs.protocol.data.subjects, schedule_in(inputs)
    found = occurrences(inputs, event)
    subject = as_text(frame[roles.subject])
    later = frame["AVISIT"].isin(list(schedule.visit_names)) & subject.isin(found["subject"])
    undated = frame[later & frame["ADT"].isna()] if "ADT" in frame.columns else frame[later]
    if len(undated):
        raise DataError(
            f"rows: to tell which are near {event}, each record needs its date (date:), and "
            f"{len(undated)} have none:",
            undated,
        )
    rows = pd.DataFrame({"subject": subject, "ADT": frame.get("ADT")})[later]
    pairs = rows.reset_index(names="row").merge(found, on="subject")
    since = (pairs["ADT"] - pairs["date"]).dt.days
    near = pairs.loc[since.between(*days), "row"]
    return frame.index.to_series().isin(near)


def with_baseline(inputs: Inputs, found: AnalysisSet, frame: pd.DataFrame) -> pd.DataFrame:
    """The baseline as one more value of each subject, for a model of the course over time.

    It stands at the time of its own day; where that is unknown, at day 1. A subject who has a
    baseline and nothing after it has one row.

    Raises
    ------
    UsageError
        If the schedule names no time.
    """
    protocol = inputs.protocol
    schedule = protocol.schedule
    time = time_of(schedule) if schedule is not None else None
    if schedule is None or time is None:
        raise UsageError("a model of slopes needs the schedule's time (time: {name: YEARS})")
    subject = protocol.data.subjects.subject
    subjects = inputs.subjects.frame
    subjects = subjects.set_index(as_text(subjects[subject]))
    baseline = found.baseline
    own = subjects.loc[as_text(baseline[subject]).to_list()].reset_index(drop=True)
    day = baseline["ADY"] if "ADY" in baseline.columns else pd.Series(1.0, index=baseline.index)
    years = (day.fillna(1.0) - (day.fillna(1.0) > 0)) / time.days_per_year
    rows = own.assign(
        **{str(name): baseline[name] for name in baseline.columns if name not in {"BASE", "ADY"}},
        AVAL=baseline["BASE"],
        BASE=baseline["BASE"],
        CHG=0.0,
        DTYPE="",
        **{time.name: years},
    )
    names = [schedule.baseline.name, *schedule.visit_names]
    rows["AVISIT"] = schedule.baseline.name
    both = [part.assign(AVISIT=part["AVISIT"].astype(object)) for part in (rows, frame)]
    together = pd.concat(both, ignore_index=True)
    together["AVISIT"] = pd.Categorical(together["AVISIT"], names, ordered=True)
    arm = protocol.data.subjects.arm or ""
    together[arm] = pd.Categorical(together[arm], list(frame[arm].cat.categories), ordered=True)
    return together.sort_values([subject, "AVISIT"], kind="stable").reset_index(drop=True)
