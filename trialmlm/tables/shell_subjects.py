"""Columns of the subjects summed up by arm: demographics and baseline, disposition."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.tables.cells import EMPTY, Cells, row
from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.footnotes import footnotes
from trialmlm.tables.headings import arm_columns, subjects

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.results.results import Results
    from trialmlm.tables.order import Heading, Order

#: what shares of levels are of, where subjects may lack a value
OF_KNOWN = "Percentages are of the subjects with a value."


def baseline(order: Order, results: Results) -> Display:
    """Numbers as n, mean (SD), median (range); levels as n (%) of the subjects with a value.

    Parameters
    ----------
    order : Order
        `columns` in order.
    results : Results
        Statistics with ``analysis="subjects"`` and the column's name as quantity.
    """
    blocks = tuple(_column(order, results, column) for column in order.columns)
    counts = any(_decimals(order, results, column) is None for column in order.columns)
    return _display(order, results, blocks, (OF_KNOWN,) if counts else ())


def disposition(order: Order, results: Results) -> Display:
    """Subjects in populations first, then the levels of the columns, all as n (%).

    Parameters
    ----------
    order : Order
        `populations` and `columns` in order; `population` is the denominator.
    results : Results
        Counts with ``analysis="populations"`` and with ``analysis="subjects"``.
    """
    arms = [*(arm.key for arm in order.arms), ""]
    counted = Cells(results, order, {"analysis": "populations", "quantity": "count"})
    first = tuple(
        row(heading.text, *(_population_share(counted, order, heading.key, arm) for arm in arms))
        for heading in order.populations
    )
    blocks: tuple[Block, ...] = (Block(first),) if first else ()
    blocks += tuple(_levels(order, results, column, counted) for column in order.columns)
    return _display(order, results, blocks)


def _display(
    order: Order, results: Results, blocks: tuple[Block, ...], notes: tuple[str, ...] = ()
) -> Display:
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=(Column(("",), 2.4, "left"), *arm_columns(order, results, total=True)),
        blocks=blocks,
        footnotes=(*footnotes(order, None).lines, *notes),
    )


def _cells(order: Order, results: Results, column: Heading) -> Cells:
    keys = {"analysis": "subjects", "population": order.population.key, "quantity": column.key}
    return Cells(results, order, keys)


def _column(order: Order, results: Results, column: Heading) -> Block:
    decimals = _decimals(order, results, column)
    if decimals is None:
        return _levels(order, results, column)
    arms = [*(arm.key for arm in order.arms), ""]
    cells = _cells(replace(order, decimals=decimals), results, column)
    return Block(
        (
            row(column.text, *[EMPTY] * len(arms)),
            row("n", *(cells.count(arm=arm) for arm in arms), indent=1),
            row("Mean (SD)", *(cells.with_spread("mean", "sd", arm=arm) for arm in arms), indent=1),
            row("Median (Range)", *(cells.median_range(arm=arm) for arm in arms), indent=1),
        )
    )


def _decimals(order: Order, results: Results, column: Heading) -> int | None:
    """Decimals of a column of numbers; None for one of text."""
    value = _cells(order, results, column).value("decimals")
    return None if value is None else int(value)


def _levels(order: Order, results: Results, column: Heading, whole: Cells | None = None) -> Block:
    """A row per level; shares are of the subjects with a value, or of the `whole` population."""
    cells = _cells(order, results, column)
    arms = [*(arm.key for arm in order.arms), ""]
    found = results.select(**cells.fixed, statistic="n")
    words = order.levels.get(column.key, {})
    levels = dict.fromkeys((*words, *(s.group for s in found if s.group)))
    return Block(
        (
            row(column.text, *[EMPTY] * len(arms)),
            *(
                row(
                    words.get(level, level),
                    *(_share(cells, order, level, arm, whole) for arm in arms),
                    indent=1,
                )
                for level in levels
            ),
            *(() if whole else _missing(order, results, cells, arms)),
        )
    )


def _missing(order: Order, results: Results, cells: Cells, arms: list[str]) -> Iterator[Row]:
    """How many have no value, where any has none."""
    lacking = [subjects(order, results, arm) - int(cells.value("n", arm=arm) or 0) for arm in arms]
    if any(n > 0 for n in lacking):
        texts = (Cell(order.numbers.count(n), (float(n),)) for n in lacking)
        yield row("Missing", *texts, indent=1)


def _share(cells: Cells, order: Order, level: str, arm: str, whole: Cells | None) -> Cell:
    n = cells.value("n", group=level, arm=arm) or 0.0
    if whole is None:
        of = cells.value("n", arm=arm) or 0.0
    else:
        of = whole.value("n", population=order.population.key, arm=arm) or 0.0
    return Cell(order.numbers.percent(int(n), int(of)), (n, of))


def _population_share(cells: Cells, order: Order, population: str, arm: str) -> Cell:
    n = cells.value("n", population=population, arm=arm) or 0.0
    of = cells.value("n", population=order.population.key, arm=arm) or 0.0
    return Cell(order.numbers.percent(int(n), int(of)), (n, of))
