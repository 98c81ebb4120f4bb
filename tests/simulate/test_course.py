from __future__ import annotations

import numpy as np
import pytest

from trialmlm.simulate import simulate_course
from trialmlm.simulate.ipf_fvc.chances import draw_chances
from trialmlm.simulate.ipf_fvc.course import LOWEST_FVC, NEVER
from trialmlm.simulate.ipf_fvc.scenarios import SCENARIOS
from trialmlm.simulate.ipf_fvc.schedule import WEEKS, YEAR, visit_weeks
from trialmlm.simulate.ipf_fvc.subjects import draw_subjects
from trialmlm.simulate.ipf_fvc.walk import WORLDS, follow
from trialmlm.simulate.streams import streams


def test_without_an_exacerbation_fvc_falls_in_a_line_as_long_as_drug_is_taken() -> None:
    course = simulate_course("default", 1)
    slope = np.array([-225, -95])[course.subjects.arm] + course.subjects.slope_deviation
    calm = (course.exacerbation_week == NEVER) & (course.stop_week == NEVER)
    expected = course.subjects.fvc + slope * 7 * WEEKS / YEAR
    assert calm.sum() > 300
    assert course.fvc[-1, calm] == pytest.approx(expected[calm])


def test_off_drug_the_active_arm_declines_as_placebo() -> None:
    course = simulate_course("default", 1, world="off-drug")
    calm = course.exacerbation_week == NEVER
    lost = course.subjects.fvc + (-225 + course.subjects.slope_deviation) * 7 * WEEKS / YEAR
    assert course.fvc[-1, calm] == pytest.approx(lost[calm])


def test_an_exacerbation_takes_its_drop_in_its_week_and_for_good() -> None:
    course = simulate_course("default", 1)
    who = np.flatnonzero(course.exacerbation_week < NEVER)
    week = course.exacerbation_week[who]
    slope = (course.fvc[1, who] - course.fvc[0, who])[week > 0]
    drop = (course.fvc[week, who] - course.fvc[week + 1, who])[week > 0]
    on_drug = (course.stop_week[who] >= week)[week > 0]
    expected = course.chances.drop[who][week > 0] - slope
    assert drop[on_drug] == pytest.approx(expected[on_drug])


def test_events_of_a_week_come_after_its_visit_and_in_order() -> None:
    course = simulate_course("default", 3, 4000)
    days, observed = course.chances.days, course.observed
    for ends in (course.death_day, np.where(course.withdrew, course.withdrawal_day, np.inf)):
        assert (np.where(observed, days, -1) <= ends).all()
    acute = course.exacerbated
    assert (course.exacerbation_day[acute] <= course.death_day[acute]).all()
    both = course.stopped & course.withdrew
    assert (course.stop_day[both] <= course.withdrawal_day[both]).all()


def test_an_event_falls_in_its_week() -> None:
    course = simulate_course("default", 3, 4000)
    for week, day in (
        (course.death_week, course.death_day),
        (course.stop_week, course.stop_day),
        (course.exacerbation_week, course.exacerbation_day),
    ):
        happens = week < NEVER
        assert (day[happens] // 7 == week[happens]).all()
        assert np.isinf(day[~happens]).all()


def test_nobody_stops_or_leaves_after_the_last_visit() -> None:
    course = simulate_course("default", 3, 4000)
    assert (course.stop_day[course.stopped] <= course.chances.days[-1, course.stopped]).all()
    assert not (course.withdrew & course.completed).any()


def test_no_spirometer_writes_less_than_its_least() -> None:
    course = simulate_course("default", 3, 20_000)
    assert (course.at_visit + course.chances.error).min() < LOWEST_FVC
    assert course.measurable.min() == LOWEST_FVC


def test_under_null_the_latent_course_does_not_depend_on_the_arm() -> None:
    parameters = SCENARIOS["null"]
    tasks = streams(5)
    subjects = draw_subjects(tasks, parameters)
    chances = draw_chances(tasks, parameters, len(subjects))
    course = follow(subjects, chances, parameters, WORLDS["followed"])
    world = follow(subjects, chances, parameters, WORLDS["off-drug"])
    assert np.array_equal(course.fvc, world.fvc)
    assert np.array_equal(course.death_week, world.death_week)


def test_one_seed_shares_its_chance_between_scenarios() -> None:
    default, null = simulate_course("default", 9), simulate_course("null", 9)
    assert np.array_equal(default.chances.error, null.chances.error)
    placebo = default.subjects.arm == 0
    assert np.array_equal(default.fvc[:, placebo], null.fvc[:, placebo])
    assert not np.array_equal(default.fvc, null.fvc)


def test_under_mnar_those_who_decline_unseen_leave_more_often() -> None:
    share = {}
    for name in ("default", "mnar"):
        course = simulate_course(name, 1, 20_000)
        lost = 100 * (course.fvc[0] - course.fvc[-1]) / course.subjects.predicted
        fast = (course.subjects.arm == 0) & (lost > np.quantile(lost, 0.8))
        share[name] = course.stopped[fast].mean()
    assert share["mnar"] > share["default"] + 0.005


def test_frozen_fvc_is_that_of_the_last_visit_on_drug() -> None:
    course = simulate_course("frozen_early_active", 1)
    calm = course.exacerbation_week == NEVER
    on_drug = visit_weeks(course.chances.days) <= course.stop_week
    last = on_drug.sum(axis=0) - 1
    held = course.at_visit[last, np.arange(len(last))]
    after = ~on_drug & calm
    assert after.sum() > 100
    assert course.at_visit[after] == pytest.approx(np.broadcast_to(held, after.shape)[after])


def test_what_is_lost_at_once_is_lost_for_good_on_active_alone() -> None:
    lost = simulate_course("off_drug_at_once", 1)
    kept = simulate_course("off_drug_at_once", 1, world="on-drug")
    after = visit_weeks(lost.chances.days) > lost.stop_week
    calm = (lost.exacerbation_week == NEVER) & (kept.exacerbation_week == NEVER)
    drop = 120.0 * (lost.subjects.arm == 1) * after
    assert (kept.at_visit - lost.at_visit)[:, calm] == pytest.approx(drop[:, calm], abs=1e-6)
