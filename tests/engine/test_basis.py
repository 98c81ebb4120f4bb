"""Rank, aliasing and estimability, whatever the units of a column."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine.basis import basis_of
from trialmlm.engine.least_squares import least_squares
from trialmlm.engine.summary import patterns_of
from trialmlm.errors import FitError

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)


def redundant(seed: int, unit: float = 1.0) -> np.ndarray:
    """Intercept, two groups, their sum (aliased), a covariate in some unit, an empty cell."""
    rng = np.random.default_rng(seed)
    group = np.arange(30) % 3
    covariate = unit * rng.normal(5.0, 1.0, 30)
    a, b = (group == 1).astype(float), (group == 2).astype(float)
    return np.column_stack([np.ones(30), a, b, a + b, covariate, np.zeros(30)])


@PROPERTY
@given(st.integers(0, 2**20), st.sampled_from([1e-9, 1e-3, 1.0, 1e6, 1e12]))
def test_the_later_of_redundant_columns_is_aliased_whatever_the_units(seed, unit):
    basis = basis_of(redundant(seed, unit))
    assert basis.kept.tolist() == [0, 1, 2, 4]
    assert basis.aliased.tolist() == [3, 5]
    np.testing.assert_allclose(basis.D[:, 0], [0, 1, 1, 0], atol=1e-12)
    assert (basis.D[:, 1] == 0.0).all()


@PROPERTY
@given(st.integers(0, 2**20), st.sampled_from([1e-9, 1.0, 1e12]))
def test_estimable_is_what_the_rows_of_the_design_span_whatever_the_units(seed, unit):
    X = redundant(seed, unit)
    basis = basis_of(X)
    assert basis.estimable(X).all()
    inside = np.array([[0.0, 1, 0, 1, 0, 0], [1, 0.5, 0.5, 1, 5 * unit, 0], [0, 0, 0, 0, 1, 0]])
    outside = np.array([[0.0, 1, 0, 0, 0, 0], [1, 0, 0, 0, 5 * unit, 1], [0, 0, 0, 1, 0, 0]])
    assert basis.estimable(inside).all()
    assert not basis.estimable(outside).any()


def test_reduced_rows_give_what_full_rows_give():
    X = redundant(1)
    basis = basis_of(X)
    Q = X[:, basis.kept] @ basis.R_inverse
    np.testing.assert_allclose(Q.T @ Q, np.eye(4), atol=1e-12)
    beta = np.array([2.0, -1.0, 0.5, 3.0])  # of the kept columns
    coordinates = np.linalg.solve(basis.R_inverse, beta)
    np.testing.assert_allclose(basis.rows(X) @ coordinates, X[:, basis.kept] @ beta, rtol=1e-12)


def test_log_determinant_is_that_of_the_kept_columns():
    X = redundant(2)
    basis = basis_of(X)
    kept = X[:, basis.kept]
    assert basis.log_det == pytest.approx(np.linalg.slogdet(kept.T @ kept)[1], rel=1e-12)


def test_a_size_from_outside_tells_rounding_from_a_column():
    W = np.column_stack([np.ones(4), [1e-13, 0, 0, 0]])
    assert basis_of(W).aliased.size == 0
    assert basis_of(W, np.array([2.0, 2.0])).aliased.tolist() == [1]


def test_least_squares_equals_lstsq_on_a_full_design():
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(25, 4)), rng.normal(size=25)
    found = least_squares(X, y)
    beta, rss = np.linalg.lstsq(X, y)[:2]
    np.testing.assert_allclose(found.beta, beta, rtol=1e-12)
    assert found.sigma2 == pytest.approx(rss[0] / 21, rel=1e-12)
    assert found.residual_df == 21


def test_least_squares_leaves_aliased_coefficients_undefined():
    found = least_squares(redundant(4), np.random.default_rng(0).normal(size=30))
    assert np.isnan(found.beta).tolist() == [False, False, False, True, False, True]
    assert found.residual_df == 26


def test_least_squares_needs_residual_degrees_of_freedom_and_variation():
    with pytest.raises(FitError, match="no residual degrees of freedom"):
        least_squares(np.eye(3), np.arange(3.0))
    with pytest.raises(FitError, match="no variation is left"):
        least_squares(np.ones((5, 1)), np.full(5, 7.0))


@pytest.mark.parametrize("T", [3, 70])
def test_patterns_are_the_distinct_rows_for_few_and_for_many_visits(T):
    observed = np.random.default_rng(T).random((20, T)) > 0.5
    observed[5] = observed[3]
    first, pattern = patterns_of(observed, np.zeros(20, dtype=np.intp))
    np.testing.assert_array_equal(observed[first][pattern], observed)
    assert len(first) == len({row.tobytes() for row in observed})


@pytest.mark.parametrize("T", [3, 70])
def test_patterns_are_ordered_by_group(T):
    rng = np.random.default_rng(T)
    observed, group = rng.random((20, T)) > 0.5, rng.integers(0, 3, 20)
    first, pattern = patterns_of(observed, group)
    np.testing.assert_array_equal(group[first][pattern], group)
    assert (np.diff(group[first]) >= 0).all()
