"""Residuals by arm and by visit out of the records of an analysis."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from trialmlm.figures.residuals import ArmResiduals
from trialmlm.figures.style import arm_style

if TYPE_CHECKING:
    from trialmlm.figures.order import FigureOrder
    from trialmlm.results.records import Record
    from trialmlm.results.results import Results


def residual_records(order: FigureOrder, results: Results) -> tuple[Record, ...]:
    """The records of the order's first analysis that have a residual and a listed arm."""
    name = order.analyses[0].key if order.analyses else ""
    arms = {arm.key for arm in order.arms}
    return tuple(
        row
        for row in results.records
        if row.analysis == name
        and row.arm in arms
        and isfinite(row.residual)
        and isfinite(row.fitted)
    )


def by_arm(order: FigureOrder, records: tuple[Record, ...]) -> tuple[ArmResiduals, ...]:
    """Residuals of each arm that has any."""
    found = []
    for position, arm in enumerate(order.arms):
        own = [row for row in records if row.arm == arm.key]
        fitted, residuals = (
            tuple(getattr(r, name) for r in own) for name in ("fitted", "residual")
        )
        if own:
            found.append(ArmResiduals(arm.label, arm_style(position), fitted, residuals))
    return tuple(found)


def by_visit(order: FigureOrder, records: tuple[Record, ...]) -> dict[str, list[float]]:
    """Residuals under each visit's label; a record without a visit counts for the nearest one."""
    visits = (*((order.baseline,) if order.baseline else ()), *order.visits)
    labels = {visit.name: visit.tick for visit in visits}
    groups: dict[str, list[float]] = {label: [] for label in labels.values()}
    for row in records:
        name = row.visit
        if not name and visits and isfinite(row.time):
            at = row.time * order.time_scale
            name = min(visits, key=lambda visit: abs(visit.time - at)).name
        groups.setdefault(labels.get(name, name), []).append(row.residual)
    return {label: residuals for label, residuals in groups.items() if residuals}
