"""Many responses on the same rows, against the likelihood of each by itself."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine.clusters import ClusterLikelihood, summarise_clusters
from trialmlm.engine.fit import fit_likelihood
from trialmlm.engine.many_clusters import ManyClusters
from trialmlm.engine.many_newton import settle
from trialmlm.engine.many_responses import Responses, SharedRows

PROPERTY = settings(deadline=None, max_examples=15, derandomize=True)
D = 4


def trial(seed, n, r, sizes=(1, 6)):
    """Rows sorted by cluster with times of their own: X, Z, first, and D responses."""
    rng = np.random.default_rng(seed)
    cluster = np.repeat(np.arange(n), rng.integers(*sizes, n))
    t = rng.uniform(0.0, 3.0, cluster.size)
    X = np.column_stack([np.ones(t.size), t, cluster % 2, t * (cluster % 2)])
    Z = np.vander(t, r, increasing=True)
    effects = rng.normal(size=(D, n, r))
    Y = 5.0 + t + np.einsum("tr,dtr->dt", Z, effects[:, cluster]) + rng.normal(size=(D, t.size))
    return X, Z, np.flatnonzero(np.diff(cluster, prepend=-1)), Y


def both(seed, n, r, *, reml, sizes=(1, 6)):
    X, Z, first, Y = trial(seed, n, r, sizes)
    many = ManyClusters(Responses.of(SharedRows.of(X, Z, first), Y), reml)
    return many, [ClusterLikelihood(summarise_clusters(X, Z, y, first), reml) for y in Y]


def close(actual, expected, tolerance=1e-9):
    # 1e-9 of the largest entry: the same sums in another order, of V's with condition below 1e4
    largest = max(1.0, float(np.abs(expected).max()))
    np.testing.assert_allclose(actual, expected, rtol=0.0, atol=tolerance * largest)


@PROPERTY
@given(seed=st.integers(0, 10**6), r=st.integers(1, 3), reml=st.booleans())
def test_everything_is_that_of_each_response_by_itself(seed, r, reml) -> None:
    many, each = both(seed, 12, r, reml=reml)
    rng = np.random.default_rng([seed, 1])
    theta = rng.normal(size=(D, r * (r + 1) // 2 + 1)) * 0.7
    at = many.evaluate(theta)
    curve, P = many.natural(at)
    search = many.search(theta, at)
    constants = []
    for d, one in enumerate(each):
        point = one.evaluate(theta[d])
        own, own_P = one.natural(theta[d], point)
        chained = one.search(theta[d], point)
        constants.append(point.deviance - at.deviance[d])
        close(at.beta[d], point.beta)
        close(at.Phi[d], point.Phi)
        close(P[d], own_P)
        for name in "gHAJ":
            close(getattr(curve, name)[d], getattr(own, name))
            close(getattr(search, name)[d], getattr(chained, name))
    close(np.array(constants), np.full(D, constants[0]), 1e-8)


@PROPERTY
@given(seed=st.integers(0, 10**6), reml=st.booleans())
def test_each_settles_at_the_optimum_that_a_search_by_itself_finds(seed, reml) -> None:
    many, each = both(seed, 60, 2, reml=reml, sizes=(3, 7))
    found = [fit_likelihood(one, 1.0) for one in each]
    ends = settle(many, found[0].theta)
    assert ends.arrived[0]
    for d in np.flatnonzero(ends.arrived):
        # a step begun within 1e-6 standard errors squares that; a sign of Λ's columns is no one's
        G = many.parameters.factor(ends.theta[d])
        own = many.parameters.factor(found[d].theta)
        close(G @ G.T, own @ own.T, 1e-7)
        point = each[d].evaluate(ends.theta[d])
        close(np.array(point.deviance), np.array(found[d].point.deviance), 1e-10)


def test_a_variance_of_zero_is_left_to_a_search_with_safeguards() -> None:
    X, Z, first, Y = trial(3, 60, 2, (3, 7))
    alternating = np.where(np.arange(len(X)) % 2, 1.0, -1.0)  # less alike within than by chance
    Y[1] = 5.0 + alternating + np.random.default_rng(4).normal(0.0, 0.05, len(X))
    many = ManyClusters(Responses.of(SharedRows.of(X, Z, first), Y), reml=True)
    start = fit_likelihood(ClusterLikelihood(summarise_clusters(X, Z, Y[0], first), True), 1.0)
    arrived = settle(many, start.theta).arrived
    assert arrived[0]
    assert not arrived[1]


@pytest.mark.parametrize("r", [1, 2])
def test_a_response_less_its_fit_is_what_a_single_summary_has(r) -> None:
    X, Z, first, Y = trial(8, 20, r)
    data = Responses.of(SharedRows.of(X, Z, first), Y)
    for d, y in enumerate(Y):
        one = summarise_clusters(X, Z, y, first)
        close(data.Zy[:, d], one.Zy)
        close(data.offset[d], one.offset)
        assert data.scale[d] == pytest.approx(one.scale, rel=1e-12)
        assert data.yy[d] == pytest.approx(one.yy, rel=1e-12)
