"""Rows that compare arms: p-value, difference of LS means (SE), confidence interval."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Cell

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.tables.footnotes import Footnotes
    from trialmlm.tables.order import Order


def comparison_blocks(
    order: Order, cells: Cells, notes: Footnotes, visit: str = ""
) -> tuple[Block, ...]:
    """One block per arm compared with, each difference in the column of its first arm.

    Parameters
    ----------
    order : Order
        `pairs` in order; those with the same second arm share a block.
    cells : Cells
        Of the analysis.
    notes : Footnotes
        Marks of the keywords ``model`` and ``pairwise`` are set on the p-value.
    visit : str
        The visit of the differences; empty where they are averaged.
    """
    references = list(dict.fromkeys(versus for _, versus in order.pairs))
    return tuple(_block(order, cells, notes, versus, visit) for versus in references)


def _block(order: Order, cells: Cells, notes: Footnotes, versus: str, visit: str) -> Block:
    compared = [arm for arm, against in order.pairs if against == versus]
    keys = {"quantity": "difference", "versus": versus, "visit": visit}
    marks = notes.mark("model", "pairwise")
    interval = f"{order.confidence * 100:g}% CI"
    against = order.arm(versus).text
    alone = f"{order.arm(compared[0]).text} - " if len(compared) == 1 else "Active - "
    first = f"p-value ({alone}{against}){marks}"

    def across(make: Callable[[str], Cell]) -> list[Cell]:
        return [make(arm.key) if arm.key in compared else EMPTY for arm in order.arms]

    difference = partial(cells.with_spread, "estimate", "std_error", **keys)
    return Block(
        (
            row(first, *across(lambda arm: cells.p_value(arm=arm, **keys))),
            row("Difference of LS Means (SE)", *across(lambda arm: difference(arm=arm)), indent=1),
            row(interval, *across(lambda arm: cells.interval(arm=arm, **keys)), indent=1),
        )
    )
