"""The records an analysis or a summary uses: observed, carried forward, or carried in the data."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from trialmlm.batch.account_steps import counted_step
from trialmlm.batch.grid import with_every_visit
from trialmlm.batch.handled import handle_events
from trialmlm.batch.sets import schedule_of, time_of
from trialmlm.errors import UsageError
from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.methods import METHODS, caution
from trialmlm.protocol.endpoints import ChangeEndpoint
from trialmlm.protocol.missing import Missing

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.endpoints import Endpoint
    from trialmlm.protocol.outputs import RecordKind

    Values = tuple[str, str]


def records_for(
    inputs: Inputs,
    endpoint: str,
    population: str,
    missing: Missing | None = None,
    estimand: str | None = None,
) -> tuple[AnalysisSet, pd.DataFrame]:
    """The analysis set behind, and the records to use.

    Parameters
    ----------
    inputs : Inputs
    endpoint, population : str
        Keys of the protocol.
    missing : Missing, optional
        How missing values are dealt with: a method of single imputation fills them by rule,
        ``locf-records`` takes the records that the data themselves carry forward; under any other
        one the records are the observed ones.
    estimand : str, optional
        Whose strategies for intercurrent events set values aside, or make failures of them.
    """
    kind = missing.method if missing is not None else None
    found = inputs.analysis_set(endpoint, population, locf_records=kind == "locf-records")
    handled = handle_events(inputs, estimand, found)
    found, frame = handled.found, handled.frame
    subject = inputs.protocol.data.subjects.subject
    if missing is None or kind is None or kind not in METHODS:
        return found, frame
    carried = _carried(inputs, endpoint, missing, with_every_visit(inputs, found, frame))
    carried = carried[carried["AVAL"].notna()].reset_index(drop=True)
    found = counted_step(found, f"with {said_of(missing)}", carried, subject)
    found = replace(found, notes=(*found.notes, caution(kind)))
    schedule = inputs.protocol.schedule
    time = time_of(schedule) if schedule else None
    if schedule is None or time is None:
        return found, carried
    return found, carried.assign(**{time.name: time.column(carried, schedule_of(schedule))})


def missing_of(kind: RecordKind) -> Missing | None:
    """How missing values are dealt with where a kind of records alone is named."""
    return None if kind == "observed" else Missing(method=kind)


def _carried(inputs: Inputs, endpoint: str, missing: Missing, frame: pd.DataFrame) -> pd.DataFrame:
    """The records with missing values filled, a change and its value in agreement."""
    described = inputs.protocol.endpoint(endpoint)
    change = isinstance(described, ChangeEndpoint)
    values = ("CHG", "AVAL") if change else ("AVAL", "CHG")
    made = carry_forward(
        frame,
        subject=inputs.protocol.data.subjects.subject,
        visit="AVISIT",
        value=tuple(name for name in values if name in frame.columns),
        method=missing.method or "",
        **_OPTIONS.get(missing.method or "", _none)(described, missing, values),
    )
    filled = made["DTYPE"] != ""
    if change:
        return made.assign(AVAL=made["AVAL"].mask(filled, made["BASE"] + made["CHG"]))
    return made.assign(CHG=made["CHG"].mask(filled, made["AVAL"] - made["BASE"]))


def said_of(missing: Missing) -> str:
    """What fills the gaps, in words."""
    return _SAID[missing.method or ""].format(k=missing.k)


def _none(endpoint: Endpoint, missing: Missing, values: Values) -> dict[str, Any]:
    return {}


def _baseline(endpoint: Endpoint, missing: Missing, values: Values) -> dict[str, Any]:
    return {"baseline": tuple(0.0 if name == "CHG" else "BASE" for name in values)}


def _worst(endpoint: Endpoint, missing: Missing, values: Values) -> dict[str, Any]:
    if endpoint.better is None:
        msg = (
            f"missing: {missing.method} needs to know which value is the worst: add better: to "
            f"the endpoint {endpoint.label!r}"
        )
        raise UsageError(msg)
    return {"worst": {"higher": "lower", "lower": "higher"}[endpoint.better]}


def _counted(endpoint: Endpoint, missing: Missing, values: Values) -> dict[str, Any]:
    return {"k": missing.k}


#: method -> the options that carry_forward takes
_OPTIONS: Mapping[str, Callable[[Endpoint, Missing, Values], dict[str, Any]]] = {
    "bocf": _baseline,
    "wocf": _worst,
    "worst-case": _worst,
    "mean-of-last": _counted,
    "nearest": _counted,
}
_SAID = {
    "locf": "the last value carried forward",
    "bocf": "the baseline carried forward",
    "wocf": "the worst value carried forward",
    "mean-of-last": "the mean of the last {k} values carried forward",
    "worst-case": "the worst value of anybody at the visit",
    "nearest": "the mean of the {k} subjects with the nearest earlier values",
}
