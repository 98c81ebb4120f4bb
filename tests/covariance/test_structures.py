"""Structured covariances: derivatives against differences, and what each family is."""

from __future__ import annotations

import numpy as np
import pytest

from trialmlm.covariance.register import CROSSED, FAMILIES, SPATIAL
from trialmlm.errors import FitError

STEP = 1e-6


def families(T):
    made = {name: make for name, make in FAMILIES.items() if name != "fa"}  # not over few visits
    return [pytest.param(make(T), id=f"{name}-{T}") for name, make in made.items()]


RICH = [
    pytest.param(FAMILIES["fa"](4), id="fa1-4"),
    pytest.param(FAMILIES["fa"](5, factors=2), id="fa2-5"),
    pytest.param(FAMILIES["toep"](5, bands=2), id="toep2-5"),
    pytest.param(FAMILIES["toeph"](5, bands=3), id="toeph3-5"),
    *(pytest.param(make((3, 4)), id=f"{name}-3x4") for name, make in CROSSED.items()),
]
ALL = [*(param for T in (1, 2, 5) for param in families(T)), *RICH]


def theta_of(family):
    return np.random.default_rng(3).normal(size=family.n_parameters) * 0.3


def differences(function, theta):
    steps = STEP * np.eye(theta.size)
    return np.array([(function(theta + e) - function(theta - e)) / (2 * STEP) for e in steps])


@pytest.mark.parametrize("family", ALL)
def test_jacobian_and_curvature_are_the_derivatives_of_sigma(family):
    theta = theta_of(family)
    # central differences of step 1e-6: rounding 1e-10, truncation 1e-12
    np.testing.assert_allclose(family.jacobian(theta), differences(family.sigma, theta), atol=1e-8)
    G = np.random.default_rng(4).normal(size=(family.n_visits, family.n_visits))
    G = G + G.T
    slope = differences(lambda at: np.tensordot(family.jacobian(at), G, 2), theta)
    np.testing.assert_allclose(family.curvature(theta, G), slope, atol=1e-7)


@pytest.mark.parametrize("family", ALL)
def test_natural_derivatives_span_those_of_the_search(family):
    theta = theta_of(family)
    natural = family.tangent(theta).reshape(family.n_parameters, -1)
    search = family.jacobian(theta).reshape(family.n_parameters, -1)
    together = np.concatenate([natural, search])
    assert np.linalg.matrix_rank(together) == np.linalg.matrix_rank(natural)
    assert family.natural_second(theta).shape == (theta.size, theta.size, *[family.n_visits] * 2)


PAIR = np.ones((2, 2)) - np.eye(2)


@pytest.mark.parametrize("family", [*ALL, *(make(PAIR) for make in SPATIAL.values())])
def test_sigma_moves_with_its_natural_parameters_as_the_tangent_says(family):
    theta = theta_of(family)
    change = differences(family.natural, theta)
    along = np.tensordot(change, family.tangent(theta), 1)
    np.testing.assert_allclose(family.jacobian(theta), along, atol=1e-8)


@pytest.mark.parametrize("family", RICH)
def test_second_derivatives_by_the_natural_parameters(family):
    """They are those of the tangent, when the search's parameters are nearly the natural ones."""
    theta = theta_of(family)
    change = np.linalg.lstsq(
        family.tangent(theta).reshape(theta.size, -1).T,
        family.jacobian(theta).reshape(theta.size, -1).T,
        rcond=None,
    )[0]  # ∂natural/∂θ
    along = differences(family.tangent, theta)
    expected = np.tensordot(change, family.natural_second(theta), (0, 0))
    np.testing.assert_allclose(along, expected, atol=1e-7)


def test_two_factors_are_a_kronecker_product():
    family = CROSSED["us_ar1"]((2, 3))
    Sigma = family.sigma(theta_of(family)).reshape(2, 3, 2, 3)
    A = Sigma[:, 0, :, 0]
    rho = Sigma[0, 0, 0, 1] / Sigma[0, 0, 0, 0]
    R = rho ** np.abs(np.subtract.outer(range(3), range(3)))
    np.testing.assert_allclose(Sigma.reshape(6, 6), np.kron(A, R), rtol=1e-13)


def test_a_banded_family_is_zero_beyond_its_bands_and_starts_positive_definite():
    family = FAMILIES["toep"](5, bands=2)
    Sigma = family.sigma(theta_of(family))
    assert Sigma[0, 1] != 0.0
    assert Sigma[0, 2] == 0.0
    start = family.sigma(family.start(np.full((5, 5), 0.9) + 0.1 * np.eye(5)))
    assert np.linalg.eigvalsh(start)[0] > 0.0


def test_a_factor_analytic_family_with_more_parameters_than_entries_is_refused():
    with pytest.raises(FitError, match="1 factors over 2 visits have 4 parameters"):
        FAMILIES["fa"](2)


@pytest.mark.parametrize("family", families(4))
def test_the_start_of_a_member_is_that_member(family):
    theta = theta_of(family)
    Sigma = family.sigma(theta)
    np.testing.assert_allclose(family.sigma(family.start(Sigma)), Sigma, rtol=1e-8)


def member(name, T=3):
    family = FAMILIES[name](T)
    return family.sigma(theta_of(family))


def test_each_family_is_what_its_name_says():
    cs = member("cs")
    assert cs[0, 1] == cs[0, 2] == cs[1, 2]
    ar1 = member("ar1")
    assert ar1[0, 2] / ar1[0, 0] == pytest.approx((ar1[0, 1] / ar1[0, 0]) ** 2)
    toep = member("toep")
    assert toep[0, 1] == pytest.approx(toep[1, 2])
    adh = member("adh")
    sd = np.sqrt(np.diag(adh))
    R = adh / np.outer(sd, sd)
    assert R[0, 2] == pytest.approx(R[0, 1] * R[1, 2])
    assert np.count_nonzero(member("diag")) == 3
    assert np.ptp(np.diag(member("ar1h"))) > 0.0


def distances(*shape):
    """Of points in the plane; one lies at a distance below one from another."""
    points = np.random.default_rng(5).normal(size=(*shape, 2)) * 2.0
    return np.linalg.norm(points[..., :, None, :] - points[..., None, :, :], axis=-1)


@pytest.mark.parametrize("shape", [(1,), (4,), (3, 4)])
@pytest.mark.parametrize("name", SPATIAL)
def test_derivatives_of_spatial_families_over_common_and_own_distances(name, shape):
    family = SPATIAL[name](distances(*shape))
    theta = theta_of(family)
    jacobian = differences(family.sigma, theta)
    np.testing.assert_allclose(family.jacobian(theta), jacobian, atol=1e-8)
    G = np.random.default_rng(6).normal(size=family.sigma(theta).shape)
    slope = differences(lambda at: np.tensordot(family.jacobian(at), G, G.ndim), theta)
    np.testing.assert_allclose(family.curvature(theta, G), slope, atol=1e-7)


@pytest.mark.parametrize("name", SPATIAL)
def test_natural_derivatives_of_spatial_families_are_by_variance_and_correlation(name):
    d = distances(4)
    correlation = SPATIAL[name](d).correlation

    def sigma(natural):
        return natural[0] * correlation.matrix(natural[1:], 4)

    family = SPATIAL[name](d)
    theta = np.array([0.4, -0.3])
    rho, _, _ = correlation.scale(4).natural(theta[1:])
    natural = np.array([np.exp(0.4), rho[0]])
    np.testing.assert_allclose(family.sigma(theta), sigma(natural), rtol=1e-14)
    first = differences(sigma, natural)
    np.testing.assert_allclose(family.tangent(theta), first, atol=1e-8)
    second = differences(lambda at: differences(sigma, at), natural)
    # a difference of differences: rounding 1e-16 / 1e-12
    np.testing.assert_allclose(family.natural_second(theta), second, atol=1e-3)


def test_spatial_correlations_at_distance_one_and_two():
    d = np.array([[0.0, 1.0, 2.0], [1.0, 0.0, 1.0], [2.0, 1.0, 0.0]])
    rho = np.array([1.5])
    R = {name: make(d).correlation.matrix(rho, 3)[0] for name, make in SPATIAL.items()}
    np.testing.assert_allclose(R["sp_exp"], np.exp([0.0, -1 / 1.5, -2 / 1.5]))
    np.testing.assert_allclose(R["sp_gau"], np.exp([0.0, -1 / 2.25, -4 / 2.25]))
    power = SPATIAL["sp_pow"](d).correlation.matrix(np.array([0.6]), 3)[0]
    np.testing.assert_allclose(power, [1.0, 0.6, 0.36])
