"""The likelihood at any Σ, from the summary, against the dense oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import positive_definite, random_trial, seen_together, trials

from trialmlm.covariance.unstructured import Unstructured
from trialmlm.engine.convergence import Convergence, Reason
from trialmlm.engine.fit import GaussianFit
from trialmlm.engine.objective import derivatives, evaluate, gradient
from trialmlm.engine.pattern_likelihood import PatternLikelihood
from trialmlm.engine.summary import summarise
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)
NOWHERE = Convergence(Reason.ITERATIONS, 0, 0.0, 0.0, 1.0, ())
# cond(X'X) of these designs is below 1e6: 1e-16 × 1e6 leaves ten digits
TOLERANCE = 1e-9


def at(trial, Sigma, *, reml):
    """The engine's fit object placed at Σ, with the oracle of the same model."""
    fitted = mmrm(trial.formula, trial.frame)
    summary = summarise(fitted.design)
    state = evaluate(summary, Sigma[None] / summary.scale**2, reml=reml)
    family = Unstructured(len(Sigma))
    likelihood = PatternLikelihood(summary, reml, family)
    placed = GaussianFit(likelihood, family.start(state.Sigma[0]), state, NOWHERE)
    return placed, trial.dense(list(fitted.coding.names), reml=reml)


def tangent(placed):
    """Derivatives of Σ by its entries."""
    return placed.likelihood.covariance.tangent(placed.point.Sigma[0])


def derivatives_of(placed):
    """Those of −2l by the entries of Σ."""
    likelihood = placed.likelihood
    return derivatives(likelihood.data, placed.point, [tangent(placed)], reml=placed.reml)


def close(actual, expected, tolerance=TOLERANCE):
    np.testing.assert_allclose(
        actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max()
    )


@st.composite
def cases(draw: st.DrawFn):
    trial = draw(trials(least=14))
    frame = trial.frame
    assume(seen_together(frame).min() >= 1)
    X = trial.matrix.to_numpy()
    assume(len(X) > X.shape[1] + 2 and np.linalg.matrix_rank(X) == X.shape[1])
    T = frame["AVISIT"].nunique()
    return trial, positive_definite(draw(st.integers(0, 2**20)), T), draw(st.booleans())


@PROPERTY
@given(cases())
def test_deviance_coefficients_and_covariance_at_any_sigma_equal_the_oracle(case):
    trial, Sigma, reml = case
    placed, dense = at(trial, Sigma, reml=reml)
    _, Phi, beta = dense.parts(Sigma)
    assert placed.minus2_loglik == pytest.approx(dense.deviance(Sigma), rel=1e-10)
    close(placed.beta, beta)
    R_inverse = placed.likelihood.data.basis.R_inverse
    close(R_inverse @ placed.point.Phi @ R_inverse.T * placed.likelihood.data.scale**2, Phi)


@PROPERTY
@given(cases())
def test_gradient_and_both_hessians_at_any_sigma_equal_the_oracle(case):
    trial, Sigma, reml = case
    placed, dense = at(trial, Sigma, reml=reml)
    slopes, scale2 = derivatives_of(placed), placed.likelihood.data.scale**2
    close(np.tensordot(tangent(placed), slopes.G[0], 2) / scale2, dense.gradient(Sigma))
    close(slopes.J / scale2**2, dense.hessian(Sigma, "expected"))
    close(slopes.H / scale2**2, dense.hessian(Sigma, "observed"))


@pytest.mark.parametrize("reml", [True, False])
def test_gradient_alone_is_that_of_the_derivatives(reml):
    trial = random_trial(5)
    placed, _ = at(trial, positive_definite(2, 3), reml=reml)
    alone = gradient(placed.likelihood.data, placed.point, reml=reml)
    np.testing.assert_allclose(alone, derivatives_of(placed).G, rtol=1e-12, atol=1e-11)


@pytest.mark.parametrize("reml", [True, False])
def test_average_information_is_the_mean_of_expected_and_observed_hessian(reml):
    placed, dense = at(random_trial(6), (Sigma := positive_definite(3, 3)), reml=reml)
    mean = (dense.hessian(Sigma, "expected") + dense.hessian(Sigma, "observed")) / 2
    close(derivatives_of(placed).A / placed.likelihood.data.scale**4, mean)


def test_derivatives_in_a_subspace_are_the_contraction_of_those_in_all_entries():
    placed, _ = at(random_trial(7), positive_definite(4, 3), reml=True)
    directions = np.random.default_rng(0).normal(size=(2, 6))
    basis = np.tensordot(directions, tangent(placed), 1)
    part = derivatives(placed.likelihood.data, placed.point, [basis], reml=True)
    np.testing.assert_allclose(
        part.H, directions @ derivatives_of(placed).H @ directions.T, rtol=1e-11
    )
