"""The visits of the simulated trial, and the days on which subjects come."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.visits import PlannedVisit, days_of

if TYPE_CHECKING:
    from numpy.random import Generator
    from numpy.typing import NDArray

#: days of a year, as the protocol counts them
YEAR = 365.25
#: weeks of treatment
WEEKS = 52


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
    return days_of(rng, VISITS, count)


def visit_weeks(days: NDArray[np.int64]) -> NDArray[np.int64]:
    """Week of each day; the days from the last week on count to the end of treatment."""
    return np.minimum(days // 7, WEEKS)
