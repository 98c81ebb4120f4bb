"""The same question under several methods: one row per analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.estimable import not_estimable
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

#: role of an analysis -> what it is for
ROLES = {
    "main": "answers the question of its estimand",
    "sensitivity": "the same question under another assumption",
    "supplementary": "another view of the treatment effect",
    "comparator": "shown beside the others, for comparison only",
    "exploratory": "not planned to answer a question",
}


def methods_compared(order: Order, results: Results) -> Display:
    """Method and assumption in words, role, n, difference (SE), CI and p of each analysis.

    Parameters
    ----------
    order : Order
        `analyses` in order.
    results : Results
        Each analysis' headline quantity, as its record names it; one that failed is a row that
        says so.
    """
    interval = f"{order.confidence * 100:g}% CI"
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(
            Column(("Method",), 2.2, "left"),
            Column(("Assumption about", "missing values"), 3.0, "left"),
            Column(("Role",), 1.2, "left"),
            Column(("Difference in",), 1.4, "left"),
            Column(("n",), 0.6),
            Column(("Difference", "(SE)"), 1.3),
            Column((interval,), 1.4),
            Column(("p-value",), 0.9),
        ),
        blocks=tuple(Block(_rows(order, results, name), gap=True) for name in order.analyses),
        footnotes=(
            *footnotes(order, None).lines,
            *_explained(results, order),
            *not_estimable(order, _lacking(order, results)),
        ),
    )


def _rows(order: Order, results: Results, name: str) -> tuple[Row, ...]:
    record = results.analysis(name)
    if record is None:
        return (_row(Cell(name), Cell("Not made.")),)
    role = Cell(record.role.capitalize())
    if record.failure:
        return (_row(Cell(_label(record)), Cell(f"Not made: {record.failure}"), role),)
    return tuple(
        _row(
            Cell(_label(record, _compared(order, record, pair))),
            Cell(record.assumption),
            role,
            Cell(_quantity(order, record)),
            *_numbers(order, results, record, pair),
        )
        for pair in record.pairs
    ) or (_row(Cell(_label(record)), Cell(record.assumption), role),)


def _label(record: AnalysisRecord, compared: str = "") -> str:
    label = record.label or record.name
    return f"{label}: {compared}" if compared else label


def _compared(order: Order, record: AnalysisRecord, pair: tuple[str, str]) -> str:
    """The arms of a row, where there are several."""
    return " - ".join(order.arm(key).text for key in pair) if len(record.pairs) > 1 else ""


def _quantity(order: Order, record: AnalysisRecord) -> str:
    """What is compared, with its unit: a slope, or the mean at a visit."""
    if record.headline == "slope-difference":
        return f"Slope, {order.unit}/year" if order.unit else "Slope per year"
    visit = record.visit or record.specification.get("visit", "")
    where = f"Mean at {visit}" if visit else "Mean over visits"
    return f"{where}, {order.unit}" if order.unit else where


def _row(*cells: Cell) -> Row:
    return Row((*cells, *[EMPTY] * (8 - len(cells))))


def _numbers(
    order: Order, results: Results, record: AnalysisRecord, pair: tuple[str, str]
) -> tuple[Cell, ...]:
    cells, keys = _cells(order, results, record), _headline(record, pair)
    return (
        cells.count("n_subjects", quantity="fit"),
        cells.with_spread("estimate", "std_error", **keys),
        cells.interval(**keys),
        cells.p_value(**keys),
    )


def _headline(record: AnalysisRecord, pair: tuple[str, str]) -> dict[str, str]:
    """Where the difference of a pair stands in the results."""
    arm, versus = pair
    return {"quantity": record.headline, "visit": record.visit, "arm": arm, "versus": versus}


def _cells(order: Order, results: Results, record: AnalysisRecord) -> Cells:
    keys = {
        "analysis": record.name,
        "method": record.method,
        "endpoint": record.endpoint,
        "population": record.population,
    }
    return Cells(results, order, keys)


def _explained(results: Results, order: Order) -> tuple[str, ...]:
    """The roles shown, in words, and what n counts."""
    found = {record.role for name in order.analyses if (record := results.analysis(name))}
    words = [f"{role.capitalize()}: {said}" for role, said in ROLES.items() if role in found]
    return (f"{'; '.join(words)}.", "n: subjects analysed.") if words else ()


def _lacking(order: Order, results: Results) -> Iterator[tuple[str, str, str]]:
    """Which analyses do not determine which difference, and why."""
    for name in order.analyses:
        record = results.analysis(name)
        if record is None or record.failure:
            continue
        for pair in record.pairs:
            cells = _cells(order, results, record)
            label = _label(record, _compared(order, record, pair))
            yield label, "", cells.note("estimate", **_headline(record, pair))
