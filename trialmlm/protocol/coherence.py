"""What the parts of a protocol must be to each other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from trialmlm.protocol.endpoints import CollectedEndpoint
from trialmlm.protocol.estimand_rules import rank_faults, strategy_faults
from trialmlm.protocol.estimands import SlopeTo
from trialmlm.protocol.inheritance import circles, resolved_analysis, resolved_estimand
from trialmlm.protocol.missing import DRAWING, IMPUTING, LOWEST_DECILE
from trialmlm.protocol.roles import role_faults

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.protocol.analyses import Analysis
    from trialmlm.protocol.noun import Location
    from trialmlm.protocol.schema import Protocol

    Faults = Iterator[tuple[Location, str]]


def incoherences(protocol: Protocol) -> Faults:
    """Find every contradiction between parts of the protocol, with its place."""
    yield from _data_faults(protocol)
    yield from _endpoint_faults(protocol)
    astray = [*_circles(protocol)]
    yield from astray
    if not astray:  # nothing can be resolved that runs in a circle
        yield from _estimand_faults(protocol)
        yield from strategy_faults(protocol)
        yield from _analysis_faults(protocol)


def _circles(protocol: Protocol) -> Faults:
    for place, told in circles(protocol.estimands, "like"):
        yield ("estimands", *place), told
    for place, told in circles(protocol.analyses.written, "of"):
        yield ("analyses", *place), told


def _data_faults(protocol: Protocol) -> Faults:
    if protocol.arms and protocol.data.subjects.arm is None:
        yield ("data", "subjects"), "missing key arm: the column that holds the arms declared"
    if protocol.schedule is None:
        return
    for role, records in protocol.data.records.items():
        if protocol.schedule.values == "derived" and not (records.date or records.day):
            yield (
                ("data", role),
                (
                    "missing key date: visits are derived from the date of assessment "
                    "(schedule.values: derived)"
                ),
            )
        if protocol.schedule.values == "read" and not records.visit:
            yield (
                ("data", role),
                "missing key visit: the column visits are read from (schedule.values: read)",
            )


def _endpoint_faults(protocol: Protocol) -> Faults:
    for key, endpoint in protocol.endpoints.items():
        if not isinstance(endpoint, CollectedEndpoint) or endpoint.parameter is None:
            continue
        if protocol.data.records[endpoint.source].parameter is None:
            yield (
                ("endpoints", key, "parameter"),
                (
                    f"data.{endpoint.source} names no column of parameters: "
                    "add parameter: PARAMCD there"
                ),
            )


def _estimand_faults(protocol: Protocol) -> Faults:
    for key in protocol.estimands:
        estimand = resolved_estimand(key, protocol.estimands)
        for attribute in ("population", "variable", "summary"):
            if getattr(estimand, attribute) is None:
                yield ("estimands", key), f"missing key {attribute}"
        slope = isinstance(estimand.variable, SlopeTo)
        if slope and (protocol.schedule is None or protocol.schedule.time is None):
            yield ("estimands", key), "a slope needs schedule.time: what models call the time"


def _analysis_faults(protocol: Protocol) -> Faults:
    for name in protocol.analyses.written:
        analysis = resolved_analysis(name, protocol.analyses, protocol.estimands)
        for place, told in _within(analysis):
            yield ("analyses", name, *place), told
        for place, told in _between(name, analysis, protocol):
            yield ("analyses", name, *place), told


def _within(analysis: Analysis) -> Faults:
    """Find what one resolved analysis must say and does not."""
    if (analysis.model is None) == (analysis.method is None):
        found = "both" if analysis.model else "neither"
        yield (), f"found {found} of the keys model and method, expected one"
    for attribute in ("population", "endpoint"):
        if getattr(analysis, attribute) is None:
            yield (), f"missing key {attribute}, or an estimand that says it"
    method = analysis.missing.method if analysis.missing else None
    if method in IMPUTING and analysis.model is not None and analysis.analyse is None:
        yield (), "values are imputed by the model: add analyse: {model: …}, of completed data"
    for key in ("analyse", "delta", "variance"):
        if getattr(analysis, key) is not None and method not in IMPUTING:
            yield (key,), f"{key} needs missing.method to be one of {', '.join(IMPUTING)}"
    yield from _variance_faults(analysis)
    if analysis.smallest_per_arm is not None and not analysis.by:
        yield ("smallest_per_arm",), "smallest_per_arm belongs to subgroups, and by is missing"


def _variance_faults(analysis: Analysis) -> Faults:
    """Find a variance that the way of imputing cannot give."""
    missing, asked = analysis.missing, analysis.variance
    if missing is None or asked is None or missing.method not in IMPUTING:
        return
    named = {asked.decide, *asked.show}
    if missing.method not in DRAWING and "rubin" in named:
        yield (
            ("variance",),
            (
                f"found rubin, which pools random draws, and method: {missing.method} draws none: "
                f"state jackknife or bootstrap, or method: {' or '.join(DRAWING)}"
            ),
        )
    resampled = sorted(named - {"rubin"})
    if resampled and LOWEST_DECILE in {rule.assume for rule in missing.rules}:
        yield (
            ("variance",),
            (
                f"found {', '.join(resampled)}, which imputes conditional means, and "
                f"assume: {LOWEST_DECILE} has none: state decide: rubin alone"
            ),
        )


def _between(name: str, analysis: Analysis, protocol: Protocol) -> Faults:
    """Compare an analysis with its role, with the strata and with the analysis it takes from."""
    yield from role_faults(name, analysis, protocol)
    yield from _rule_faults(analysis, protocol)
    yield from rank_faults(analysis, protocol)
    own = protocol.analyses.written[name]
    texts: Mapping[Location, str | None] = {
        ("model",): own.model,
        ("analyse", "model"): own.analyse.model if own.analyse else None,
    }
    for place, text in texts.items():
        left_out = _left_out(text, protocol) if text and not analysis.strata_omitted else []
        if left_out:
            yield (
                place,
                (
                    f"the model leaves out {', '.join(left_out)}, by which randomisation was "
                    "stratified: add it, or say why under strata_omitted"
                ),
            )


def _rule_faults(analysis: Analysis, protocol: Protocol) -> Faults:
    """Find rules that ask for the reasons of an event that has none."""
    for i, rule in enumerate(analysis.missing.rules if analysis.missing else ()):
        if rule.reasons and protocol.data.events[rule.after].reason is None:
            yield (
                ("missing", "rules", i, "reasons"),
                f"data.events.{rule.after} names no column of reasons: add reason: there",
            )


def _left_out(model: str, protocol: Protocol) -> list[str]:
    words = set(re.findall(r"[A-Za-z_]\w*", model))
    return [name for name, stratum in protocol.strata.items() if not words & {name, stratum.column}]
