"""Descriptive statistics by visit: the value, the baseline of the same subjects, the change."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display, Row, Spanner
from trialmlm.tables.estimable import not_estimable
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.headings import subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.results import Results
    from trialmlm.tables.order import Heading, Order

_COLUMNS = (
    Column(("Treatment", "Visit"), 3.0, "left"),
    Column(("n",), 0.5),
    Column(("Mean",), 0.7),
    Column(("SD",), 0.8),
    Column(("Med.",), 0.7),
    Column(("Min.",), 0.6),
    Column(("Max.",), 0.6),
    Column(("Mean",), 0.7),
    Column(("SD",), 0.8),
    Column(("Mean",), 0.7),
    Column(("SD",), 0.8),
    Column(("Med.",), 0.7),
    Column(("Min.",), 0.6),
    Column(("Max.",), 0.6),
)
_SPANNERS = (
    Spanner("Value", 1, 6),
    Spanner("Baseline", 7, 8),
    Spanner("Change from Baseline", 9, 13),
)

#: which records -> what follows the visit's name
RECORDS = {"observed": "(Windowed)", "locf": "LOCF", "locf-records": "LOCF"}


def descriptive_by_visit(order: Order, results: Results) -> Display:
    """One block per arm: baseline, then each visit for each kind of records.

    Parameters
    ----------
    order : Order
        `records` gives the kinds in order.
    results : Results
        Statistics with ``analysis="summary"``.
    """
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=_COLUMNS,
        spanners=_SPANNERS,
        blocks=tuple(_block(arm, order, results) for arm in order.arms),
        footnotes=(
            *footnotes(order, None).lines,
            *not_estimable(order, _lacking(order, results)),
        ),
    )


def _block(arm: Heading, order: Order, results: Results) -> Block:
    n = subjects(order, results, arm.key)
    return Block((Row((Cell(f"{arm.text} (N={n})"),)), *_rows(arm.key, order, results)))


def _rows(arm: str, order: Order, results: Results) -> Iterator[Row]:
    base = _cells(order, results, arm, "observed", order.baseline)
    yield row(order.baseline, *_five(base, "value", n=True), *[EMPTY] * 7, indent=1)
    for method in order.records:
        for visit in order.visits:
            cells = _cells(order, results, arm, method, visit)
            yield row(
                f"{visit} {RECORDS[method]}",
                *_five(cells, "value", n=True),
                cells.number("mean", 1, quantity="baseline"),
                cells.number("sd", 2, quantity="baseline"),
                *_five(cells, "change", n=False),
                indent=1,
            )


def _cells(order: Order, results: Results, arm: str, method: str, visit: str) -> Cells:
    """The statistics of one row."""
    keys = {
        "analysis": "summary",
        "endpoint": order.endpoint,
        "population": order.population.key,
        "arm": arm,
        "method": method,
        "visit": visit,
    }
    return Cells(results, order, keys)


def _lacking(order: Order, results: Results) -> Iterator[tuple[str, str, str]]:
    """Which arms cannot be described at which visits, and why."""
    for arm in order.arms:
        for method in order.records:
            for visit in order.visits:
                cells = _cells(order, results, arm.key, method, visit)
                yield arm.text, f"{visit} {RECORDS[method]}", cells.note("sd", quantity="change")


def _five(cells: Cells, quantity: str, *, n: bool) -> list[Cell]:
    """Mean, SD, median, minimum and maximum, with n before them for the value."""
    statistics = [
        cells.number("mean", 1, quantity=quantity),
        cells.number("sd", 2, quantity=quantity),
        cells.number("median", 1, quantity=quantity),
        cells.number("min", 0, quantity=quantity),
        cells.number("max", 0, quantity=quantity),
    ]
    return [cells.count(quantity=quantity), *statistics] if n else statistics
