"""The depression trial: the facts it was planned to show, its worlds, and its data sets.

The plan's numbers are means over 200 trials of its own program (60,000 subjects), rounded; ours
come from as many subjects of one seed. A tolerance is half the last digit that the plan prints and
four standard errors of the difference between two such numbers.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from trialmlm.batch.check import described_data
from trialmlm.batch.plan import make_plan
from trialmlm.protocol import load_protocol
from trialmlm.simulate import SimulatedTrial, simulate_course, simulate_protocol, simulate_trial
from trialmlm.simulate.mdd_madrs.course import mean_score
from trialmlm.simulate.mdd_madrs.design import MDD_MADRS
from trialmlm.simulate.mdd_madrs.parameters import Improvement
from trialmlm.simulate.mdd_madrs.schedule import WEEKS

if TYPE_CHECKING:
    from trialmlm.protocol import Protocol
    from trialmlm.simulate.mdd_madrs.course import Course

SUBJECTS = 60_000
PROTOCOL = Path(__file__).parents[2] / "protocols" / "mdd_madrs"


@pytest.fixture(scope="module")
def course() -> Course:
    """As many subjects as 200 trials have."""
    made: Course = simulate_course("default", 11, SUBJECTS, design="mdd_madrs")
    return made


@pytest.fixture(scope="module")
def mdd() -> SimulatedTrial:
    """One trial of planned size."""
    return simulate_trial("default", 1, design="mdd_madrs")


@pytest.fixture(scope="module")
def mdd_protocol() -> Protocol:
    """The shipped protocol."""
    return load_protocol(PROTOCOL)


def _arms(course: Course) -> tuple[Any, Any]:
    active = course.patients.arm == 1
    return ~active, active


def _shares(found: Any, course: Course) -> list[float]:
    return [100 * float(found[arm].mean()) for arm in _arms(course)]


def test_baseline_and_change_are_those_of_the_plan(course: Course) -> None:
    change = course.score[-1] - course.score[0]
    assert course.score[0].mean() == pytest.approx(22.5, abs=0.05 + 4 * 3.5 * np.sqrt(2 / 60e3))
    assert course.score[0].std() == pytest.approx(3.5, abs=0.05 + 4 * 3.5 / np.sqrt(60e3))
    means = [change[arm].mean() for arm in _arms(course)]
    assert means == pytest.approx([-8.8, -11.3], abs=0.05 + 4 * 8 * np.sqrt(2 / 30e3))
    pooled = np.sqrt(np.mean([change[arm].var() for arm in _arms(course)]))
    assert pooled == pytest.approx(8.0, abs=0.05 + 4 * 8 / np.sqrt(60e3))


def test_drop_out_is_that_of_the_plan(course: Course) -> None:
    error = 100 * np.sqrt(2 * 0.2 * 0.8 / 30e3)
    assert _shares(course.stopped, course) == pytest.approx([20.9, 16.3], abs=0.05 + 4 * error)
    assert (course.left == course.stopped).all()


def test_responders_and_remitters_are_those_of_the_plan(course: Course) -> None:
    error = 100 * np.sqrt(2 * 0.25 / 30e3)
    last, first = course.score[-1], course.score[0]
    assert _shares(last <= first / 2, course) == pytest.approx([41, 53], abs=0.5 + 4 * error)
    assert _shares(last <= 7, course) == pytest.approx([25, 36], abs=0.5 + 4 * error)


def test_standard_deviations_by_visit_are_those_of_the_plan(course: Course) -> None:
    placebo, _ = _arms(course)
    found = course.score[:, placebo].std(axis=1)
    expected = np.array([3.5, 4.2, 4.8, 5.9, 7.1, 8.3])
    assert (np.abs(found - expected) < 0.05 + 4 * expected / np.sqrt(30e3)).all()


def test_correlations_are_those_of_the_parameters(course: Course) -> None:
    # closed form before rounding and clipping, which take least of the first four visits;
    # rounding adds 1/12 to a variance of 12 or more
    falls, week = Improvement(), WEEKS[:4].astype(float)
    slope = falls.slope_sd**2 + falls.slope_per_crp**2
    covariance = falls.intercept_sd**2 + slope * np.outer(week, week)
    covariance += np.diag(np.array(falls.error_sd[:4]) ** 2 + 1 / 12)
    sd = np.sqrt(np.diag(covariance))
    placebo, _ = _arms(course)
    found = np.corrcoef(course.score[:4, placebo])
    assert np.abs(found - covariance / np.outer(sd, sd)).max() < 4 / np.sqrt(30e3)


def test_the_mean_course_ends_where_the_plan_says() -> None:
    week = np.array([0.0, 8.0])
    assert mean_score(week, np.array([0.0, 0.0]), Improvement()) == pytest.approx([22.5, 13.5])
    assert mean_score(week, np.array([1.0, 1.0]), Improvement()) == pytest.approx([22.5, 10.7])


def test_inflammation_has_the_geometric_means_of_the_plan(course: Course) -> None:
    logs = np.log([course.patients.crp, course.patients.il6])
    # four standard errors: 1.1/√60,000 and 0.7/√60,000
    assert np.exp(logs.mean(axis=1)) == pytest.approx([1.6, 2.0], rel=0.02)
    assert np.corrcoef(logs)[0, 1] == pytest.approx(0.45, abs=4 / np.sqrt(60e3))


def test_on_placebo_drug_and_no_drug_are_one_world() -> None:
    worlds = ("followed", "on-drug", "off-drug")
    parameters = MDD_MADRS.scenario("off_drug", 400)
    courses = MDD_MADRS.courses(parameters, 3, worlds, None)
    placebo = courses["followed"].patients.arm == 0
    for world in worlds[1:]:
        assert (courses[world].score == courses["followed"].score)[:, placebo].all()


@pytest.mark.parametrize("name", ["default", "frozen_early_active", "off_drug"])
def test_before_drug_is_stopped_every_score_is_that_on_drug(name: str) -> None:
    courses = MDD_MADRS.courses(
        MDD_MADRS.scenario(name, 400), 3, ("followed", "on-drug", "off-drug"), None
    )
    course, on_drug = courses["followed"], courses["on-drug"].score
    assert (course.score == on_drug)[course.on_drug].all()
    after = {
        "default": on_drug,
        "frozen_early_active": np.broadcast_to(
            np.take_along_axis(on_drug, course.last_on_drug[np.newaxis], axis=0), on_drug.shape
        ),
        "off_drug": courses["off-drug"].score,
    }[name]
    assert (course.score == after)[~course.on_drug].all()


def test_only_who_stays_is_seen_after_the_stop() -> None:
    course = simulate_course("off_drug", 5, 2000, design="mdd_madrs")
    retrieved = (course.observed & ~course.on_drug).any(axis=0)
    assert (retrieved == (course.stopped & course.stays)).all()
    assert 0.4 < retrieved.sum() / course.stopped.sum() < 0.6


def test_the_latent_frame_holds_what_is_observed(mdd: SimulatedTrial) -> None:
    seen = mdd.latent[mdd.latent["OBSERVED"] == "Y"]
    both = seen.merge(mdd.datasets["adqs"], on=["USUBJID", "AVISIT"], suffixes=("", "_Q"))
    assert len(both) == len(seen) == len(mdd.datasets["adqs"])
    assert (both["SCORE"] == both["AVAL"]).all()
    assert (both["ADY"] == both["ADY_Q"]).all()


def test_dates_tell_the_same_story_as_the_flags(mdd: SimulatedTrial) -> None:
    both = mdd.datasets["adqs"].merge(mdd.datasets["adsl"], on="USUBJID")
    after = both[both["AVISITN"] > 0]
    assert ((after["ADT"] <= after["TRTEDT"]) == (after["ONTRTFL"] == "Y")).all()
    assert (both["ADT"] <= both["EOSDT"]).all()


def test_every_column_of_every_data_set_has_a_label(mdd: SimulatedTrial) -> None:
    for name, frame in {**mdd.datasets, "latent": mdd.latent}.items():
        assert name in MDD_MADRS.labels
        assert set(frame.columns) <= set(MDD_MADRS.columns)


def test_the_check_of_the_shipped_protocol_finds_no_fault(
    mdd_protocol: Protocol, tmp_path: Path
) -> None:
    made = simulate_protocol(mdd_protocol, out=tmp_path)
    assert made.design == "mdd_madrs"
    lines = list(described_data(make_plan(mdd_protocol), tmp_path))
    assert any("300 read" in line for line in lines)
    assert not any("differ" in line or "cannot be made" in line for line in lines)


def test_without_the_drugs_effect_the_arms_are_alike_in_every_world() -> None:
    parameters = replace(MDD_MADRS.scenario("null", 400))
    courses = [
        MDD_MADRS.courses(parameters, 3, ("on-drug",), arm)["on-drug"].score for arm in (0, 1)
    ]
    assert (courses[0] == courses[1]).all()
