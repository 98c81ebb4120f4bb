"""Subjects in each population, by arm and in all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.headings import arm_columns

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order


def populations(order: Order, results: Results) -> Display:
    """Number (%) of the subjects shown, one row per population.

    Parameters
    ----------
    order : Order
        `populations` gives the rows, `population` the denominator.
    results : Results
        Counts with ``analysis="populations"`` and the population's key.
    """
    cells = Cells(results, order, {"analysis": "populations", "quantity": "count"})
    arms = [*(arm.key for arm in order.arms), ""]
    rows = tuple(
        row(heading.text, *(_share(cells, order, heading.key, arm) for arm in arms))
        for heading in order.populations
    )
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("Population",), 2.4, "left"), *arm_columns(order, results, total=True)),
        blocks=(Block(rows),),
        footnotes=footnotes(order, None).lines,
    )


def _share(cells: Cells, order: Order, population: str, arm: str) -> Cell:
    n = cells.value("n", population=population, arm=arm) or 0.0
    of = cells.value("n", population=order.population.key, arm=arm) or 0.0
    return Cell(order.numbers.percent(int(n), int(of)), (n, of))
