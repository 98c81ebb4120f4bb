"""The visits of the simulated trial."""

from __future__ import annotations

import numpy as np

from trialmlm.simulate.visits import PlannedVisit

#: from baseline, the day of first dose, to the end of treatment
VISITS = (
    PlannedVisit("Baseline", 0),
    PlannedVisit("Week 1", 1, 1, 3),
    PlannedVisit("Week 2", 2, 1, 3),
    PlannedVisit("Week 4", 4, 1, 3),
    PlannedVisit("Week 6", 6, 1, 3),
    PlannedVisit("Week 8", 8, 1, 3),
)
#: the visits' names and weeks, as the data spell them
NAMES = np.array([visit.name for visit in VISITS], dtype=object)
WEEKS = np.array([visit.week for visit in VISITS])
