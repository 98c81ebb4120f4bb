"""Forms of retrieved-dropout imputation: by what the shift of the mean after the event differs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import IntArray
    from trialmlm.missing.layout import Layout

#: the columns of the model: 1 after the event, and the time since the first visit it affects
AFTER_EVENT, TIME_AFTER_EVENT = "AFTER_EVENT", "TIME_AFTER_EVENT"


@dataclass(frozen=True, slots=True)
class Form:
    """By what the shift of the mean after the event differs.

    Attributes
    ----------
    term : str
        Of the imputation model.
    pools : callable
        From the layout, which cells share a shift: codes, n × T.
    named : callable
        What the pool of a cell is called, from the layout, the subject's place and the visit's.
    advice : str
        What to do where nobody tells a shift.
    timed : bool
        Whether it changes with the time since the event.
    """

    term: str
    pools: Callable[[Layout], IntArray]
    named: Callable[[Layout, int, int], str]
    advice: str
    timed: bool = False


def _everyone(layout: Layout) -> IntArray:
    return np.zeros(layout.Y.shape, dtype=np.intp)


def _by_arm(layout: Layout) -> IntArray:
    return np.broadcast_to(layout.arm[:, None], layout.Y.shape)


def _by_arm_and_visit(layout: Layout) -> IntArray:
    visits = len(layout.visits)
    found: IntArray = _by_arm(layout) * visits + np.arange(visits)
    return found


def _any_arm(layout: Layout, subject: int, visit: int) -> str:
    del layout, subject, visit
    return "any arm"


def _the_arm(layout: Layout, subject: int, visit: int) -> str:
    del visit
    return f"arm {layout.arms[layout.arm[subject]]}"


def _arm_and_visit(layout: Layout, subject: int, visit: int) -> str:
    return f"{_the_arm(layout, subject, visit)} at {layout.visits[visit]}"


#: by what the shift differs -> its form; a linear change in time has a level of its own, for an
#: event falls between two visits: at the first visit affected some of its effect is there already
FORMS: Mapping[str, Form] = {
    "common": Form(f"{AFTER_EVENT}", _everyone, _any_arm, "use another strategy"),
    "arm": Form(
        f"{AFTER_EVENT}:C({{arm}})",
        _by_arm,
        _the_arm,
        "pool the arms by retrieved='common', or use another strategy",
    ),
    "arm-visit": Form(
        f"{AFTER_EVENT}:C({{arm}}):C({{visit}})",
        _by_arm_and_visit,
        _arm_and_visit,
        "pool the visits by retrieved='arm', or by 'arm-time' along a line, or use another "
        "strategy",
    ),
    "arm-time": Form(
        f"{AFTER_EVENT}:C({{arm}}) + {TIME_AFTER_EVENT}:C({{arm}})",
        _by_arm,
        _the_arm,
        "pool the arms by retrieved='common', or use another strategy",
        timed=True,
    ),
}
