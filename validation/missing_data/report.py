"""The truth table as a page and a record; its words are made of its numbers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trialmlm.batch.power_report import LEGEND, decimals_of, record, rows_of_page
from validation.missing_data.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trialmlm.batch.performance import Performance
    from trialmlm.batch.power import Tried
    from trialmlm.protocol import Protocol

#: Monte-Carlo errors beyond which a bias is named
BEYOND = 3.0
_DIGITS = 8
_HEAD = """# Methods for missing data, against the truth

Written by `python -m validation.missing_data --write`. All subjects are simulated; seeds are fixed.
{legend}

Multiple imputation draws {imputations} times, fewer than a report would: that adds to the spread of
its estimates, and Rubin's rules count it.

The protocols are those of `protocols/`, with the estimands and analyses of `{files}` beside this
page. Under a scenario stands which biases are larger than {beyond:g} of their Monte-Carlo errors.
Of the others no more is said than that these trials do not tell them from zero. A bias is that from
the estimand named in its row, and from no other.
"""


def page(designs: Mapping[str, tuple[Sequence[Tried], Sequence[Performance]]]) -> str:
    """The page, one section per design and one table per scenario."""
    files = "`, `".join(f"{design}.yaml" for design in designs)
    drawn = next(iter(designs.values()))[0][0].setting.imputations
    parts = [_HEAD.format(legend=LEGEND, files=files, beyond=BEYOND, imputations=drawn)]
    for design, (tried, rows) in designs.items():
        protocol = tried[0].setting.protocol
        parts += [f"## {design}: {protocol.header.title}", "\n".join(_estimands(protocol))]
        for one in tried:
            mine = [row for row in rows if row.scenario == one.setting.scenario]
            parts += [*_scenario(design, one, mine)]
    return "\n\n".join(part.strip() for part in parts) + "\n"


def _estimands(protocol: Protocol) -> Iterator[str]:
    for key in protocol.estimands:
        question = protocol.estimand(key).question or ""
        yield f"- **{key}**: {question}"


def _scenario(design: str, one: Tried, rows: Sequence[Performance]) -> Iterator[str]:
    name = one.setting.scenario
    yield f"### `{name}`: {len(one.trials):,} trials"
    yield f"{_sentence(SCENARIOS[design][name])} {_words(rows)}"
    yield "\n".join(rows_of_page(rows, decimals_of(one)))


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _words(rows: Sequence[Performance]) -> str:
    """Which methods are told from their own estimand, which from the main one, which failed."""
    told = [_told(rows, "own", "its own estimand"), _told(rows, "main", "the main estimand")]
    failed = [
        f"{row.label} in {row.failed:,} of {row.failed + row.trials:,} trials"
        for row in rows
        if row.failed and row.scored_as == "own"
    ]
    told.append(f"No estimate: {', '.join(failed)}." if failed else "")
    return " ".join(text for text in told if text)


def _told(rows: Sequence[Performance], scored_as: str, what: str) -> str:
    mine = [row for row in rows if row.scored_as == scored_as and row.measures.bias.error > 0]
    far = [
        f"{row.label} ({row.measures.bias.value:+.3g})"
        for row in mine
        if abs(row.measures.bias.value) > BEYOND * row.measures.bias.error
    ]
    if not mine:
        return ""
    if not far:
        return f"Against {what}: no bias beyond {BEYOND:g} Monte-Carlo errors among {len(mine)}."
    return f"Against {what}, beyond {BEYOND:g} Monte-Carlo errors: {', '.join(far)}."


def to_json(designs: Mapping[str, tuple[Sequence[Tried], Sequence[Performance]]]) -> str:
    """Everything, to eight digits."""
    plain = {name: _rounded(record(rows, tried)) for name, (tried, rows) in designs.items()}
    return json.dumps(plain, ensure_ascii=False, indent=0) + "\n"


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _rounded(held) for name, held in value.items()}
    if isinstance(value, list):
        return [_rounded(held) for held in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value
