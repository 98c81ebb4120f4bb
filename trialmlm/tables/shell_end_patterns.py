"""Subjects without a value at the end, by the event before it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import UsageError
from trialmlm.tables.cells import row
from trialmlm.tables.display import Block, Cell, Column, Display
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.headings import arm_columns

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

EXPLAINED = (
    "Of several events before the visit death counts first, then the others in the order of the "
    "table. Percentages are of the subjects of the arm."
)
_WORDS = {"observed": "Value at {visit}", "no event": "No value at {visit}, none of these events"}


def end_patterns(order: Order, results: Results) -> Display:
    """Number (%) with a value at the visit, and without one after each event.

    Parameters
    ----------
    order : Order
        The first of `estimands` is shown.
    results : Results
        Counts with ``analysis="end-patterns"`` and the estimand as method.

    Raises
    ------
    UsageError
        If no analysis with an estimand is ordered.
    """
    key = order.estimands[0].key if order.estimands else ""
    counts = results.select(analysis="end-patterns", method=key)
    if not counts:
        raise UsageError("patterns at the end need an analysis of an estimand (analyses:)")
    numbers = {(one.group, one.arm): one.value for one in counts}
    visit = counts[0].visit
    rows = (
        row(_label(group, visit), *_shares(order, numbers, group))
        for group in dict.fromkeys(one.group for one in counts)
    )
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("",), 2.8, "left"), *arm_columns(order, results, total=True)),
        blocks=(Block(tuple(rows)),),
        footnotes=(*footnotes(order, None).lines, EXPLAINED),
    )


def _label(group: str, visit: str) -> str:
    event = group.replace("_", " ")
    return _WORDS.get(group, f"No value at {{visit}}, after {event}").format(visit=visit)


def _shares(order: Order, numbers: dict[tuple[str, str], float], group: str) -> list[Cell]:
    """N (%) of each arm and of all."""
    arms = [arm.key for arm in order.arms]
    found = [numbers.get((group, arm), 0.0) for arm in arms]
    sizes = [sum(n for (_, of), n in numbers.items() if of == arm) for arm in arms]
    pairs = [*zip(found, sizes, strict=True), (sum(found), sum(sizes))]
    return [Cell(order.numbers.percent(int(n), int(of)), (n, of)) for n, of in pairs]
