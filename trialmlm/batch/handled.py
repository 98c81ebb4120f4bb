"""What the strategies of an estimand make of the records after intercurrent events.

Kept (treatment policy), set aside (hypothetical), made failures (composite), or cut (while on
treatment: the last value before the event stands for the later ones; of a slope nothing does).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import as_text
from trialmlm.batch.account_steps import counted_step
from trialmlm.batch.events import happened
from trialmlm.batch.grid import cells_of, rows_at, together
from trialmlm.batch.rulings import POLICY, check_dated, ruled_cells
from trialmlm.errors import DataError
from trialmlm.protocol.endpoints import ChangeEndpoint
from trialmlm.protocol.estimands import ValueAt

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.adam.analysis_set import AnalysisSet
    from trialmlm.batch.inputs import Inputs
    from trialmlm.protocol.estimands import Estimand

    Values = Callable[[Inputs, Estimand, AnalysisSet, pd.DataFrame, pd.DataFrame], pd.Series[float]]

#: what DTYPE says of a value that a strategy made
DERIVATION = {"composite": "COMPOSITE", "while-on-treatment": "LAST ON TREATMENT"}
_STEPS = {
    "hypothetical": "not after an event set aside",
    "while-on-treatment": "not after an event that ends the treatment",
    "composite": "with values of failure",
}


@dataclass(frozen=True, slots=True, eq=False)
class Handled:
    """Records as an estimand asks for them.

    Attributes
    ----------
    found : AnalysisSet
        Behind them, with what was done in its account; its frame is still that of all records.
    frame : DataFrame
        The records.
    ruled : DataFrame
        Every cell after an event: subject, visit, ROW in ``found.frame`` (−1: no record), event
        and strategy that rules.
    """

    found: AnalysisSet
    frame: pd.DataFrame
    ruled: pd.DataFrame


def handle_events(inputs: Inputs, estimand: str | None, found: AnalysisSet) -> Handled:
    """Apply the strategies of an estimand to the records of an analysis set.

    Parameters
    ----------
    inputs : Inputs
    estimand : str or None
        Key of the protocol; None leaves all records as they are.
    found : AnalysisSet

    Raises
    ------
    DataError
        If the events' data contradict the protocol, or the records have no dates.
    """
    nothing = pd.DataFrame(columns=["subject", "visit", "ROW", "event", "strategy"])
    if estimand is None or not inputs.protocol.estimand(estimand).events:
        return Handled(found, found.frame, nothing)
    events = happened(inputs, estimand)
    if events.empty:
        return Handled(found, found.frame, nothing)
    subject = inputs.protocol.data.subjects.subject
    check_dated(found.frame, as_text(found.frame[subject]), events)
    ruled = ruled_cells(cells_of(inputs, found), events)
    return _applied(inputs, estimand, found, ruled)


def _applied(inputs: Inputs, estimand: str, found: AnalysisSet, ruled: pd.DataFrame) -> Handled:
    """One strategy after the other, each a step of the account."""
    question = inputs.protocol.estimand(estimand)
    subject = inputs.protocol.data.subjects.subject
    ending = ruled[ruled["strategy"] != POLICY]
    kept = found.frame.drop(index=found.frame.index[ending.loc[ending["ROW"] >= 0, "ROW"]])
    frame, counted = found.frame, found
    for strategy, said in _STEPS.items():
        cells = ending[ending["strategy"] == strategy]
        if strategy not in {s for way in question.handlings.values() for s in way.strategies}:
            continue
        frame = frame.drop(index=pd.Index(cells.loc[cells["ROW"] >= 0, "ROW"]))
        made = _made(inputs, question, found, kept, cells, strategy)
        frame = pd.concat([frame, made]) if len(made) else frame
        name = f"{said} ({_named(question, strategy)})"
        counted = counted_step(counted, name, frame, subject)
    observed, filled = frame[frame.index >= 0], frame[frame.index < 0]
    return Handled(counted, together(observed, filled, subject), ruled)


def _made(
    inputs: Inputs,
    question: Estimand,
    found: AnalysisSet,
    kept: pd.DataFrame,
    cells: pd.DataFrame,
    strategy: str,
) -> pd.DataFrame:
    """Records that a strategy puts in place of those after the event, indexed below zero."""
    if strategy not in DERIVATION or not isinstance(question.variable, ValueAt) or cells.empty:
        return found.frame.iloc[:0]
    values = _VALUES[strategy](inputs, question, found, kept, cells)
    filled = cells.assign(AVAL=values)[values.notna()]
    made = rows_at(inputs, found, filled, DERIVATION[strategy])
    return made.set_axis(-1 - filled.index)


def _last_on_treatment(
    inputs: Inputs,
    question: Estimand,
    found: AnalysisSet,
    kept: pd.DataFrame,
    cells: pd.DataFrame,
) -> pd.Series[float]:
    """The last value up to the event; the baseline where there is none after it."""
    name = inputs.protocol.data.subjects.subject
    baseline = found.baseline.set_index(as_text(found.baseline[name]))["BASE"]
    last = kept.groupby(as_text(kept[name]))["AVAL"].last()
    return cells["subject"].map(last).fillna(cells["subject"].map(baseline))


def _failure(
    inputs: Inputs,
    question: Estimand,
    found: AnalysisSet,
    kept: pd.DataFrame,
    cells: pd.DataFrame,
) -> pd.Series[float]:
    """The value of failure that the handling of each cell's event states, as AVAL."""
    assert isinstance(question.variable, ValueAt)  # noqa: S101  (others make no values)
    endpoint = inputs.protocol.endpoint(question.variable.value_of)
    change = isinstance(endpoint, ChangeEndpoint)
    name = inputs.protocol.data.subjects.subject
    base = cells["subject"].map(found.baseline.set_index(as_text(found.baseline[name]))["BASE"])
    origin = base if change else base * 0.0
    worst = kept.groupby(kept["AVISIT"].astype(str))["CHG" if change else "AVAL"]
    by_visit = worst.min() if endpoint.better == "higher" else worst.max()
    stated = cells["event"].map({e: way.failure for e, way in question.handlings.items()})
    # a worst rank is no value: such a cell stays empty
    number = pd.to_numeric(stated, errors="coerce").astype(float) + origin
    found_worst = cells["visit"].map(by_visit) + origin
    _check_worst(cells[(stated == "worst-observed") & found_worst.isna() & base.notna()])
    values = number.where(stated != "baseline", base)
    return values.where(stated != "worst-observed", found_worst)


def _check_worst(lacking: pd.DataFrame) -> None:
    if len(lacking):
        raise DataError(
            "failure: worst-observed: at this visit nobody has a value that could be the worst; "
            "state a number, or baseline:",
            lacking[["subject", "visit", "event"]],
        )


def _named(question: Estimand, strategy: str) -> str:
    """The events under a strategy, as in ``rescue: hypothetical``."""
    ways = question.handlings.items()
    return ", ".join(f"{event}: {strategy}" for event, way in ways if strategy in way.strategies)


_VALUES: Mapping[str, Values] = {
    "composite": _failure,
    "while-on-treatment": _last_on_treatment,
}
