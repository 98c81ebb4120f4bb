"""Planned visits, and the days on which subjects come to them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.streams import truncated_normal

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.random import Generator
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit: the week it is due, how its day varies, and whether SGRQ is asked at it."""

    name: str
    week: int
    day_sd: float = 0.0
    half_window: int = 0
    sgrq: bool = False


def days_of(rng: Generator, visits: Sequence[PlannedVisit], count: int) -> NDArray[np.int64]:
    """Days since first dose of each visit, shape (visits, subjects)."""
    days = np.empty((len(visits), count), dtype=np.int64)
    for visit, row in zip(visits, days, strict=True):
        # half a day more than the window, for the day is rounded
        reach = visit.half_window + 0.4999
        shift = truncated_normal(rng, 0, visit.day_sd, (-reach, reach), count)
        row[:] = 7 * visit.week + np.rint(shift).astype(np.int64)
    return days


def study_day(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Study day of days since first dose: that day is 1, the day before it -1."""
    return days + (days >= 0)
