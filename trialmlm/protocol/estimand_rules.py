"""Which strategies an estimand can hold for its variable (ICH E9(R1) A.3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.protocol.endpoints import ChangeEndpoint, CollectedEndpoint
from trialmlm.protocol.estimands import SlopeTo, TimeTo, ValueAt
from trialmlm.protocol.inheritance import resolved_endpoint, resolved_estimand
from trialmlm.protocol.methods import RankAncova

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.estimands import Estimand, Handling, Variable
    from trialmlm.protocol.noun import Location
    from trialmlm.protocol.schema import Protocol

    Faults = Iterator[tuple[Location, str]]

#: a failure that ranks below every value, and is none itself
WORST_RANK = "worst-rank"
_NO_SLOPE_OF_FAILURE = (
    "found composite for a slope: an event has no slope that stands for failure. State a variable "
    "with value_of and failure:, a responder or a time_to, or another strategy"
)
_NO_FAILURE = (
    "composite makes the value a failure, and what value that is nobody says: add failure: (a "
    "number in the unit of the endpoint, baseline, worst-observed, or worst-rank), as in "
    "{strategy: composite, failure: worst-observed}"
)
_FAILS_ANYWAY = (
    "failure is the value of a measurement; a responder fails by not responding, a time_to by its "
    "event: leave it out"
)
_NOBODY_DIED = (
    "found treatment-policy for death: after it there is no value that it could keep "
    "(ICH E9(R1) A.3.2). State hypothetical (had nobody died), composite or while-on-treatment"
)


def strategy_faults(protocol: Protocol) -> Faults:
    """Find every strategy that is not defined for the variable of its estimand, with its place."""
    for key in protocol.estimands:
        estimand = resolved_estimand(key, protocol.estimands)
        for event, handling in estimand.handlings.items():
            place = ("estimands", key, "events", event)
            yield from (
                ((*place, *below), told)
                for below, told in _faults(protocol, estimand, event, handling)
            )


def is_death(protocol: Protocol, event: str) -> bool:
    """Whether an event is the death of the subject, by its name or by its date."""
    role, subjects = protocol.data.events[event], protocol.data.subjects
    return event == "death" or (role.dataset, role.date) == (subjects.dataset, subjects.death)


def _faults(protocol: Protocol, estimand: Estimand, event: str, handling: Handling) -> Faults:
    if handling.reasons and protocol.data.events[event].reason is None:
        yield (
            ("reasons",),
            f"data.events.{event} names no column of reasons: add reason: and its column there",
        )
    variable = estimand.variable
    if variable is None:
        return
    if "composite" in handling.strategies:
        yield from _COMPOSITE[type(variable)](protocol, variable, handling)
    lasting = not isinstance(variable, TimeTo)
    if lasting and "treatment-policy" in handling.strategies and is_death(protocol, event):
        yield (), _NOBODY_DIED


def _of_slope(protocol: Protocol, variable: Variable, handling: Handling) -> Faults:
    yield (), _NO_SLOPE_OF_FAILURE


def _of_time(protocol: Protocol, variable: Variable, handling: Handling) -> Faults:
    if handling.failure is not None:
        yield ("failure",), _FAILS_ANYWAY


def _of_value(protocol: Protocol, variable: Variable, handling: Handling) -> Faults:
    endpoint = resolved_endpoint(variable.endpoint, protocol.endpoints)
    if not isinstance(endpoint, CollectedEndpoint | ChangeEndpoint):
        yield from _of_time(protocol, variable, handling)
    elif handling.failure is None:
        yield (), _NO_FAILURE
    elif handling.failure == "worst-observed" and endpoint.better is None:
        yield (
            ("failure",),
            f"which value is the worst nobody says: add better: to endpoint {variable.endpoint}",
        )


_COMPOSITE: Mapping[type, Callable[[Protocol, Variable, Handling], Faults]] = {
    SlopeTo: _of_slope,
    TimeTo: _of_time,
    ValueAt: _of_value,
}


def rank_faults(analysis: Analysis, protocol: Protocol) -> Faults:
    """Find a worst rank that an analysis cannot use, and ranks without the visit they are of."""
    if analysis.estimand is None:
        return
    estimand = resolved_estimand(analysis.estimand, protocol.estimands)
    ranked = [e for e, way in estimand.handlings.items() if way.failure == WORST_RANK]
    if ranked and not isinstance(analysis.method, RankAncova):
        yield (
            ("estimand",),
            (
                f"found {analysis.estimand}, whose failure ({', '.join(ranked)}) is the worst "
                "rank: state method: {rank_ancova: [BASE]}, or an estimand whose failure is a value"
            ),
        )
