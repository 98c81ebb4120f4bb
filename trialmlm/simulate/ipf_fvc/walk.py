"""Week by week through the trial: FVC, exacerbation, death, drug stop, withdrawal.

In each week a subject is measured if a visit falls in it; then may have an exacerbation, FVC falls,
the subject may die, and may stop drug or leave.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate.ipf_fvc.course import NEVER, Course, measured
from trialmlm.simulate.ipf_fvc.schedule import VISITS, WEEKS, YEAR, visit_weeks

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    from trialmlm.simulate.ipf_fvc.chances import Chances
    from trialmlm.simulate.ipf_fvc.parameters import OffDrug, Parameters
    from trialmlm.simulate.ipf_fvc.subjects import Subjects

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]
    Weeks = NDArray[np.int64]

#: a week, in years
_WEEK = 7 / YEAR


@dataclass(frozen=True, slots=True)
class World:
    """What becomes of drug: who starts on it, and whether it is ever stopped."""

    starts_on_drug: bool = True
    may_stop: bool = True


#: how it went; had nobody stopped drug; had nobody been on it
WORLDS: Mapping[str, World] = {
    "followed": World(),
    "on-drug": World(may_stop=False),
    "off-drug": World(starts_on_drug=False, may_stop=False),
}


def follow(subjects: Subjects, chances: Chances, parameters: Parameters, world: World) -> Course:
    """Follow the subjects through the weeks of treatment.

    Parameters
    ----------
    subjects : Subjects
    chances : Chances
    parameters : Parameters
    world : World
        One of `WORLDS`.
    """
    walk = _started(subjects, chances, parameters, world)
    for week in range(WEEKS):
        walk.measure(week)
        falls = walk.exacerbate(week)
        walk.decline(week, falls)
        walk.die(week)
        walk.leave(week)
    walk.measure(WEEKS)
    return walk.course()


@dataclass(frozen=True, slots=True, eq=False)
class _Walk:
    """The working arrays of `follow`, changed in place from week to week.

    `arm` is the one whose drug is taken, `last_seen` the true FVC at the last visit, `slope` what
    FVC does in the week and `on_placebo` what it would do, `points_lost` the decline last measured
    in points of % predicted, `log_hazard` of death what does not change.
    """

    subjects: Subjects
    chances: Chances
    parameters: Parameters
    may_stop: bool
    arm: Weeks
    visit_week: Weeks
    log_hazard: Numbers
    fvc: Numbers
    at_visit: Numbers
    last_seen: Numbers
    slope: Numbers
    on_placebo: Numbers
    points_lost: Numbers
    exacerbation_week: Weeks
    death_week: Weeks
    stop_week: Weeks
    withdrawal_week: Weeks

    def measure(self, week: int) -> None:
        """Measure the subjects whose visit falls in this week, at its day."""
        for k in (k for k, visit in enumerate(VISITS) if abs(visit.week - week) <= 1):
            here = self.visit_week[k] == week
            since = (self.chances.days[k, here] - 7 * week) / YEAR
            self.at_visit[k, here] = self.fvc[week, here] + self.slope[here] * since
            self.last_seen[here] = self.at_visit[k, here]
            self._see(k, here & ~self.chances.missed[k])

    def _see(self, k: int, there: Flags) -> None:
        first, now = (
            measured(self.at_visit[i, there], self.chances.error[i, there]) for i in (0, k)
        )
        self.points_lost[there] = 100 * (first - now) / self.subjects.predicted[there]

    def exacerbate(self, week: int) -> Numbers:
        """Begin first exacerbations; return the FVC that is lost by them."""
        sudden = self.parameters.exacerbation
        tenths = np.minimum(self._tenths_lost(week), sudden.most_tenths)
        rate = np.array(sudden.rate)[self.arm] * np.exp(sudden.log_ratio_per_tenth * tenths)
        fresh = self.exacerbation_week == NEVER
        begins = fresh & (self.chances.exacerbation[week] < rate * _WEEK)
        self.exacerbation_week[begins] = week
        return np.where(begins, self.chances.drop, 0)

    def decline(self, week: int, falls: Numbers) -> None:
        """Let FVC fall, by the week's slope and by what an exacerbation takes."""
        self.fvc[week + 1] = self.fvc[week] - falls + self.slope * _WEEK

    def die(self, week: int) -> None:
        """Let subjects die, for the first and only time."""
        death = self.parameters.death
        since = week - self.exacerbation_week
        log_hazard = (
            self.log_hazard
            + death.per_tenth_lost * np.minimum(self._tenths_lost(week + 1), death.most_tenths)
            + death.after_exacerbation * ((since >= 1) & (since <= death.weeks_after))
        )
        dies = self.chances.death[week] < np.exp(log_hazard) * _WEEK
        self.death_week[dies & (self.death_week == NEVER)] = week

    def leave(self, week: int) -> None:
        """Let subjects stop drug and leave the study, before their last visit."""
        if not self.may_stop:
            return
        leaving = self.parameters.leaving
        factor = self._urge(week)
        during = leaving.early_factor if week < leaving.early_weeks else leaving.late_factor
        hazard = -np.log1p(-np.array(leaving.stop_risk)) * np.array(during)
        under_way = week < self.visit_week[-1]
        on_drug = under_way & (self.stop_week == NEVER)
        stops = on_drug & (self.chances.stop[week] < hazard[self.arm] * factor * _WEEK)
        self.stop_week[stops] = week
        OFF_DRUG[self.parameters.decline.off_drug](self, week, stops)
        tires = self.chances.withdrawal[week] < leaving.withdrawal_rate * factor * _WEEK
        goes = under_way & (tires | (stops & self.chances.leaves))
        self.withdrawal_week[goes & (self.withdrawal_week == NEVER)] = week

    def fall_as_on_placebo(self, week: int, stops: Flags) -> None:
        """Let FVC fall as on placebo from now on."""
        del week
        self.slope[stops] = self.on_placebo[stops]

    def go_on(self, week: int, stops: Flags) -> None:
        """Let FVC fall as before, from a level that is lower by what the drug had added at once."""
        self.fvc[week + 1] -= np.where(
            stops, np.take(self.parameters.decline.drop_at_stop, self.arm), 0
        )

    def stand_still(self, week: int, stops: Flags) -> None:
        """Let FVC stay what it was at the last visit."""
        self.slope[stops] = 0
        self.fvc[week + 1, stops] = self.last_seen[stops]

    def _urge(self, week: int) -> Numbers:
        """Return what decline multiplies the hazards of stopping and leaving by."""
        leaving = self.parameters.leaving
        lost = self.points_lost
        if leaving.seen == "current-latent":
            lost = 100 * (self.fvc[0] - self.fvc[week + 1]) / self.subjects.predicted
        above = np.maximum(lost, leaving.floor) - leaving.centre
        urge: Numbers = np.exp(leaving.per_ten_points * above / 10)
        return urge

    def _tenths_lost(self, week: int) -> Numbers:
        """Tenths of the true baseline FVC that are lost."""
        tenths: Numbers = 10 * (1 - self.fvc[week] / self.fvc[0])
        return np.maximum(tenths, 0)

    def course(self) -> Course:
        """Return what was written down."""
        return Course(
            self.subjects,
            self.chances,
            self.fvc,
            self.at_visit,
            self.exacerbation_week,
            self.death_week,
            self.stop_week,
            self.withdrawal_week,
        )


#: what becomes of FVC when drug is stopped
OFF_DRUG: Mapping[OffDrug, Callable[[_Walk, int, Flags], None]] = {
    "as-on-placebo": _Walk.fall_as_on_placebo,
    "as-before": _Walk.go_on,
    "as-at-last-visit": _Walk.stand_still,
}


def _started(subjects: Subjects, chances: Chances, parameters: Parameters, world: World) -> _Walk:
    """Return the arrays as they are on the day of first dose."""
    count = len(subjects)
    arm = subjects.arm if world.starts_on_drug else np.zeros_like(subjects.arm)
    fvc = np.empty((WEEKS + 1, count))
    fvc[0] = subjects.fvc
    never = np.full(count, NEVER)
    return _Walk(
        subjects,
        chances,
        parameters,
        may_stop=world.may_stop,
        arm=arm,
        visit_week=visit_weeks(chances.days),
        log_hazard=_log_hazard(subjects, parameters),
        fvc=fvc,
        at_visit=np.empty((len(VISITS), count)),
        last_seen=subjects.fvc.copy(),
        slope=_slopes(subjects, parameters, arm),
        on_placebo=_slopes(subjects, parameters, 0 * arm),
        points_lost=np.zeros(count),
        exacerbation_week=never,
        death_week=never.copy(),
        stop_week=never.copy(),
        withdrawal_week=never.copy(),
    )


def _slopes(subjects: Subjects, parameters: Parameters, arm: Weeks) -> Numbers:
    """Slope of each subject on the drug of `arm`, mL per year."""
    return np.array(parameters.decline.slope)[arm] + subjects.slope_deviation


def _log_hazard(subjects: Subjects, parameters: Parameters) -> Numbers:
    """Log hazard of death per year that a subject has from the start."""
    death = parameters.death
    log_hazard: Numbers = (
        death.log_hazard
        + death.per_year_of_age * (subjects.age - death.age_centre)
        + death.per_fvc_percent * (subjects.fvc_percent - death.fvc_centre)
        + death.per_dlco_percent * (subjects.dlco - death.dlco_centre)
    )
    return log_hazard
