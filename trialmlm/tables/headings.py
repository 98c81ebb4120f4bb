"""Column headings of the arms, with the number of subjects under each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.tables.display import Column

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order


def arm_columns(order: Order, results: Results, *, total: bool = False) -> tuple[Column, ...]:
    """One column per arm, and one for all subjects where asked for."""
    headings = [(arm.lines, arm.key) for arm in order.arms]
    if total:
        headings.append((("Total",), ""))
    return tuple(
        Column((*lines, f"(N={subjects(order, results, key)})"), 1.0, "decimal")
        for lines, key in headings
    )


def subjects(order: Order, results: Results, arm: str) -> int:
    """Subjects of the output's population in an arm; all of them for the empty key."""
    n = results.value(
        analysis="populations",
        quantity="count",
        population=order.population.key,
        arm=arm,
        statistic="n",
    )
    return int(n or 0)
