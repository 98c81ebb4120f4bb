"""Rows of a forest out of results: one per analysis and pair of arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trialmlm.figures.forest import ForestRow
from trialmlm.figures.lookup import Lookup

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.figures.order import FigureOrder, Named
    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.results import Results

#: what an analysis may say of a pair of arms, the first found being shown
_QUANTITIES: Final = ("difference", "slope-difference")
_ROLE_WORDS: Final[Mapping[str, str]] = {"main": "main analysis"}


def forest_rows(order: FigureOrder, results: Results) -> tuple[ForestRow, ...]:
    """One row per analysis and pair, in the order's order.

    An analysis that failed, or has no such estimate, keeps its row and says so.
    """
    return tuple(row for named in order.analyses for row in _rows(order, results, named))


def slopes_alone(order: FigureOrder, results: Results) -> bool:
    """Whether every analysis shown compares slopes."""
    records = [results.analysis(named.key) for named in order.analyses]
    headlines = {record.headline for record in records if record is not None}
    return headlines == {"slope-difference"}


def _rows(order: FigureOrder, results: Results, named: Named) -> Iterator[ForestRow]:
    record = results.analysis(named.key)
    for pair in order.pairs:
        label = named.label
        if len(order.pairs) > 1:
            label += f": {' - '.join(order.arm_label(arm) for arm in pair)}"
        yield (
            ForestRow(label, "not made")
            if record is None
            else _row(order, results, record, pair, label)
        )


def _row(
    order: FigureOrder,
    results: Results,
    record: AnalysisRecord,
    pair: tuple[str, str],
    label: str,
) -> ForestRow:
    lookup = Lookup.of(results, record)
    keys = _keys(order, lookup, pair)
    estimate, low, high = lookup.interval(**keys)
    role = _ROLE_WORDS.get(record.role, record.role)
    rate = order.slope_unit if keys["quantity"] == "slope-difference" else ""
    words = (role, "failed" if record.failure else record.method, rate)
    return ForestRow(
        label=label,
        detail=", ".join(filter(None, words)),
        estimate=estimate,
        low=low,
        high=high,
        p_value=lookup.number("p_value", **keys),
        n=_subjects(order, lookup, record),
        decided=record.role != "comparator",
    )


def _keys(order: FigureOrder, lookup: Lookup, pair: tuple[str, str]) -> dict[str, str]:
    """Where the estimate stands: at the order's visit, else that of the whole analysis."""
    arms = {"arm": pair[0], "versus": pair[1]}
    candidates = [
        {**arms, "quantity": quantity, "visit": visit}
        for visit in dict.fromkeys((order.at, ""))
        for quantity in _QUANTITIES
    ]
    return next((keys for keys in candidates if lookup.has("estimate", **keys)), candidates[0])


def _subjects(order: FigureOrder, lookup: Lookup, record: AnalysisRecord) -> int | None:
    """Subjects analysed: as the fit says, else as counted at the visit."""
    fitted = lookup.count("n_subjects", quantity="fit")
    if fitted is not None:
        return fitted
    visits = {visit for _, visit, _ in record.counts}
    asked = {order.at} if order.at in visits else visits
    counted = [n for _, visit, n in record.counts if visit in asked]
    return sum(counted) if len(asked) == 1 else None
