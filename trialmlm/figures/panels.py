"""Panels of profiles out of results: the subjects' records, and the population's slope."""

from __future__ import annotations

from math import isfinite, isnan
from statistics import fmean
from typing import TYPE_CHECKING, Final

from trialmlm.figures.lookup import Lookup
from trialmlm.figures.numbers import with_interval
from trialmlm.figures.profiles import Curve, Panel, Profile
from trialmlm.figures.sample import sampled
from trialmlm.figures.style import arm_style

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from trialmlm.figures.order import FigureOrder, Named
    from trialmlm.results.analysis import AnalysisRecord
    from trialmlm.results.records import Record
    from trialmlm.results.results import Results

#: subjects drawn per arm: more cannot be told apart
MOST: Final = 40


def panels_of(order: FigureOrder, results: Results) -> tuple[Panel, ...]:
    """One panel per arm that has records in the order's first analysis.

    Parameters
    ----------
    order : FigureOrder
    results : Results
        With the records of the analysis.
    """
    record = results.analysis(order.analyses[0].key) if order.analyses else None
    if record is None:
        return ()
    rows = [row for row in results.records if row.analysis == record.name and isfinite(row.time)]
    return tuple(
        _panel(order, results, record, arm, position, of_arm)
        for position, arm in enumerate(order.arms)
        if (of_arm := _by_subject(row for row in rows if row.arm == arm.key))
    )


def _by_subject(rows: Iterable[Record]) -> dict[str, list[Record]]:
    """Each subject's records in the order of time; one without a value is left out."""
    found: dict[str, list[Record]] = {}
    for row in sorted(rows, key=lambda row: (row.subject, row.time)):
        found.setdefault(row.subject, []).append(row)
    return {name: own for name, own in found.items() if not all(isnan(r.observed) for r in own)}


def _panel(
    order: FigureOrder,
    results: Results,
    record: AnalysisRecord,
    arm: Named,
    position: int,
    subjects: Mapping[str, Sequence[Record]],
) -> Panel:
    slope, caption = _slope(order, results, record, arm)
    return Panel(
        arm=arm.label,
        style=arm_style(position),
        profiles=tuple(_profile(order, subjects[name]) for name in sampled(subjects, MOST)),
        subjects=len(subjects),
        population=_line(order, subjects, slope) if isfinite(slope) else Curve((), ()),
        caption=caption,
    )


def _profile(order: FigureOrder, rows: Sequence[Record]) -> Profile:
    """Without random effects the prediction says nothing of the subject and is left out."""
    predicts = any(row.predicted != row.fitted and isfinite(row.predicted) for row in rows)
    observed = [(row.time, row.observed) for row in rows if isfinite(row.observed)]
    predicted = [(row.time, row.predicted) for row in rows if predicts]
    return Profile(rows[0].subject, _curve(order, observed), _curve(order, predicted))


def _curve(order: FigureOrder, points: Sequence[tuple[float, float]]) -> Curve:
    return Curve(
        tuple(time * order.time_scale for time, _ in points),
        tuple(value for _, value in points),
    )


def _slope(
    order: FigureOrder, results: Results, record: AnalysisRecord, arm: Named
) -> tuple[float, str]:
    """The arm's slope per unit of the records' time, and how it is printed."""
    slope, low, high = Lookup.of(results, record).interval(quantity="slope", arm=arm.key)
    if not isfinite(slope):
        return slope, ""
    numbers = with_interval(slope, low, high, order.decimals + 1)
    return slope, f"Slope ({order.interval}): {numbers} {order.slope_unit}"


def _line(order: FigureOrder, subjects: Mapping[str, Sequence[Record]], slope: float) -> Curve:
    """The line of the mean subject.

    A subject's fitted values are a_i + slope·t; the a_i are averaged over subjects, not over
    records, so that those who stay longer do not weigh more.
    """
    intercepts = [
        fmean(row.fitted - slope * row.time for row in rows if isfinite(row.fitted))
        for rows in subjects.values()
        if any(isfinite(row.fitted) for row in rows)
    ]
    if not intercepts:
        return Curve((), ())
    last = max(row.time for rows in subjects.values() for row in rows)
    start = fmean(intercepts)
    return _curve(order, [(0.0, start), (last, start + slope * last)])
