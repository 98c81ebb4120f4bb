"""Which values there are at each visit, and why others are missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.headings import arm_columns

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

#: how the reasons exclude one another
EXPLAINED = (
    "A missing value is put down to the first that applies: death, then leaving the trial, before "
    "the end of the visit's window; else the visit or its value was missed."
)
#: group in the results -> label of the row and its indent
ROWS = {
    "observed": ("Value observed", 1),
    "missing": ("Value missing", 1),
    "died": ("Died before the visit", 2),
    "left": ("Left the trial before the visit", 2),
    "missed": ("Missed", 2),
}


def attendance(order: Order, results: Results) -> Display:
    """Number (%) of the subjects by visit: observed, and missing by reason.

    Parameters
    ----------
    order : Order
    results : Results
        Counts with ``analysis="attendance"``, the visit, and the row as group.
    """
    shared = {
        "analysis": "attendance",
        "quantity": "count",
        "endpoint": order.endpoint,
        "population": order.population.key,
    }
    cells = Cells(results, order, shared)
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("Visit",), 2.4, "left"), *arm_columns(order, results, total=True)),
        blocks=tuple(_block(order, cells, visit) for visit in order.visits),
        footnotes=(*footnotes(order, None).lines, EXPLAINED),
    )


def _block(order: Order, cells: Cells, visit: str) -> Block:
    arms = [*(arm.key for arm in order.arms), ""]
    rows = (
        row(label, *(_share(cells, order, visit, group, arm) for arm in arms), indent=indent)
        for group, (label, indent) in ROWS.items()
    )
    return Block((row(visit, *[EMPTY] * len(arms)), *rows))


def _share(cells: Cells, order: Order, visit: str, group: str, arm: str) -> Cell:
    n = cells.value("n", visit=visit, group=group, arm=arm) or 0.0
    of = sum(
        cells.value("n", visit=visit, group=part, arm=arm) or 0.0
        for part in ("observed", "missing")
    )
    return Cell(order.numbers.percent(int(n), int(of)), (n, of))
