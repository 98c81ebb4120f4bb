"""What an analysis may call itself beside the one it is `of` (ICH E9(R1) A.5).

A sensitivity analysis asks the same question under another assumption (A.5.2); another strategy
for an event is another question, so the analysis is supplementary (A.5.3). Values carried forward
and completers answer no question of an estimand: they are shown for comparison.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trialmlm.protocol.inheritance import resolved_analysis, resolved_estimand
from trialmlm.protocol.missing import CARRIED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.estimands import Estimand
    from trialmlm.protocol.noun import Location
    from trialmlm.protocol.schema import Protocol

    Faults = Iterator[tuple[Location, str]]

#: keys that change what is assumed of missing values, and nothing else
ASSUMPTIONS: Final = frozenset({"missing", "delta", "variance", "analyse"})
_NOT_ITS_OWN: Final = frozenset({"role", "of", "label", "strata_omitted", "if_unconverged"})
#: attributes of an estimand beside its events
_ATTRIBUTES: Final = ("population", "variable", "summary")


def role_faults(name: str, analysis: Analysis, protocol: Protocol) -> Faults:
    """Find what contradicts the role of a resolved analysis, with its place below the analysis."""
    yield from _FAULTS.get(analysis.role, _none)(name, analysis, protocol)


def _none(name: str, analysis: Analysis, protocol: Protocol) -> Faults:
    yield from ()


def _sensitivity(name: str, analysis: Analysis, protocol: Protocol) -> Faults:
    if analysis.of is None:
        yield (
            (),
            "a sensitivity analysis varies the assumption of another one: name it under of",
        )
        return
    yield from _for_comparison(analysis)
    origin = resolved_analysis(analysis.of, protocol.analyses, protocol.estimands)
    if origin.estimand != analysis.estimand:
        yield (
            ("estimand",),
            (
                f"found {analysis.estimand}, and {analysis.of} has {origin.estimand}: a "
                "sensitivity analysis keeps the estimand, another one is supplementary"
                f"{_difference(analysis, origin, protocol)}"
            ),
        )
    yield from _another_question(analysis, origin)


def _another_question(analysis: Analysis, origin: Analysis) -> Faults:
    """Parts of the question that an analysis states itself, and differently."""
    for key in ("population", "endpoint"):
        found, expected = getattr(analysis, key), getattr(origin, key)
        if found != expected and analysis.estimand == origin.estimand:
            yield (
                (key,),
                (
                    f"found {found}, and {analysis.of} has {expected}: another {key} is another "
                    "question, so state role: supplementary (ICH E9(R1) A.5.3)"
                ),
            )
    cut = analysis.rows.before if analysis.rows else None
    if cut and not (origin.rows and origin.rows.before == cut):
        yield (
            ("rows", "before"),
            (
                f"found {cut}, after which {analysis.of} keeps the values: leaving them out is "
                "another strategy for the event, so state role: supplementary (ICH E9(R1) A.5.3)"
            ),
        )


def _supplementary(name: str, analysis: Analysis, protocol: Protocol) -> Faults:
    yield from _for_comparison(analysis)
    if analysis.of is None:
        return
    changed = protocol.analyses.written[name].model_fields_set - _NOT_ITS_OWN
    if changed and changed <= ASSUMPTIONS:
        yield (
            ("role",),
            (
                f"found supplementary, and what differs from {analysis.of} is the assumption "
                f"about missing values alone ({', '.join(sorted(changed))}): the question is the "
                "same, so state role: sensitivity (ICH E9(R1) A.5.2)"
            ),
        )


def _for_comparison(analysis: Analysis) -> Faults:
    method = analysis.missing.method if analysis.missing else None
    if analysis.of and method in CARRIED:
        yield (
            ("role",),
            (
                f"found {analysis.role}, and its values are filled by {method}: a single value "
                "put in the place of a missing one is shown for comparison, so state role: "
                "comparator"
            ),
        )
    if analysis.rows is not None and analysis.rows.observed_at is not None:
        yield (
            ("role",),
            (
                f"found {analysis.role}, and only subjects observed at "
                f"{analysis.rows.observed_at} are analysed: who completes is known after "
                "randomisation only, so state role: comparator"
            ),
        )


def _difference(analysis: Analysis, origin: Analysis, protocol: Protocol) -> str:
    """What sets two estimands apart, in words; empty where nothing does, or one is not stated."""
    if analysis.estimand is None or origin.estimand is None:
        return ""
    own = resolved_estimand(analysis.estimand, protocol.estimands)
    theirs = resolved_estimand(origin.estimand, protocol.estimands)
    parts = [*_strategies(own, theirs), *_attributes(own, theirs)]
    return f" ({'; '.join(parts)}; ICH E9(R1) A.5)" if parts else ""


def _strategies(own: Estimand, theirs: Estimand) -> Iterator[str]:
    for event in dict.fromkeys((*own.handlings, *theirs.handlings)):
        found, expected = (
            e.handlings[event].words if event in e.handlings else "none" for e in (own, theirs)
        )
        if found != expected:
            yield f"{event}: {found} instead of {expected}"


def _attributes(own: Estimand, theirs: Estimand) -> Iterator[str]:
    yield from (
        f"another {name}" for name in _ATTRIBUTES if getattr(own, name) != getattr(theirs, name)
    )


_FAULTS: Final[Mapping[str, Callable[[str, Analysis, Protocol], Faults]]] = {
    "sensitivity": _sensitivity,
    "supplementary": _supplementary,
}
