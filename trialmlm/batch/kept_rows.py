"""Rows that an analysis adds to, or leaves out of, its analysis set."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import as_text
from trialmlm.batch.events import set_aside
from trialmlm.batch.sets import time_of
from trialmlm.errors import UsageError
from trialmlm.expressions.where import read_where
from trialmlm.missing.completers import completers

if TYPE_CHECKING:
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
    if rows.observed_at is not None:
        subject = inputs.protocol.data.subjects.subject
        # a value that is set aside does not make a completer
        observed = set_aside(inputs, analysis.estimand, found.frame)
        complete = completers(
            observed, subject=subject, visit="AVISIT", value="AVAL", at=rows.observed_at
        )
        frame = frame[frame[subject].isin(complete[subject])]
    if rows.where is not None:
        frame = frame[read_where(rows.where).mask(frame, "the analysis set")]
    return frame.reset_index(drop=True)


def said_of(rows: KeptRows) -> str:
    """Which rows are kept, in words."""
    said = [f"subjects with a value at {rows.observed_at}"] if rows.observed_at else []
    return ", ".join([*said, *([rows.where] if rows.where else [])])


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
