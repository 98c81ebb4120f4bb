"""LS means of an MMRM and the differences between arms, by visit or averaged over visits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.comparisons import comparison_blocks
from trialmlm.tables.display import Block, Column, Display
from trialmlm.tables.estimable import not_estimable
from trialmlm.tables.footnotes import Footnotes, footnotes
from trialmlm.tables.headings import arm_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order


def mmrm(order: Order, results: Results) -> Display:
    """LS means (SE) and differences, one group of blocks per visit.

    Parameters
    ----------
    order : Order
        One analysis; with ``average_over="visits"`` one group of blocks, without n.
    results : Results
        That analysis.
    """
    name = order.only_analysis
    record = results.analysis(name)
    notes = footnotes(order, record)
    shared = {"analysis": name, "endpoint": order.endpoint, "population": order.population.key}
    cells = Cells(results, order, {**shared, "method": record.method if record else ""})
    visits = ("",) if order.average_over == "visits" else order.visits
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("",), 2.8, "left"), *arm_columns(order, results)),
        blocks=tuple(block for visit in visits for block in _visit(order, cells, notes, visit)),
        footnotes=(*notes.lines, *not_estimable(order, _lacking(order, cells, visits))),
    )


def _visit(order: Order, cells: Cells, notes: Footnotes, visit: str) -> tuple[Block, ...]:
    arms = [arm.key for arm in order.arms]
    keys = {"quantity": "ls-mean", "visit": visit}
    means = row(
        f"LS Means (SE){notes.mark('model')}",
        *(cells.with_spread("estimate", "std_error", arm=arm, **keys) for arm in arms),
        indent=1 if visit else 0,
    )
    if not visit:
        return (Block((means,)), *comparison_blocks(order, cells, notes))
    count = row(
        "n",
        *(cells.count(quantity="count", visit=visit, arm=arm) for arm in arms),
        indent=1,
    )
    heading = row(visit, *[EMPTY] * len(arms), bold=True)
    compared = comparison_blocks(order, cells, notes, visit)
    below = (replace(held, indent=held.indent + 1) for block in compared for held in block.rows)
    # one block, so that a page never begins with numbers of a visit it does not name
    return (Block((heading, count, means, *below)),)


def _lacking(order: Order, cells: Cells, visits: tuple[str, ...]) -> Iterator[tuple[str, str, str]]:
    """Which arms have no LS mean at which visits, and why."""
    for visit in visits:
        for arm in order.arms:
            why = cells.note("estimate", quantity="ls-mean", arm=arm.key, visit=visit)
            yield arm.text, visit, why
