"""Intercurrent events, and what became of the values after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.headings import arm_columns

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

#: strategy -> what it does to an observed value, and to a visit without one
WORDS = {
    "treatment-policy": ("Values kept", "Visits without a value"),
    "hypothetical": ("Values set aside", "Visits without a value"),
    "composite": ("Values replaced by failure", "Visits without a value made failures"),
    "while-on-treatment": ("Values cut", "Visits without a value"),
}
EXPLAINED = (
    "Where several events come before a visit, one rules, and the visit is counted under it alone: "
    "of those that do not keep values the first in time, of two on one day the first of the "
    "estimand; treatment policy gives way to every other strategy."
)


def intercurrent_events(order: Order, results: Results) -> Display:
    """Subjects with each event, and the visits at which it rules, by strategy and arm.

    Parameters
    ----------
    order : Order
        `estimands` in order.
    results : Results
        Counts with ``analysis="events"``, the estimand as method, the strategy as quantity and
        the event as group.
    """
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(
            Column(("Event", "(strategy)"), 3.0, "left"),
            *arm_columns(order, results, total=True),
        ),
        blocks=tuple(
            block
            for estimand in order.estimands
            for block in _blocks(order, results, estimand.key, estimand.text)
        ),
        footnotes=(*footnotes(order, None).lines, EXPLAINED),
    )


def _blocks(order: Order, results: Results, estimand: str, question: str) -> Iterator[Block]:
    """A heading for the estimand where there are several, then a block for each event."""
    counts = results.select(analysis="events", method=estimand, statistic="subjects")
    if len(order.estimands) > 1:
        yield Block((Row((Cell(f"{estimand}: {question}"),), bold=True),))
    found = dict.fromkeys((s.group, s.quantity, s.endpoint, s.population) for s in counts)
    for event, strategy, endpoint, population in found:
        keys = {"analysis": "events", "method": estimand, "endpoint": endpoint}
        keys |= {"population": population, "group": event, "quantity": strategy}
        yield _block(order, Cells(results, order, keys), event, strategy)


def _block(order: Order, cells: Cells, event: str, strategy: str) -> Block:
    arms = [arm.key for arm in order.arms]
    values, gaps = WORDS[strategy]
    label = f"{event.replace('_', ' ').capitalize()} ({strategy.replace('-', ' ')})"
    lines = {
        "Subjects with the event": "subjects",
        "Subjects in whom it rules at a visit": "ruled",
        values: "values",
        gaps: "gaps",
    }
    return Block(
        (
            row(label, *[EMPTY] * (len(arms) + 1)),
            *(row(words, *_counts(cells, name, arms), indent=1) for words, name in lines.items()),
        )
    )


def _counts(cells: Cells, statistic: str, arms: list[str]) -> Iterator[Cell]:
    """One number per arm, and their sum."""
    numbers = [cells.value(statistic, arm=arm) or 0.0 for arm in arms]
    for number in (*numbers, sum(numbers)):
        yield Cell(cells.order.numbers.count(int(number)), (number,))
