"""The estimated covariance: variances and covariances below, correlations above the diagonal."""

from __future__ import annotations

from math import sqrt
from typing import TYPE_CHECKING

from trialmlm.tables.cells import Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order


def covariance(order: Order, results: Results) -> Display:
    """A square table over the visits.

    Parameters
    ----------
    order : Order
        One analysis, an MMRM.
    results : Results
        Quantity ``covariance`` by visit and, as group, the other visit; by arm where each has
        its own.
    """
    name = order.only_analysis
    record = results.analysis(name)
    notes = footnotes(order, record)
    keys = {
        "analysis": name,
        "endpoint": order.endpoint,
        "population": order.population.key,
        "method": record.method if record else "",
        "quantity": "covariance",
    }
    found = results.select(**keys, statistic="estimate")
    visits = list(dict.fromkeys(s.visit for s in found))
    arms = list(dict.fromkeys(s.arm for s in found))
    blocks = tuple(_block(Cells(results, order, {**keys, "arm": arm}), visits) for arm in arms)
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("Visit",), 1.4, "left"), *(Column((visit,)) for visit in visits)),
        blocks=blocks,
        footnotes=(*notes.lines, _explained(order)) if found else notes.lines,
    )


def _block(cells: Cells, visits: list[str]) -> Block:
    """The visits of one arm under its name, or of all arms."""
    arm = cells.fixed["arm"]
    head = (Row((Cell(" ".join(cells.order.arm(arm).lines)),)),) if arm else ()
    rows = tuple(
        row(first, *(_cell(cells, visits, i, j) for j in range(len(visits))), indent=bool(arm))
        for i, first in enumerate(visits)
    )
    return Block((*head, *rows))


def _explained(order: Order) -> str:
    unit = f" ({order.unit} squared)" if order.unit else ""
    return f"Variances on the diagonal and covariances below it{unit}, correlations above it."


def _cell(cells: Cells, visits: list[str], i: int, j: int) -> Cell:
    if j <= i:
        return cells.number("estimate", 1, visit=visits[i], group=visits[j])
    product = _variance(cells, visits[i]) * _variance(cells, visits[j])
    value = cells.value("estimate", visit=visits[j], group=visits[i])
    if value is None or product <= 0.0:
        return Cell("")
    return Cell(cells.order.numbers.number(value / sqrt(product), 3), (value / sqrt(product),))


def _variance(cells: Cells, visit: str) -> float:
    return cells.value("estimate", visit=visit, group=visit) or 0.0
