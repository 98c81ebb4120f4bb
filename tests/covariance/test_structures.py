"""Structured covariances: derivatives against differences, and what each family is."""

from __future__ import annotations

import numpy as np
import pytest

from trialmlm.covariance.register import FAMILIES

STEP = 1e-6


def families(T):
    return [pytest.param(make(T), id=f"{name}-{T}") for name, make in FAMILIES.items()]


ALL = [param for T in (1, 2, 5) for param in families(T)]


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
