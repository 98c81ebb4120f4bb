"""Cells of a tipping-point analysis, as the results hold them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results

#: one cell of the deltas of two arms; the curve of one arm; where the conclusion changes
GRID, CURVE, TIP = "tipping", "tipping-curve", "tipping-point"
_DELTA = "delta-"


@dataclass(frozen=True, slots=True)
class TippingCell:
    """The difference with the imputed values of some arms shifted.

    Attributes
    ----------
    deltas : mapping of str to float
        Key of the arm -> what is added.
    numbers : mapping of str to float
        estimate, std_error, ci_low, ci_high, p_value, ….
    """

    deltas: dict[str, float]
    numbers: dict[str, float]


def tipping_grid(results: Results, record: AnalysisRecord) -> tuple[TippingCell, ...]:
    """The cells of two arms, in order; empty where fewer are shifted."""
    return tuple(
        TippingCell(
            {name.removeprefix(_DELTA): value for name, value in cell.items() if _DELTA in name},
            {name: value for name, value in cell.items() if _DELTA not in name},
        )
        for cell in _by_group(results, record, GRID).values()
    )


def tipping_curve(results: Results, record: AnalysisRecord, arm: str) -> tuple[TippingCell, ...]:
    """The cells of one arm alone, the others as they were imputed."""
    found = _by_group(results, record, CURVE)
    return tuple(
        TippingCell({arm: cell["delta"]}, {k: v for k, v in cell.items() if k != "delta"})
        for group, cell in found.items()
        if group.split(" ")[0] == arm
    )


def tips(results: Results, record: AnalysisRecord) -> dict[str, dict[str, float]]:
    """Key of the arm shifted -> delta, estimate, … at its tip; NaN where it does not tip."""
    return _by_group(results, record, TIP)


def _by_group(
    results: Results, record: AnalysisRecord, quantity: str
) -> dict[str, dict[str, float]]:
    """Group -> the statistics of the first pair of arms."""
    if not record.pairs:
        return {}
    arm, versus = record.pairs[0]
    found: dict[str, dict[str, float]] = {}
    for one in results.select(analysis=record.name, quantity=quantity, arm=arm, versus=versus):
        found.setdefault(one.group, {})[one.statistic] = one.value
    return found
