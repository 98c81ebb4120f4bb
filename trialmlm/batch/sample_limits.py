"""What of a protocol cannot be tried out on simulated trials, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.batch.sample_imputation import imputes
from trialmlm.batch.sample_rows import CARRIED
from trialmlm.batch.task import method_of
from trialmlm.missing.drawing import METHODS
from trialmlm.missing.strategies import strategies

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design

#: keys of an analysis that ask for more than one difference of two arms
_MORE = ("method", "by", "delta", "censor", "average_over", "dose_response")
#: keys of `rows` that simulated trials can be chosen by
_ROWS = frozenset({"observed_at", "before", "where"})


def lacking_of(protocol: Protocol, design: Design[Any, Any], analysis: Analysis) -> str:
    """Why an analysis is not made of simulated trials; empty where it is."""
    return ", ".join(_lacks(protocol, design, analysis))


def _lacks(protocol: Protocol, design: Design[Any, Any], analysis: Analysis) -> Iterator[str]:
    collected = protocol.collected(analysis.endpoint) if analysis.endpoint else None
    if collected is None or collected.parameter != design.parameter:
        yield f"endpoint: {analysis.endpoint} (of the design {design.name}, {design.parameter} is)"
    yield from (f"{name}:" for name in _MORE if getattr(analysis, name))
    if analysis.rows is not None:
        yield from (f"rows: {name}" for name in sorted(analysis.rows.model_fields_set - _ROWS))
    if analysis.rows is not None and imputes(analysis):
        yield "rows: with imputation"
    yield from _of_estimand(protocol, design, analysis)
    yield from _of_missing(design, analysis)


def _of_estimand(protocol: Protocol, design: Design[Any, Any], analysis: Analysis) -> Iterator[str]:
    events = protocol.estimand(analysis.estimand).handlings if analysis.estimand else {}
    for event, way in events.items():
        if event not in design.events:
            yield f"event: {event}"
        elif design.events[event] != "nothing" and (
            len(way.strategies) > 1 or way.strategy == "composite"
        ):
            yield f"{event}: {way.words}"


def _of_missing(design: Design[Any, Any], analysis: Analysis) -> Iterator[str]:
    missing = analysis.missing
    if missing is None or missing.method in {None, *CARRIED}:
        return
    if missing.method not in METHODS:
        yield f"missing: {missing.method}"
    for rule in missing.rules:
        if design.events.get(rule.after) != "stop":
            yield f"rules: after {rule.after}"
        if rule.reasons:
            yield f"rules: reasons of {rule.after}"
        if rule.assume not in strategies():
            yield f"assume: {rule.assume}"
    completed = analysis.analyse.model if analysis.analyse else analysis.model
    if imputes(analysis) and method_of(completed or "") == "LMM":
        yield "random slopes of imputed data"
