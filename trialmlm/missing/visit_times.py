"""When visits are, as the user says it: labels of visits are no times."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.layout import Layout


def visit_times(targets: Mapping[Any, float] | None, layout: Layout) -> Array:
    """The time of every visit of the layout, in the unit it is given in, shape (T,).

    Parameters
    ----------
    targets : mapping of visit to number
        The target day or week of every visit; those of visits that the data lack are not used.
    layout : Layout

    Raises
    ------
    UsageError
        If a visit has no time, or times are no numbers or not in the order of the visits.
    """
    visits = layout.visits.tolist()
    if not isinstance(targets, Mapping):
        found = "none" if targets is None else type(targets).__name__
        msg = f"targets: found {found}, expected the time of every visit, as {_as(visits)}"
        raise UsageError(msg)
    without = [visit for visit in visits if visit not in targets]
    if without:
        msg = (
            f"targets: found no time of {_listed(without)} (times of {_listed(list(targets))}); "
            f"expected one of every visit: {_listed(visits)}"
        )
        raise UsageError(msg)
    times = [targets[visit] for visit in visits]
    return _in_order(times, visits)


def _in_order(times: list[Any], visits: list[Any]) -> Array:
    numbers = [isinstance(t, int | float | np.number) and np.isfinite(t) for t in times]
    if not all(numbers):
        at = numbers.index(False)
        msg = f"targets: found {times[at]!r} for {visits[at]}, expected a number: a day or a week"
        raise UsageError(msg)
    found = np.array(times, dtype=float)
    back = np.flatnonzero(np.diff(found) <= 0)
    if back.size:
        at = int(back[0])
        msg = (
            f"targets: found {times[at]:g} for {visits[at]} and {times[at + 1]:g} for "
            f"{visits[at + 1]}, the visit after it; expected times that grow from visit to visit"
        )
        raise UsageError(msg)
    return found


def _as(visits: list[Any]) -> str:
    shown = ", ".join(f"{visit!r}: day" for visit in visits[:2])
    return f"targets={{{shown}{', …' if len(visits) > 2 else ''}}}"


def _listed(visits: list[Any]) -> str:
    return ", ".join(map(str, visits))
