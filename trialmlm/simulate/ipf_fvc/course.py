"""What happens to the subjects of a trial, and what of it is observed.

The latent course goes on after death and after leaving as it would have gone on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.ipf_fvc.schedule import visit_weeks

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.chances import Chances
    from trialmlm.simulate.ipf_fvc.subjects import Subjects

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Weeks = NDArray[np.int64]

#: the week of what does not happen
NEVER = 9999
#: no spirometer writes less, mL: the errors' tails are heavy
LOWEST_FVC = 300


def measured(true: Numbers, error: Numbers) -> Numbers:
    """What the spirometer writes down, whole mL."""
    return np.maximum(np.rint(true + error), LOWEST_FVC)


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """What happens to the subjects of a trial in one world.

    Attributes
    ----------
    subjects : Subjects
    chances : Chances
    fvc : ndarray of float, shape (53, n)
        True FVC in mL at the start of weeks 0 to 52, as if nobody died or left.
    at_visit : ndarray of float, shape (visits, n)
        True FVC at the day of each visit.
    exacerbation_week, death_week, stop_week, withdrawal_week : ndarray of int, shape (n,)
        Week of the first; `NEVER` where there is none. Stops and withdrawals of subjects who
        have died before are latent too.
    """

    subjects: Subjects
    chances: Chances
    fvc: Numbers
    at_visit: Numbers
    exacerbation_week: Weeks
    death_week: Weeks
    stop_week: Weeks
    withdrawal_week: Weeks

    @property
    def measurable(self) -> Numbers:
        """What would be measured at each visit by subjects who are there, shape (visits, n)."""
        return measured(self.at_visit, self.chances.error)

    @property
    def observed(self) -> Flags:
        """Whether each visit takes place: alive, in the study, not missed; shape (visits, n)."""
        week = visit_weeks(self.chances.days)
        return (week <= self.last_week) & ~self.chances.missed

    @property
    def last_week(self) -> Weeks:
        """The last week in which each subject is in the study."""
        return np.minimum(self.death_week, self.withdrawal_week)

    @property
    def died(self) -> Flags:
        """Who dies, in the study or after leaving it."""
        return self.death_week < NEVER

    @property
    def withdrew(self) -> Flags:
        """Who leaves the study alive."""
        return self.withdrawal_week < self.death_week

    @property
    def stopped(self) -> Flags:
        """Who stops drug, alive and in the study."""
        alive = self.stop_week < self.death_week
        return alive & (self.stop_week <= self.withdrawal_week)

    @property
    def completed(self) -> Flags:
        """Who is in the study to the last visit, whether or not it is missed."""
        return visit_weeks(self.chances.days[-1]) <= self.last_week

    @property
    def exacerbated(self) -> Flags:
        """Who has an exacerbation before death, in the study or after leaving it."""
        return (self.exacerbation_week < NEVER) & (self.exacerbation_week <= self.death_week)

    @property
    def exacerbation_day(self) -> Numbers:
        """Day of the first exacerbation, from first dose; infinite where there is none."""
        return self._day(self.exacerbation_week, self.chances.exacerbation_in_week)

    @property
    def death_day(self) -> Numbers:
        """Day of death, not before an exacerbation of the same week."""
        return self._day(self.death_week, self.chances.death_in_week, self.exacerbation_day)

    @property
    def stop_day(self) -> Numbers:
        """Day of the latent stop of drug."""
        return self._day(self.stop_week, self.chances.leaving_in_week, self.exacerbation_day)

    @property
    def withdrawal_day(self) -> Numbers:
        """Day of the latent withdrawal; that of the stop when both fall in one week."""
        return self._day(self.withdrawal_week, self.chances.leaving_in_week, self.exacerbation_day)

    def _day(self, week: Weeks, in_week: Numbers, earlier: Numbers | None = None) -> Numbers:
        """Day of an event: after the visit of its week, and after what comes earlier in it."""
        days = self.chances.days
        from_day = np.max(np.where(visit_weeks(days) == week, days - 7 * week, 0), axis=0)
        if earlier is not None:
            within = (earlier >= 7 * week) & (earlier < 7 * week + 7)
            from_day = np.where(within, np.maximum(from_day, earlier - 7 * week), from_day)
        day = 7 * week + from_day + np.floor(in_week * (7 - from_day))
        return np.where(week < NEVER, day, np.inf)
