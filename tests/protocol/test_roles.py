"""The role of an analysis and the strategies of an estimand are those of ICH E9(R1)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trialmlm.protocol import load_protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.errors import Problem
FULL = Path(__file__).parent / "full_example.yaml"
COMPLETERS = "P1.completers: {role: comparator,"
EVERYONE = "P1.everyone: {role: supplementary, of: P1, population: all_randomised, endpoint: pain}"
EVENTS = "events: {stopped: treatment-policy, rescue: hypothetical, death: while-on-treatment}"

# what stands in the full example, what replaces it, the problem's path, and words of its message
MISLABELS = {
    "another strategy is no sensitivity analysis": (
        EVERYONE,
        "P1.fails: {role: sensitivity, of: P1, estimand: E5}",
        "analyses.P1.fails.estimand",
        "stopped: treatment policy; ADVERSE EVENT: composite instead of treatment policy",
    ),
    "nor are other subjects": (
        EVERYONE,
        "P1.everyone: {role: sensitivity, of: P1, population: all_randomised}",
        "analyses.P1.everyone.population",
        "another population is another question, so state role: supplementary",
    ),
    "nor is leaving out what the strategy keeps": (
        EVERYONE,
        "P1.on_drug: {role: sensitivity, of: P1, rows: {before: stopped}}",
        "analyses.P1.on_drug.rows.before",
        "found stopped, after which P1 keeps the values",
    ),
    "another assumption is no supplementary analysis": (
        "  P1.tipping:\n    role: sensitivity",
        "  P1.tipping:\n    role: supplementary",
        "analyses.P1.tipping.role",
        "the assumption about missing values alone (delta): the question is the same",
    ),
    "completers are for comparison": (
        COMPLETERS,
        "P1.completers: {role: sensitivity,",
        "analyses.P1.completers.role",
        "only subjects observed at Week 24 are analysed: who completes is known after",
    ),
    "so are values carried forward": (
        EVERYONE,
        "P1.bocf: {role: supplementary, of: P1, missing: {method: bocf}, endpoint: pain}",
        "analyses.P1.bocf.role",
        "its values are filled by bocf",
    ),
    "a sensitivity analysis has something to be sensitive of": (
        EVERYONE,
        "P5: {role: sensitivity, estimand: E1, model: CHG ~ BASE + COUNTRY + TRT01P}",
        "analyses.P5",
        "varies the assumption of another one: name it under of",
    ),
    "a principal stratum is not identifiable": (
        EVENTS,
        EVENTS.replace("treatment-policy", "principal-stratum"),
        "estimands.E1.events.stopped",
        "is not identifiable from the data of the trial",
    ),
    "nobody is measured after death": (
        EVENTS,
        EVENTS.replace("death: while-on-treatment", "death: treatment-policy"),
        "estimands.E1.events.death",
        "after it there is no value that it could keep",
    ),
    "a failure is a value": (
        "reasons: {ADVERSE EVENT: composite}, failure: worst-observed}",
        "reasons: {ADVERSE EVENT: composite}}",
        "estimands.E5.events.stopped",
        "add failure: (a number in the unit of the endpoint, baseline, worst-observed, or worst",
    ),
    "a value of failure belongs to composite": (
        "reasons: {ADVERSE EVENT: composite}, failure: worst-observed}",
        "failure: worst-observed}",
        "estimands.E5.events.stopped.failure",
        "failure belongs to composite, and this is treatment-policy",
    ),
    "a worst rank is of an analysis of ranks": (
        "method: {rank_ancova: [BASE], missing: worst}",
        "model: CHG ~ BASE + COUNTRY + TRT01P",
        "analyses.P1.ranks.estimand",
        "whose failure (death) is the worst rank",
    ),
    "a slope has no failure": (
        "E4: {like: E1,",
        "E4: {like: E1, events: {rescue: composite},",
        "estimands.E4.events.rescue",
        "an event has no slope that stands for failure",
    ),
    "reasons are read from a column": (
        "rescue: hypothetical, death",
        "rescue: {strategy: hypothetical, reasons: {PAIN: treatment-policy}}, death",
        "estimands.E1.events.rescue.reasons",
        "data.events.rescue names no column of reasons",
    ),
}


@pytest.mark.parametrize("name", MISLABELS)
def test_a_mislabel_is_refused_with_the_reason(
    name: str, problems_of: Callable[[str], tuple[Problem, ...]], full_text: str
) -> None:
    old, new, path, words = MISLABELS[name]
    assert full_text.count(old) == 1
    found = {p.path: p for p in problems_of(full_text.replace(old, new))}
    assert path in found
    assert words in found[path].message
    assert found[path].line > 1


def test_a_strategy_may_be_a_word_or_say_more() -> None:
    ways = load_protocol(FULL).estimand("E5").handlings
    assert ways["stopped"].of("ADVERSE EVENT") == "composite"
    assert ways["stopped"].of("OTHER") == "treatment-policy"
    assert ways["rescue"].words == "hypothetical"
    assert list(ways) == ["stopped", "rescue", "death"]
