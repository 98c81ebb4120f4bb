"""How the search ends: at an optimum that is one, or with a reason."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pytest
from trials import random_trial

from trialmlm.covariance.register import FAMILIES
from trialmlm.covariance.unstructured import Unstructured
from trialmlm.engine.control import Control
from trialmlm.engine.convergence import Reason
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.optimize import optimise
from trialmlm.engine.pattern_likelihood import PatternLikelihood
from trialmlm.engine.summary import summarise
from trialmlm.errors import FitError
from trialmlm.models.mmrm import mmrm


@dataclass(frozen=True)
class Landscape:
    """−2l of one parameter pair given as a function with its derivatives; not a likelihood."""

    value: object
    slope: object
    bend: object
    at: tuple
    interior: bool = True
    n_observations: int = 1

    def starts(self):
        return tuple(np.array(start, dtype=float) for start in self.at)

    def evaluate(self, theta):
        deviance = self.value(theta)
        if not np.isfinite(deviance):
            raise np.linalg.LinAlgError
        return _Point(theta, deviance)

    def search(self, theta, point):
        H = self.bend(theta)
        return Curve(self.slope(theta), H, H, np.eye(theta.size))

    def condition(self, point):
        return float(np.exp(-np.abs(point.theta).max()))

    def degenerate(self, point, control):
        return self.condition(point) < control.singular

    def weakest(self, point):
        return (0,)


@dataclass(frozen=True)
class _Point:
    theta: np.ndarray
    deviance: float


def bowl(at, **options):
    return Landscape(
        lambda t: float((t @ t) + (t**4).sum()),
        lambda t: 2 * t + 4 * t**3,
        lambda t: np.diag(2 + 12 * t**2),
        at,
        **options,
    )


def falling(a, at=((0.0, 0.0),)):
    """exp(−2t₁) a + t₂²: falls towards a limit as t₁ grows, and its gradient vanishes there."""
    return Landscape(
        lambda t: float(a * np.exp(-2 * t[0]) + t[1] ** 2),
        lambda t: np.array([-2 * a * np.exp(-2 * t[0]), 2 * t[1]]),
        lambda t: np.diag([4 * a * np.exp(-2 * t[0]), 2.0]),
        at,
    )


def test_an_optimum_is_found_and_its_facts_are_told():
    end = optimise(bowl(((2.0, -1.0),)), Control())
    assert end.convergence.converged
    assert end.convergence.distance < 1e-6
    assert end.convergence.curvature == pytest.approx(1.0)
    assert end.convergence.visits == ()
    np.testing.assert_allclose(end.theta, 0.0, atol=1e-12)


@pytest.mark.parametrize("a", [1.0, 1e-3, 1e-6])
def test_a_gradient_that_vanishes_on_the_way_to_a_singular_matrix_is_no_optimum(a):
    # where the distance falls below the tolerance the steps of t₁ are still 1/2
    end = optimise(falling(a), Control())
    assert end.convergence.reason is Reason.DEGENERATE
    assert end.convergence.visits == (0,)
    assert "numbered 1" in str(end.convergence)


def test_a_start_at_which_nothing_can_be_computed_is_left_for_the_next():
    walled = bowl(((50.0, 0.0), (1.0, 1.0)))
    walled = replace(walled, value=lambda t: np.inf if t[0] > 40 else float(t @ t + (t**4).sum()))
    assert optimise(walled, Control()).convergence.converged
    with pytest.raises(FitError, match="cannot be computed at any start"):
        optimise(replace(walled, at=((50.0, 0.0),)), Control())


def test_a_flat_direction_is_named():
    flat = Landscape(
        lambda t: float((t.sum()) ** 2),
        lambda t: 2 * t.sum() * np.ones(2),
        lambda t: 2 * np.ones((2, 2)) + 1e-12 * np.eye(2),
        ((1.0, 0.5),),
    )
    end = optimise(flat, Control())
    assert end.convergence.reason is Reason.FLAT
    assert "do not tell them apart" in str(end.convergence)


def test_of_two_optima_near_a_singular_matrix_the_better_is_taken():
    # (t² − 36)² + 4t: minima near ±6, the left one lower; the condition there is e⁻⁶
    two = Landscape(
        lambda t: float(0.01 * (t[0] ** 2 - 36) ** 2 + t[0]),
        lambda t: np.array([0.04 * t[0] * (t[0] ** 2 - 36) + 1.0]),
        lambda t: np.array([[0.12 * t[0] ** 2 - 1.44]]),
        ((5.0,), (-5.0,)),
    )
    end = optimise(two, Control())
    assert end.convergence.converged
    assert end.theta[0] < 0
    assert optimise(two, Control(doubtful=1e-4)).theta[0] > 0


def copies(share, n=40):
    """Two visits that are nearly one."""
    trial = random_trial(5, n_subjects=n, missing=0.0)
    wide = trial.frame.pivot_table(index="USUBJID", columns="AVISIT", values="CHG")
    noise = np.random.default_rng(1).standard_normal(len(wide))
    wide["V2"] = wide["V1"] + share * noise
    long = wide.stack().rename("CHG").reset_index()
    return long.merge(trial.frame.drop(columns="CHG"), on=["USUBJID", "AVISIT"])


def test_a_correlation_near_one_is_an_estimate_as_long_as_it_can_be_told_from_one():
    found = mmrm("CHG ~ AVISIT + us(AVISIT | USUBJID)", copies(1e-3))
    assert found.convergence.converged
    assert found.convergence.condition < 1e-6
    # complete data, a mean per visit: REML is the sample covariance
    frame = copies(1e-3).pivot_table(index="USUBJID", columns="AVISIT", values="CHG")
    np.testing.assert_allclose(found.covariance, frame.cov(), rtol=1e-6)
    lost = mmrm("CHG ~ AVISIT + us(AVISIT | USUBJID)", copies(0.0))
    assert lost.convergence.reason is Reason.DEGENERATE
    assert "visits V1, V2: 40 of 40 subjects have them all" in str(lost.convergence)


@pytest.mark.parametrize("seed", range(3))
def test_visits_that_are_nearly_one_are_fitted_where_somebody_lacks_one(seed):
    frame = copies(1e-2).sample(frac=0.85, random_state=seed)
    found = mmrm("CHG ~ AVISIT + us(AVISIT | USUBJID)", frame)
    assert found.convergence.converged
    assert found.convergence.condition < 1e-4


def test_near_degenerate_reml_is_a_named_failure_and_not_converged():
    # few subjects have three visits together: REML falls without end
    trial = random_trial(9, n_subjects=12, n_visits=4, missing=0.4)
    found = mmrm("CHG ~ BASE + SEX + ARMCD*AVISIT + us(AVISIT | USUBJID)", trial.frame)
    assert found.convergence.reason is Reason.DEGENERATE
    assert found.convergence.condition < 1e-3
    text = str(found.convergence)
    assert "of 12 subjects have them all" in text
    assert "rows of" in text


def test_r_s_example_of_twelve_subjects_is_not_called_converged(study_data):
    # the first 50 rows of FEV: R mmrm 0.3.18 says converged, PROC MIXED "did not converge"
    pd = pytest.importorskip("pandas")
    fev = pd.read_csv(study_data / "fev_data.csv").head(50)
    found = mmrm("FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)", fev)
    assert found.n_obs == 32
    assert found.convergence.reason is Reason.DEGENERATE
    assert "RACE White at VIS3: 0" in str(found.convergence)


@pytest.mark.parametrize("name", list(FAMILIES))
def test_every_structure_ends_well_from_its_starts(name):
    trial = random_trial(21, n_subjects=40, n_visits=4)
    found = mmrm(f"CHG ~ BASE + ARMCD*AVISIT + {name}(AVISIT | USUBJID)", trial.frame)
    ended = found.convergence
    assert ended.converged
    assert ended.curvature > 1e-3
    assert ended.iterations <= 12


def test_a_search_is_the_same_every_time():
    trial = random_trial(22, n_subjects=25, n_visits=4)
    fitted = mmrm(trial.formula, trial.frame)
    likelihood = PatternLikelihood(summarise(fitted.design), True, Unstructured(4))
    one, two = (optimise(likelihood, Control()) for _ in range(2))
    np.testing.assert_array_equal(one.theta, two.theta)
    assert one.convergence == two.convergence
