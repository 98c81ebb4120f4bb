"""What was found, as data and as a page; nothing of the machine or the day is in them."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from validation.ipf_fvc.facts import Fact, facts
from validation.ipf_fvc.montecarlo import Simulated
from validation.ipf_fvc.performance import (
    Beside,
    Performance,
    beside_the_plan,
    performances,
    true_values,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import pandas as pd

FOLDER = Path(__file__).parent
#: the files that a report is written to
JSON, PAGE = "acceptance.json", "acceptance.md"
#: significant digits kept: more than the page shows, fewer than machines differ in
_KEPT = 7


@dataclass(frozen=True, slots=True)
class Report:
    """What was found.

    Attributes
    ----------
    seeds : tuple of int
        First and last, of both scenarios.
    facts : tuple of Fact
    performances : tuple of Performance
    true_values, beside : tuple of Beside
        For information.
    """

    seeds: tuple[int, int]
    facts: tuple[Fact, ...]
    performances: tuple[Performance, ...]
    true_values: tuple[Beside, ...]
    beside: tuple[Beside, ...]

    @property
    def holds(self) -> bool:
        """Whether every fact holds and every fit converged."""
        converged = all(found.unconverged == 0 for found in self.performances)
        return converged and all(fact.holds for fact in self.facts)

    def to_json(self) -> str:
        """The report as data, numbers to seven digits."""
        return json.dumps(_rounded(asdict(self)), ensure_ascii=False, indent=1) + "\n"

    def to_page(self) -> str:
        """The report as Markdown, of the numbers that the data keep."""
        return "\n".join(_page(read_report(self.to_json()))) + "\n"


def make_report(default: pd.DataFrame, null: pd.DataFrame) -> Report:
    """Report on the trials of both scenarios, made with the same seeds."""
    return Report(
        seeds=(int(default.index[0]), int(default.index[-1])),
        facts=facts(default, null),
        performances=performances(default, null),
        true_values=tuple(true_values(default)),
        beside=tuple(beside_the_plan(default)),
    )


def read_report(text: str) -> Report:
    """Read back what `Report.to_json` wrote."""
    found = json.loads(text)
    return Report(
        seeds=tuple(found["seeds"]),
        facts=tuple(Fact(**_read(fact)) for fact in found["facts"]),
        performances=tuple(Performance(**_read(made)) for made in found["performances"]),
        true_values=tuple(Beside(**_read(row)) for row in found["true_values"]),
        beside=tuple(Beside(**_read(row)) for row in found["beside"]),
    )


def _read(row: dict[str, Any]) -> dict[str, Any]:
    """The fields of a row; what has a value and an error is `Simulated`, no end is infinite."""
    fields = {k: Simulated(**v) if isinstance(v, dict) else v for k, v in row.items()}
    return fields | ({"high": float("inf")} if fields.get("high", 0) is None else {})


def _rounded(found: Any) -> Any:
    if isinstance(found, dict):
        return {name: _rounded(value) for name, value in found.items()}
    if isinstance(found, list | tuple):
        return [_rounded(value) for value in found]
    if isinstance(found, float):
        return None if found == float("inf") else float(f"{found:.{_KEPT}g}") + 0.0
    return found


def _page(report: Report) -> Iterator[str]:
    first, last = report.seeds
    yield "# Acceptance of the shipped trial `ipf_fvc`"
    yield ""
    yield (
        f"Seeds {first:,} to {last:,} of the scenarios `default` and `null`, {last - first + 1:,} "
        "trials each of 204 subjects on placebo and 309 on active. All subjects are simulated. "
        "The analyses are those of `protocols/ipf_fvc`, all with Kenward-Roger degrees of freedom "
        "but ANCOVA. Written by `python -m validation.ipf_fvc --write` (see "
        "[validation](../README.md)). "
        "MC SE is the Monte-Carlo standard error of the number before it."
    )
    yield from ("", "## Facts", "")
    heads = ("Fact", "Quantity", "Obtained", "MC SE", "Accepted", "Holds", "Why this range")
    yield from _table(heads, map(_fact, report.facts), "llrrlll")
    yield from ("", "## The methods of the protocol against their own estimands", "")
    yield (
        "Difference: active less placebo, in mL/year for E1 and mL for E2. Bias is that from the "
        "true difference of the same trial; coverage is of the mean true difference by the 95 % "
        "interval. In brackets: MC SE."
    )
    yield ""
    names = ("Method", "Estimand", "Placebo", "Difference", "Bias", "Empirical SD",
             "Model SE / SD", "Coverage, %", "Power, %", "Null: bias", "Null: rejects, %",
             "Not converged")  # fmt: skip
    yield from _table(names, map(_performance, report.performances), "ll" + "r" * 10)
    yield from ("", "## True values of the estimands", "")
    yield (
        "From the true FVC of every subject at every visit, as it went on after leaving and after "
        "death. Seeds are fixed, so what chance gave these trials stays; the last rows take out "
        "what it gave to the subjects' own slopes, by regression."
    )
    yield ""
    yield from _table(("Quantity", "Obtained", "MC SE"), map(_true, report.true_values), "lrr")
    yield from ("", "## Beside the plan's own program", "")
    yield (
        "For information, not asserted. The plan's numbers come from 240 trials, or from as many "
        "subjects as 200 trials have where nothing is masked, so their MC SE is twice ours."
    )
    yield ""
    yield from _table(
        ("Quantity", "Obtained", "MC SE", "Plan"), map(_beside, report.beside), "lrrr"
    )


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]], sides: str) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"| {' | '.join('---:' if side == 'r' else '---' for side in sides)} |"
    for row in rows:
        yield f"| {' | '.join(row)} |"


def _fact(fact: Fact) -> Sequence[str]:
    shown, error = fact.obtained, fact.obtained.error
    return (
        str(fact.number),
        fact.quantity,
        f"{shown.value:.{max(fact.decimals, 2)}f}",
        "exact" if error is None else _error(error, max(fact.decimals, 2)),
        fact.accepted,
        "yes" if fact.holds else "**no**",
        fact.reason,
    )


def _error(error: float, decimals: int) -> str:
    shown = f"{error:.{decimals}f}"
    return f"< {10.0**-decimals:.{decimals}f}" if error and not float(shown) else shown


def _performance(made: Performance) -> Sequence[str]:
    numbers = (
        (made.placebo, 1), (made.difference, 1), (made.bias, 1), (made.sd, 1),
        (made.error_ratio, 2), (made.coverage, 1), (made.power, 1), (made.null_bias, 1),
        (made.rejections, 1),
    )  # fmt: skip
    shown = (_with_error(number, decimals) for number, decimals in numbers)
    return (made.label, made.estimand, *shown, str(made.unconverged))


def _with_error(number: Simulated, decimals: int) -> str:
    # a small negative number is no "-0.0"
    value = round(number.value, decimals) + 0.0
    return f"{value:.{decimals}f} ({_error(number.error or 0.0, decimals)})"


def _true(row: Beside) -> Sequence[str]:
    return row.quantity, f"{row.obtained.value:.1f}", _error(row.obtained.error or 0.0, 1)


def _beside(row: Beside) -> Sequence[str]:
    return (*_true(row), "" if row.planned is None else f"{row.planned:.1f}")
