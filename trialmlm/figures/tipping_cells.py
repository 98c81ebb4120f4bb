"""The cells of a tipping-point analysis as frames that figures draw."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.results.tipping import tipping_curve, tipping_grid, tips

if TYPE_CHECKING:
    from trialmlm.figures.order import FigureOrder
    from trialmlm.results.results import Results


@dataclass(frozen=True, slots=True, eq=False)
class Tipping:
    """What a tipping-point analysis found.

    Attributes
    ----------
    cells : DataFrame or None
        Of two arms: ``delta <arm>`` of each, estimate, ci_low, ci_high, p_value.
    curve : DataFrame
        Of the first arm alone: delta and the same.
    """

    cells: pd.DataFrame | None
    curve: pd.DataFrame


def tipping_of(order: FigureOrder, results: Results) -> Tipping | None:
    """The cells of the first analysis; None where it shifts no values."""
    record = results.analysis(order.analyses[0].key) if order.analyses else None
    found = tips(results, record) if record is not None else {}
    if record is None or not found:
        return None
    arm = next(iter(found))
    curve = [{"delta": c.deltas[arm], **c.numbers} for c in tipping_curve(results, record, arm)]
    names = _columns(order)
    cells = [
        {names[key]: delta for key, delta in c.deltas.items()} | c.numbers
        for c in tipping_grid(results, record)
    ]
    return Tipping(pd.DataFrame(cells) if cells else None, pd.DataFrame(curve))


def _columns(order: FigureOrder) -> dict[str, str]:
    """Key of an arm -> the column of its deltas; arms of one label are told apart by their keys."""
    labels = {arm.key: arm.label for arm in order.arms}
    distinct = len(set(labels.values())) == len(labels)
    return {
        key: f"delta {label if distinct and label else f'{label} {key}'.strip()}"
        for key, label in labels.items()
    }
