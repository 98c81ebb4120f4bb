"""The comparison of methods as a page of text: what each asks and assumes, and what it found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import Cells
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.shell_methods import ROLES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

#: what each role says of itself, before its analyses
_OPENING = {
    "main": "The main analysis answers the question of the estimand.",
    "sensitivity": (
        "Sensitivity analyses ask the same question under another assumption about what was not "
        "observed (ICH E9(R1) A.5.2)."
    ),
    "supplementary": (
        "Supplementary analyses ask another question: another strategy for an intercurrent event, "
        "or another summary (ICH E9(R1) A.5.3)."
    ),
    "comparator": (
        "Comparators are shown because readers know them. They carry values forward or drop "
        "subjects by what happened after randomisation; no conclusion rests on them."
    ),
    "exploratory": "Exploratory analyses were not planned to answer a question.",
}


def methods_in_words(order: Order, results: Results) -> Display:
    """A paragraph for each role, a sentence for each of its analyses.

    Parameters
    ----------
    order : Order
        `analyses` in order; `estimands` with their questions.
    results : Results
    """
    records = [record for name in order.analyses if (record := results.analysis(name))]
    by_role = (block for role in ROLES for block in _role(order, results, records, role))
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("",), 1.0, "left"),),
        blocks=(_questions(order), *by_role),
        footnotes=footnotes(order, None).lines,
    )


def _questions(order: Order) -> Block:
    """The question of every estimand."""
    lines = [f"{estimand.key}: {estimand.text}." for estimand in order.estimands]
    rows = (Row((Cell(line),), indent=1) for line in lines)
    return Block((Row((Cell("What is asked"),), bold=True), *rows))


def _role(
    order: Order, results: Results, records: list[AnalysisRecord], role: str
) -> Iterator[Block]:
    own = [record for record in records if record.role == role]
    if own:
        rows = (Row((Cell(_said(order, results, record)),), indent=1) for record in own)
        yield Block((Row((Cell(_OPENING[role]),), bold=True), *rows), keep_together=False)


def _said(order: Order, results: Results, record: AnalysisRecord) -> str:
    """Label, assumption, and the difference of every pair, in sentences."""
    if record.failure:
        return f"{record.label} was not made: {record.failure}"
    found = " ".join(_found(order, results, record, pair) for pair in record.pairs)
    variance = f" Variance: {', '.join(record.variances)}." if record.variances else ""
    return f"{record.label}. {record.assumption} {found}{variance}"


def _found(order: Order, results: Results, record: AnalysisRecord, pair: tuple[str, str]) -> str:
    """``Active minus Placebo: 115.1 mL/year (95% CI 67.5 to 162.6; p <0.001).``."""
    keys = {"analysis": record.name, "method": record.method, "endpoint": record.endpoint}
    cells = Cells(results, order, keys | {"population": record.population})
    where = {"quantity": record.headline, "visit": record.visit}
    where |= {"arm": pair[0], "versus": pair[1]}
    estimate, low, high = (
        order.numbers.number(cells.value(name, **where), order.decimals + 1)
        for name in ("estimate", "ci_low", "ci_high")
    )
    p_value = cells.p_value(**where).text
    rate = "/year" if record.headline == "slope-difference" else ""
    unit = f" {order.unit}{rate}" if order.unit else ""
    names = " minus ".join(order.arm(key).text for key in pair)
    interval = f"{order.confidence * 100:g}% CI {low} to {high}"
    return f"{names}: {estimate}{unit} ({interval}; p {p_value})."
