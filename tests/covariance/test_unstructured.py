"""The unstructured family against its definition and against differences."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from trials import positive_definite

from trialmlm.covariance.register import FAMILIES
from trialmlm.covariance.unstructured import Unstructured, lower_indices, symmetric_basis

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)
STEP = 1e-5


@st.composite
def points(draw: st.DrawFn) -> tuple[Unstructured, np.ndarray]:
    family = Unstructured(draw(st.integers(1, 6)))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    return family, rng.normal(0.0, 0.7, family.n_parameters)


def differences(function, theta):
    """Central differences of `function` by each parameter."""
    steps = STEP * np.eye(theta.size)
    return np.stack([(function(theta + e) - function(theta - e)) / (2 * STEP) for e in steps])


@PROPERTY
@given(points())
def test_start_inverts_sigma(point):
    family, theta = point
    # a Cholesky factor is unique; only rounding is between
    np.testing.assert_allclose(family.start(family.sigma(theta)), theta, rtol=0, atol=1e-10)


@PROPERTY
@given(points())
def test_sigma_is_positive_definite_for_every_theta(point):
    family, theta = point
    Sigma = family.sigma(theta)
    np.testing.assert_array_equal(Sigma, Sigma.T)
    assert np.linalg.eigvalsh(Sigma)[0] > 0


@PROPERTY
@given(points())
def test_jacobian_is_the_derivative_of_sigma(point):
    family, theta = point
    # central differences: error step² ≈ 1e-10 times third derivatives of order 10
    np.testing.assert_allclose(
        family.jacobian(theta), differences(family.sigma, theta), rtol=1e-7, atol=1e-7
    )


@PROPERTY
@given(points(), st.integers(0, 2**20))
def test_curvature_is_the_second_derivative_of_an_inner_product(point, seed):
    family, theta = point
    G = np.random.default_rng(seed).normal(size=(family.n_visits,) * 2)
    G = G + G.T

    def slope(at):
        return np.tensordot(family.jacobian(at), G, 2)

    np.testing.assert_allclose(
        family.curvature(theta, G), differences(slope, theta), rtol=1e-6, atol=1e-6
    )


@pytest.mark.parametrize("T", [1, 2, 5])
def test_tangent_is_the_basis_in_which_sigma_is_linear(T):
    Sigma = positive_definite(T, T)
    tangent = Unstructured(T).tangent(Sigma)
    np.testing.assert_array_equal(np.tensordot(Sigma[lower_indices(T)], tangent, 1), Sigma)


def test_cached_basis_cannot_be_written_to():
    with pytest.raises(ValueError, match="read-only"):
        symmetric_basis(3)[0, 0, 0] = 2.0


def test_register_makes_families_that_carry_their_own_name():
    for name, family in FAMILIES.items():
        assert family(3).abbreviation == name
        assert family(3).n_visits == 3


def test_number_of_parameters_is_the_lower_triangle():
    assert [Unstructured(T).n_parameters for T in (1, 2, 3, 10)] == [1, 3, 6, 55]
