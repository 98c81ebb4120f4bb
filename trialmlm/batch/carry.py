"""The records an analysis or a summary uses: observed, carried forward, or carried in the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.account_steps import counted_step
from trialmlm.batch.handled import handle_events
from trialmlm.batch.sets import schedule_of, time_of
from trialmlm.missing.carry_forward import carry_forward

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs


def records_for(
    inputs: Inputs, endpoint: str, population: str, method: str, estimand: str | None = None
) -> tuple[AnalysisSet, pd.DataFrame]:
    """The analysis set behind, and the records to use.

    Parameters
    ----------
    inputs : Inputs
    endpoint, population : str
        Keys of the protocol.
    method : {"observed", "locf", "locf-records"}
        Only observed records; those with the last one carried forward by rule; or those with the
        records that the data themselves carry forward.
    estimand : str, optional
        Whose strategies for intercurrent events set values aside, or make failures of them.
    """
    found = inputs.analysis_set(endpoint, population, locf_records=method == "locf-records")
    handled = handle_events(inputs, estimand, found)
    found, frame = handled.found, handled.frame
    subject = inputs.protocol.data.subjects.subject
    if method != "locf":
        return found, frame
    value = tuple(name for name in ("AVAL", "CHG") if name in found.frame.columns)
    carried = carry_forward(
        frame,
        subject=subject,
        visit="AVISIT",
        value=value,
        method="locf",
    )
    found = counted_step(found, "with the last value carried forward", carried, subject)
    schedule = inputs.protocol.schedule
    time = time_of(schedule) if schedule else None
    if schedule is None or time is None:
        return found, carried
    return found, carried.assign(**{time.name: time.column(carried, schedule_of(schedule))})
