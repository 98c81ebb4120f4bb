"""What `like`, `of` and `defaults` mean: a noun takes from others what it does not say itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeVar

from trialmlm.protocol.analyses import Analyses, Analysis
from trialmlm.protocol.endpoints import ChangeEndpoint, CollectedEndpoint, Endpoint
from trialmlm.protocol.noun import Location, Noun

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.protocol.estimands import Estimand

AnyNoun = TypeVar("AnyNoun", bound=Noun)

#: what is never taken from another analysis
_OWN: Final = frozenset({"role", "of", "label"})
#: a key that stands here silences these of the analysis taken from
_SILENCED: Final[Mapping[str, tuple[str, ...]]] = {
    "contrast": ("contrasts",),
    "contrasts": ("contrast",),
    "model": ("method",),
    "method": ("model",),
    "estimand": ("population", "endpoint"),
}


def lineage(name: str, entries: Mapping[str, AnyNoun], link: str) -> list[str]:
    """Return `name` and those it takes from, nearest first; a circle ends where it closes."""
    names: list[str] = []
    at: str | None = name
    while at is not None and at not in names:
        names.append(at)
        at = getattr(entries[at], link)
    return names


def circles(entries: Mapping[str, AnyNoun], link: str) -> Iterator[tuple[Location, str]]:
    """Find every entry that takes from itself in the end."""
    for name in entries:
        names = lineage(name, entries, link)
        if getattr(entries[names[-1]], link) == name:
            chain = " -> ".join([*names, name])
            yield (name, link), f"{name} takes from itself in the end: {chain}"


def resolved_estimand(name: str, estimands: Mapping[str, Estimand]) -> Estimand:
    """Return the estimand with all it takes by `like`; the strategies of events are merged."""
    taken: dict[str, Any] = {}
    events: dict[str, Any] = {}
    for ancestor in reversed(lineage(name, estimands, "like")):
        entry = estimands[ancestor]
        taken |= _said(entry)
        events |= entry.events
    return estimands[name].model_copy(
        update=taken | {"events": events, "like": estimands[name].like}
    )


def resolved_analysis(
    name: str,
    analyses: Analyses,
    estimands: Mapping[str, Estimand],
) -> Analysis:
    """Return the analysis with all it takes by `of`, by `defaults` and from its estimand."""
    written = analyses.written
    taken = _said(analyses.defaults)
    for ancestor in reversed(lineage(name, written, "of")):
        own = _said(written[ancestor])
        silenced = {other for key in own for other in _SILENCED.get(key, ())} - set(own)
        taken = {key: value for key, value in taken.items() if key not in silenced}
        taken |= {key: value for key, value in own.items() if key not in _OWN}
    own_only = {key: getattr(written[name], key) for key in _OWN}
    return _of_estimand(Analysis.model_construct(**taken, **own_only), estimands)


def resolved_endpoint(name: str, endpoints: Mapping[str, Endpoint]) -> Endpoint:
    """Return the endpoint; a change has the unit, decimals and direction of what it changes."""
    endpoint = endpoints[name]
    if not isinstance(endpoint, ChangeEndpoint):
        return endpoint
    origin = endpoints[endpoint.change_from_baseline]
    shared = ("unit", "decimals", "better")
    missing = {key: getattr(origin, key) for key in shared if getattr(endpoint, key) is None}
    return endpoint.model_copy(update=missing)


def collected(name: str, endpoints: Mapping[str, Endpoint]) -> CollectedEndpoint | None:
    """Return the collected endpoint beneath an endpoint; None: it is made from several."""
    endpoint = endpoints[name]
    match endpoint:
        case CollectedEndpoint():
            return endpoint
        case ChangeEndpoint():
            return collected(endpoint.change_from_baseline, endpoints)
    beneath = getattr(endpoint, "responder", None)
    return None if beneath is None else collected(beneath.of, endpoints)


def _said(noun: Noun) -> dict[str, Any]:
    """Return what stands in the file, by field."""
    return {name: getattr(noun, name) for name in noun.model_fields_set}


def _of_estimand(analysis: Analysis, estimands: Mapping[str, Estimand]) -> Analysis:
    if analysis.estimand is None:
        return analysis
    estimand = resolved_estimand(analysis.estimand, estimands)
    endpoint = estimand.variable.endpoint if estimand.variable else None
    return analysis.model_copy(
        update={
            "population": analysis.population or estimand.population,
            "endpoint": analysis.endpoint or endpoint,
        }
    )
