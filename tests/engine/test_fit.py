"""The optimum, judged by the oracle and not by the search's own word."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from dense import Dense
from hypothesis import assume, given, settings
from trials import random_trial, rich_enough, seen_together, trials

from trialmlm.covariance.unstructured import Unstructured
from trialmlm.engine.control import Control
from trialmlm.engine.convergence import Reason
from trialmlm.engine.design import Design
from trialmlm.engine.fit import fit, sigma_of
from trialmlm.errors import FitError
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=20, derandomize=True)


def distance(dense, Sigma):
    """√(g'H⁻¹g / 2): how far the optimum of the oracle is, in standard errors of θ."""
    g, H = dense.gradient(Sigma), dense.hessian(Sigma)
    return float(np.sqrt(g @ np.linalg.solve(H, g) / 2.0))


@PROPERTY
@given(trials(least=16, most=32))
def test_the_oracle_s_gradient_vanishes_at_the_fit_under_reml_and_ml(trial):
    assume(rich_enough(trial))
    for reml in (True, False):
        found = mmrm(trial.formula, trial.frame, reml=reml)
        assume(found.convergence.converged)
        dense = trial.dense(list(found.coding.names), reml=reml)
        Sigma = found.covariance.to_numpy()
        assert distance(dense, Sigma) < 2e-6  # the search stops at 1e-6
        assert (np.linalg.eigvalsh(dense.hessian(Sigma)) > 0).all()
        assert found.minus2_loglik == pytest.approx(dense.deviance(Sigma), rel=1e-10)


def hand_made(rng, n=40, T=3):
    """A design without a formula: intercept, a group and its interaction with the last visit."""
    group = np.arange(n) % 2.0
    U = np.column_stack([np.ones(n), group])
    B = np.zeros((T, T + 1, 2))
    B[np.arange(T), np.arange(T), 0] = 1.0  # one mean per visit
    B[T - 1, T, 1] = 1.0  # the group at the last visit
    Y = rng.standard_normal((n, T)) @ np.linalg.cholesky(0.5 * np.eye(T) + 1.0).T
    observed = rng.random((n, T)) > 0.2
    observed[:8] = True
    return Design(B, U, np.where(observed, Y, 0.0), observed)


def test_a_design_made_by_hand_is_fitted_as_the_oracle_would():
    design = hand_made(np.random.default_rng(1))
    found = fit(design, Unstructured(3))
    subject, visit = np.nonzero(design.observed)
    X = np.zeros((subject.size, 4))
    X[np.arange(subject.size), visit] = 1.0
    X[:, 3] = (visit == 2) * (subject % 2)
    np.testing.assert_array_equal(design.rows(), X)
    dense = Dense(X, design.Y[design.observed], subject, visit, 3)
    assert distance(dense, sigma_of(found)[0]) < 2e-6
    np.testing.assert_allclose(found.beta, dense.parts(sigma_of(found)[0])[2], rtol=1e-10)


def test_the_order_of_subjects_in_the_design_does_not_move_the_optimum():
    design = hand_made(np.random.default_rng(2))
    other = np.random.default_rng(3).permutation(len(design.U))
    shuffled = Design(design.B, design.U[other], design.Y[other], design.observed[other])
    one, two = fit(design, Unstructured(3)), fit(shuffled, Unstructured(3))
    # sums of forty terms in another order
    np.testing.assert_allclose(sigma_of(one), sigma_of(two), rtol=1e-9)
    assert one.minus2_loglik == pytest.approx(two.minus2_loglik, abs=1e-10)


def test_a_visit_that_copies_another_ends_degenerate_and_says_so():
    trial = random_trial(1, n_subjects=30, missing=0.0)
    wide = trial.frame.pivot_table(index="USUBJID", columns="AVISIT", values="CHG")
    copied = trial.frame.assign(CHG=trial.frame["USUBJID"].map(wide["V1"]))
    found = mmrm(trial.formula, copied.assign(CHG=copied["CHG"] + (copied["AVISIT"] == "V2")))
    assert found.convergence.reason is Reason.DEGENERATE
    assert "correlation of one" in str(found.convergence)
    assert found.coefficients()["estimate"].notna().all()


def test_a_visit_without_variation_ends_degenerate_and_says_so():
    trial = random_trial(2, n_subjects=30, missing=0.0)
    flat = trial.frame.assign(CHG=trial.frame["CHG"].where(trial.frame["AVISIT"] != "V1", 0.0))
    found = mmrm(trial.formula, flat)
    assert found.convergence.reason is Reason.DEGENERATE
    assert "variance of zero" in str(found.convergence)
    assert abs(found.minus2_loglik) < 5e3


def test_a_likelihood_without_a_maximum_ends_before_it_is_nothing_but_rounding():
    # five visits and few subjects with the last of them: REML rises without end towards ρ = 1
    ends = [
        mmrm(trial.formula, trial.frame)
        for trial in (random_trial(k, 14, 5, missing=0.3) for k in range(60))
        if seen_together(trial.frame).min() >= 1
    ]
    lost = [end for end in ends if not end.convergence.converged]
    assert len(lost) >= 10
    for end in lost:
        assert end.convergence.reason is Reason.DEGENERATE
        assert abs(end.minus2_loglik) < 5e3
        assert end.coefficients()["p_value"].between(0.0, 1.0).any()


def test_two_subjects_end_with_a_reason_and_not_with_a_crash():
    design = hand_made(np.random.default_rng(3), n=2)
    found = fit(design, Unstructured(3))
    assert found.convergence.reason is Reason.DEGENERATE
    assert found.convergence.iterations <= Control().max_iterations
    assert "fewer" in str(found.convergence)


def test_an_iteration_limit_is_a_reason_and_not_an_error():
    design = hand_made(np.random.default_rng(4))
    found = fit(design, Unstructured(3), control=Control(max_iterations=1))
    assert found.convergence.reason is Reason.ITERATIONS


def test_the_trace_tells_a_deviance_that_never_rises():
    found = fit(hand_made(np.random.default_rng(5)), Unstructured(3))
    deviances = [step.deviance for step in found.convergence.trace]
    assert len(deviances) == found.convergence.iterations + 1
    assert all(b <= a + 1e-9 for a, b in pairwise(deviances))
    assert found.convergence.trace[-1].hessian == "observed"


def test_more_effects_than_observations_is_an_error():
    design = hand_made(np.random.default_rng(6))
    few = Design(design.B, design.U[:1], design.Y[:1], design.observed[:1])
    with pytest.raises(FitError, match="cannot carry"):
        fit(few, Unstructured(3))
