"""Analysis of covariance at a visit, with descriptive statistics and dose response."""

from __future__ import annotations

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


def ancova(order: Order, results: Results) -> Display:
    """Baseline, value and change by arm; the trend over the dose; the differences.

    Parameters
    ----------
    order : Order
        One analysis.
    results : Results
        That analysis, and the description of its records with the analysis' name.
    """
    name = order.only_analysis
    record = results.analysis(name)
    notes = footnotes(order, record)
    shared = {"analysis": name, "endpoint": order.endpoint, "population": order.population.key}
    cells = Cells(results, order, {**shared, "method": record.method if record else ""})
    described = (
        _described(order, cells, order.baseline, "baseline"),
        _described(order, cells, order.at, "value"),
        _described(order, cells, "Change from Baseline", "change"),
    )
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("",), 2.8, "left"), *arm_columns(order, results)),
        blocks=(*described, *_trend(order, cells, notes), *comparison_blocks(order, cells, notes)),
        footnotes=(*notes.lines, *not_estimable(order, _lacking(order, cells))),
    )


def _described(order: Order, cells: Cells, label: str, quantity: str) -> Block:
    arms = [arm.key for arm in order.arms]
    keys = {"quantity": quantity, "visit": order.at}
    blank = [EMPTY] * len(arms)
    return Block(
        (
            row(label, *blank),
            row("n", *(cells.count(arm=arm, **keys) for arm in arms), indent=1),
            row(
                "Mean (SD)",
                *(cells.with_spread("mean", "sd", arm=arm, **keys) for arm in arms),
                indent=1,
            ),
            row(
                "Median (Range)",
                *(cells.median_range(arm=arm, **keys) for arm in arms),
                indent=1,
            ),
        )
    )


def _trend(order: Order, cells: Cells, notes: Footnotes) -> tuple[Block, ...]:
    """The p-value of the trend over the dose, in the last column."""
    found = cells.p_value(quantity="dose-response")
    if not found.values:
        return ()
    blank = [EMPTY] * (len(order.arms) - 1)
    label = f"p-value (Dose Response){notes.mark('model', 'dose-response')}"
    return (Block((row(label, *blank, found),)),)


def _lacking(order: Order, cells: Cells) -> Iterator[tuple[str, str, str]]:
    """Which arms have no LS mean, or no description, and why."""
    for arm in order.arms:
        estimated = cells.note("estimate", quantity="ls-mean", arm=arm.key)
        described = cells.note("sd", quantity="change", visit=order.at, arm=arm.key)
        yield arm.text, "", estimated or described
