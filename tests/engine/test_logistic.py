from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import expit

from trialmlm.engine.logistic import logistic, separating


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(3)
    X = np.column_stack([np.ones(80), rng.normal(50.0, 10.0, 80), rng.integers(0, 2, 80)])
    y = (rng.random(80) < expit(-6.0 + 0.1 * X[:, 1] + X[:, 2])).astype(float)
    return X, y


def test_the_score_is_zero_at_the_optimum(rows):
    X, y = rows
    score = X.T @ (y - expit(X @ logistic(X, y).beta))
    # each column's score, against the size of its terms
    assert (np.abs(score) <= 1e-10 * np.abs(X).sum(axis=0)).all()


def test_a_general_optimizer_finds_nothing_better(rows):
    X, y = rows
    units = np.abs(X).max(axis=0)
    other = minimize(
        lambda b: 2.0 * (np.logaddexp(0.0, X @ (b / units)).sum() - y @ X @ (b / units)),
        np.zeros(3),
        method="BFGS",
        options={"gtol": 1e-7},
    )
    assert logistic(X, y).minus2_loglik == pytest.approx(other.fun, abs=1e-9)


def test_the_standard_errors_are_those_of_the_inverse_information(rows):
    X, y = rows
    fit = logistic(X, y)
    p = expit(X @ fit.beta)
    information = X.T @ (X * (p * (1 - p))[:, None])
    np.testing.assert_allclose(fit.std_error, np.sqrt(np.diag(np.linalg.inv(information))), 1e-9)


def test_one_group_gives_the_log_odds():
    fit = logistic(np.ones((10, 1)), np.repeat([1.0, 0.0], [3, 7]))
    assert fit.beta[0] == pytest.approx(np.log(3 / 7), abs=1e-12)
    assert fit.std_error[0] == pytest.approx(np.sqrt(1 / 3 + 1 / 7), abs=1e-12)


def test_a_redundant_column_is_aliased_and_changes_nothing(rows):
    X, y = rows
    fit = logistic(np.column_stack([X, X[:, 0] - X[:, 2]]), y)
    assert np.isnan(fit.beta[3])
    np.testing.assert_allclose(fit.beta[:3], logistic(X, y).beta, rtol=1e-9)


def test_overlapping_groups_are_not_separated(rows):
    assert separating(*rows).size == 0


def test_a_group_in_which_all_are_alike_is_found(rows):
    X, y = rows
    column = np.zeros(80)
    column[np.flatnonzero(y == 1)[:4]] = 1.0
    assert separating(np.column_stack([X, column]), y).tolist() == [3]


def test_a_number_that_separates_completely_is_found():
    x = np.arange(10.0)
    assert 1 in separating(np.column_stack([np.ones(10), x]), (x > 4).astype(float))
