"""The difference as imputed values are shifted: a grid of two arms, and the tip of each alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import UsageError
from trialmlm.results.tipping import tipping_curve, tipping_grid, tips
from trialmlm.tables.display import Block, Cell, Column, Display, Row, Spanner
from trialmlm.tables.footnotes import footnotes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results
    from trialmlm.results.tipping import TippingCell
    from trialmlm.tables.order import Order


def tipping_point(order: Order, results: Results) -> Display:
    """Difference and p-value under the deltas of two arms, or of one.

    Parameters
    ----------
    order : Order
        Of one analysis.
    results : Results
        Its quantities ``tipping``, ``tipping-curve`` and ``tipping-point``.

    Raises
    ------
    UsageError
        If the analysis shifts no values.
    """
    record = results.analysis(order.only_analysis)
    found = tips(results, record) if record is not None else {}
    if record is None or not found:
        raise UsageError(f"analysis {order.only_analysis}: shifts no values (delta:)")
    grid = tipping_grid(results, record)
    alone = next(iter(found))
    columns, rows = _grid(order, grid) if grid else _curve(order, results, record, alone)
    return Display(
        kind=order.kind,
        number=order.number,
        titles=order.titles,
        population=order.population.text,
        columns=columns,
        spanners=_spanners(order, grid, len(columns)),
        blocks=tuple(Block((row,), gap=False) for row in rows),
        footnotes=(*footnotes(order, record).lines, *_explained(order, record, found)),
    )


def _grid(
    order: Order, grid: tuple[TippingCell, ...]
) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
    """A row for each delta of the first arm, a column for each of the second."""
    first, second = grid[0].deltas
    places = {(cell.deltas[first], cell.deltas[second]): cell for cell in grid}
    across = list(dict.fromkeys(cell.deltas[second] for cell in grid))
    down = list(dict.fromkeys(cell.deltas[first] for cell in grid))
    columns = (
        Column((f"Delta of {order.arm(first).text}",), 1.6, "left"),
        *(Column((f"{delta:g}",), 1.0, "center") for delta in across),
    )
    rows = (
        Row((Cell(f"{one:g}", (one,)), *(_cell(order, places[one, other]) for other in across)))
        for one in down
    )
    return columns, tuple(rows)


def _curve(
    order: Order, results: Results, record: AnalysisRecord, arm: str
) -> tuple[tuple[Column, ...], tuple[Row, ...]]:
    """A row for each delta of the one arm that is shifted."""
    columns = (
        Column((f"Delta of {order.arm(arm).text}",), 1.6, "left"),
        Column(("Difference", "p-value"), 1.0, "center"),
    )
    rows = (
        Row((Cell(f"{cell.deltas[arm]:g}", (cell.deltas[arm],)), _cell(order, cell)))
        for cell in tipping_curve(results, record, arm)
    )
    return columns, tuple(rows)


def _spanners(order: Order, grid: tuple[TippingCell, ...], width: int) -> tuple[Spanner, ...]:
    if not grid:
        return ()
    second = list(grid[0].deltas)[1]
    return (Spanner(f"Delta of {order.arm(second).text}", 1, width - 1),)


def _cell(order: Order, cell: TippingCell) -> Cell:
    """The difference above its p-value."""
    estimate, p_value = cell.numbers["estimate"], cell.numbers["p_value"]
    number = order.numbers.number(estimate, order.decimals + 1)
    return Cell(f"{number}\n{order.numbers.p_value(p_value)}", (estimate, p_value))


def _explained(
    order: Order, record: AnalysisRecord, found: Mapping[str, Mapping[str, float]]
) -> Iterator[str]:
    """What a delta is, and where each arm alone tips."""
    arm, versus = (order.arm(key).text for key in record.pairs[0])
    yield (
        f"In each cell: difference {arm} minus {versus}, two-sided p-value below. "
        f"Delta: {record.specification.get('delta', '')}. Values observed stay as they are."
    )
    for key, tip in found.items():
        yield _tip(order, order.arm(key).text, tip)


def _tip(order: Order, arm: str, tip: Mapping[str, float]) -> str:
    delta = tip["delta"]
    if delta != delta:
        return f"{arm} alone: the conclusion is the same within ten times the deltas shown."
    # at the tip one limit is 0 but for rounding: no sign is printed of it
    decimals = order.decimals + 1
    estimate, low, high = (
        order.numbers.number(round(tip[name], decimals) + 0.0, decimals)
        for name in ("estimate", "ci_low", "ci_high")
    )
    return (
        f"{arm} alone: the conclusion changes at a delta of {delta:.1f} "
        f"(difference {estimate}, {order.confidence * 100:g}% CI {low} to {high})."
    )
