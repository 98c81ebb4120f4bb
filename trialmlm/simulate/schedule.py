"""The visits of the simulated trial, and the days on which subjects come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.streams import truncated_normal

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

#: days of a year, as the protocol counts them
YEAR = 365.25
#: weeks of treatment
WEEKS = 52


@dataclass(frozen=True, slots=True)
class PlannedVisit:
    """A visit: the week it is due, how its day varies, and whether SGRQ is asked at it."""

    name: str
    week: int
    day_sd: float = 0.0
    half_window: int = 0
    sgrq: bool = False


#: from baseline, the day of first dose, to the end of treatment
VISITS = (
    PlannedVisit("Baseline", 0, sgrq=True),
    PlannedVisit("Week 2", 2, 2, 3),
    PlannedVisit("Week 4", 4, 2, 3),
    PlannedVisit("Week 6", 6, 2, 3, sgrq=True),
    PlannedVisit("Week 12", 12, 4, 7, sgrq=True),
    PlannedVisit("Week 24", 24, 4, 7, sgrq=True),
    PlannedVisit("Week 36", 36, 4, 7, sgrq=True),
    PlannedVisit("Week 52", 52, 4, 7, sgrq=True),
)
#: days before first dose on which screening may be
SCREENING = (7, 28)


def visit_days(rng: Generator, count: int) -> NDArray[np.int64]:
    """Days since first dose of each visit, shape (visits, subjects)."""
    days = np.empty((len(VISITS), count), dtype=np.int64)
    for visit, row in zip(VISITS, days, strict=True):
        # half a day more than the window, for the day is rounded
        reach = visit.half_window + 0.4999
        shift = truncated_normal(rng, 0, visit.day_sd, (-reach, reach), count)
        row[:] = 7 * visit.week + np.rint(shift).astype(np.int64)
    return days


def visit_weeks(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Week of each day; the days from the last week on count to the end of treatment."""
    return np.minimum(days // 7, WEEKS)


def study_day(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Study day of days since first dose: that day is 1, the day before it -1."""
    return days + (days >= 0)
