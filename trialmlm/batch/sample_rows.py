"""The rows of a simulated trial that an analysis of its protocol is made of.

What an estimand does to values after an event is done here to arrays, by the rules that
`trialmlm.batch.handled` has for data sets: a value is after an event if its day is; a missing one
if the last day for it is not before; the event that is first in time rules.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.batch.task import imputation_of, method_of
from trialmlm.expressions.where import read_where
from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.completers import completers

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.batch.sample import Sample
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design
    from trialmlm.simulate.outcomes import Outcomes

#: single imputation: method -> what `carry_forward` is told beside it
CARRIED: dict[str, dict[str, Any]] = {
    "locf": {},
    "bocf": {"baseline": ("BASE", 0.0)},
}


def rows_of(
    protocol: Protocol, design: Design[Any, Any], analysis: Analysis, sample: Sample
) -> pd.DataFrame:
    """The rows, with what is carried forward.

    Parameters
    ----------
    protocol : Protocol
    design : Design
    analysis : Analysis
        As resolved.
    sample : Sample
    """
    found = _with_values(sample, values_of(protocol, design, analysis, sample.outcomes))
    found = found[found["AVAL"].notna().to_numpy()]
    if method_of(analysis.model or "") != "LMM":
        found = _after_baseline(found)
    found = _chosen(protocol, analysis, found)
    told = CARRIED.get(imputation_of(analysis))
    if told is None:
        return found.reset_index(drop=True)
    return carry_forward(
        found,
        subject=protocol.data.subjects.subject,
        visit="AVISIT",
        value=("AVAL", "CHG"),
        method=imputation_of(analysis),
        **told,
    )


def grid_of(
    protocol: Protocol, design: Design[Any, Any], analysis: Analysis, sample: Sample
) -> pd.DataFrame:
    """Every subject at every visit after baseline; AVAL and CHG are missing where there is none."""
    values = values_of(protocol, design, analysis, sample.outcomes)
    return _after_baseline(_with_values(sample, values))


def values_of(
    protocol: Protocol, design: Design[Any, Any], analysis: Analysis, outcomes: Outcomes
) -> Array:
    """The values that the analysis and its estimand leave or make, (visits, n); NaN: none."""
    values: Array = np.where(outcomes.observed, outcomes.value, np.nan)
    events = protocol.estimand(analysis.estimand).handlings if analysis.estimand else {}
    days = {"stop": outcomes.stop_day, "death": outcomes.death_day}
    ruled = np.zeros(values.shape, dtype=bool)
    # nobody stops drug after death, so the stop comes first
    for what in ("stop", "death"):
        ways = [way.strategy for event, way in events.items() if design.events[event] == what]
        if ways and ways[0] in _AFTER:
            after = cells_after(protocol, outcomes, days[what]) & ~ruled
            values, ruled = _AFTER[ways[0]](values, after), ruled | after
    if analysis.rows is not None and design.events.get(analysis.rows.before or "") == "stop":
        values = np.where(outcomes.days > outcomes.stop_day, np.nan, values)
    return values


def cells_after(protocol: Protocol, outcomes: Outcomes, day: Array) -> BoolArray:
    """Which cells are after the day of an event, (visits, n); the baseline is not."""
    planned = protocol.schedule.visits if protocol.schedule else ()
    ends = [visit.window.last if visit.window else np.inf for visit in planned]
    held = [
        end if np.isfinite(end) else visit.day for end, visit in zip(ends, planned, strict=True)
    ]
    last = np.array([-np.inf, *(end - 1.0 for end in held)])
    after: BoolArray = np.where(outcomes.observed, outcomes.days > day, last[:, np.newaxis] >= day)
    return after


def _aside(values: Array, after: BoolArray) -> Array:
    """Hypothetical: what comes after the event is not asked about."""
    return np.where(after, np.nan, values)


def _last_before(values: Array, after: BoolArray) -> Array:
    """While on treatment: the last value before the event, which may be the baseline."""
    held = np.where(after, np.nan, values)
    seen = np.where(np.isnan(held), 0, np.arange(len(held))[:, np.newaxis])
    last = np.take_along_axis(held, np.maximum.accumulate(seen, axis=0), axis=0)
    return np.where(after, last, values)


#: strategy -> values, and which are after the event -> values
_AFTER: Mapping[str, Callable[[Array, BoolArray], Array]] = {
    "hypothetical": _aside,
    "while-on-treatment": _last_before,
}


def _with_values(sample: Sample, values: Array) -> pd.DataFrame:
    held = values.T.ravel()
    return sample.frame.assign(AVAL=held, CHG=held - sample.frame["BASE"].to_numpy())


def _after_baseline(frame: pd.DataFrame) -> pd.DataFrame:
    after = frame[(frame["AVISITN"] > 0).to_numpy()]
    return after.assign(AVISIT=after["AVISIT"].cat.remove_unused_categories())


def _chosen(protocol: Protocol, analysis: Analysis, frame: pd.DataFrame) -> pd.DataFrame:
    rows, subject = analysis.rows, protocol.data.subjects.subject
    if rows is not None and rows.observed_at is not None:
        frame = completers(
            frame, subject=subject, visit="AVISIT", value="AVAL", at=rows.observed_at
        )
    if rows is not None and rows.where is not None:
        frame = frame[read_where(rows.where).mask(frame, "the simulated trial")]
    return frame
