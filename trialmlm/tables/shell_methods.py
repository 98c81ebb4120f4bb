"""The same question under several methods: one row per analysis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order


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
        footnotes=footnotes(order, None).lines,
    )


def _rows(order: Order, results: Results, name: str) -> tuple[Row, ...]:
    record = results.analysis(name)
    if record is None:
        return (_row(Cell(name), Cell("not made")),)
    label = Cell(record.label or name)
    role = Cell(record.role)
    if record.failure:
        return (_row(label, Cell(f"not made: {record.failure}"), role),)
    return tuple(
        _row(
            label,
            Cell(record.assumption),
            role,
            Cell(_quantity(order, record)),
            *_numbers(order, results, record, arm, versus),
        )
        for arm, versus in record.pairs
    )


def _quantity(order: Order, record: AnalysisRecord) -> str:
    """What is compared, with its unit: a slope, or the mean at a visit."""
    if record.headline == "slope-difference":
        return f"slope, {order.unit}/year" if order.unit else "slope per year"
    visit = record.visit or record.specification.get("visit", "")
    where = f"mean at {visit}" if visit else "mean over visits"
    return f"{where}, {order.unit}" if order.unit else where


def _row(*cells: Cell) -> Row:
    return Row((*cells, *[EMPTY] * (8 - len(cells))))


def _numbers(
    order: Order, results: Results, record: AnalysisRecord, arm: str, versus: str
) -> tuple[Cell, ...]:
    keys = {
        "analysis": record.name,
        "method": record.method,
        "endpoint": record.endpoint,
        "population": record.population,
    }
    cells = Cells(results, order, keys)
    headline = {"quantity": record.headline, "visit": record.visit, "arm": arm, "versus": versus}
    value = cells.number("estimate", 1, **headline)
    error = cells.number("std_error", 1, **headline)
    low, high = cells.number("ci_low", 1, **headline), cells.number("ci_high", 1, **headline)
    return (
        cells.count("n_subjects", quantity="fit"),
        Cell(f"{value.text} ({error.text})", value.values + error.values),
        Cell(f"({low.text}, {high.text})", low.values + high.values),
        cells.p_value(**headline),
    )
