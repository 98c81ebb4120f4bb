"""Rate of decline: the slope over time by arm, and the difference from control."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display
from trialmlm.tables.estimable import not_estimable
from trialmlm.tables.footnotes import Footnotes, footnotes
from trialmlm.tables.headings import arm_columns

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

ESTIMATE = ("estimate", "std_error")


def rate_of_decline(order: Order, results: Results) -> Display:
    """Subjects and values, adjusted rate (SE) and CI, difference, p, relative reduction.

    Parameters
    ----------
    order : Order
        One analysis, of random slopes.
    results : Results
        Quantities ``slope``, ``slope-difference`` and ``relative-reduction`` of that analysis.
    """
    name = order.only_analysis
    record = results.analysis(name)
    notes = footnotes(order, record)
    shared = {"analysis": name, "endpoint": order.endpoint, "population": order.population.key}
    cells = Cells(results, order, {**shared, "method": record.method if record else ""})
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("",), 2.6, "left"), *arm_columns(order, results)),
        blocks=(_counts(order, cells), _rates(order, cells, notes), *_differences(order, cells)),
        footnotes=(
            *notes.lines,
            *filter(None, [_explained(order)]),
            *not_estimable(order, _lacking(order, cells)),
        ),
    )


def _counts(order: Order, cells: Cells) -> Block:
    arms = [arm.key for arm in order.arms]
    return Block(
        (
            row("Subjects analysed", *(cells.count(quantity="count", arm=arm) for arm in arms)),
            row(
                "Values analysed",
                *(cells.count("values", quantity="count", arm=arm) for arm in arms),
            ),
        )
    )


def _rates(order: Order, cells: Cells, notes: Footnotes) -> Block:
    arms = [arm.key for arm in order.arms]
    unit = f", {order.unit}/year" if order.unit else " per year"
    return Block(
        (
            row(
                f"Adjusted rate (SE){unit}{notes.mark('model')}",
                *(cells.with_spread(*ESTIMATE, quantity="slope", arm=arm) for arm in arms),
            ),
            row(
                f"{order.confidence * 100:g}% CI",
                *(cells.interval(quantity="slope", arm=arm) for arm in arms),
                indent=1,
            ),
        )
    )


def _differences(order: Order, cells: Cells) -> tuple[Block, ...]:
    references = dict.fromkeys(versus for _, versus in order.pairs)
    return tuple(_difference(order, cells, versus) for versus in references)


def _difference(order: Order, cells: Cells, versus: str) -> Block:
    compared = [arm for arm, against in order.pairs if against == versus]

    def across(make: Callable[[str], Cell]) -> list[Cell]:
        return [make(arm.key) if arm.key in compared else EMPTY for arm in order.arms]

    keys = {"quantity": "slope-difference", "versus": versus}
    relative = {**keys, "quantity": "relative-reduction"}
    return Block(
        (
            row(
                f"Difference from {order.arm(versus).text} (SE)",
                *across(lambda arm: cells.with_spread(*ESTIMATE, arm=arm, **keys)),
            ),
            row(
                f"{order.confidence * 100:g}% CI",
                *across(lambda arm: cells.interval(arm=arm, **keys)),
                indent=1,
            ),
            row("p-value", *across(lambda arm: cells.p_value(arm=arm, **keys)), indent=1),
            row(
                "Relative reduction, %",
                *across(lambda arm: cells.number("estimate", 1, arm=arm, **relative)),
                indent=1,
            ),
        )
    )


def _explained(order: Order) -> str:
    """What the relative reduction is; nothing where no arms are compared."""
    versus = " or ".join(order.arm(key).text for key in dict.fromkeys(v for _, v in order.pairs))
    return f"Relative reduction: 100 (1 - rate / rate of {versus})." if versus else ""


def _lacking(order: Order, cells: Cells) -> Iterator[tuple[str, str, str]]:
    """Which arms have no rate, and why."""
    for arm in order.arms:
        yield arm.text, "", cells.note("estimate", quantity="slope", arm=arm.key)
