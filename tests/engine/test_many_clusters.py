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
def test_a_cluster_counted_twice_is_two_and_one_counted_never_is_none(seed, reml) -> None:
    X, Z, first, Y = trial(seed, 12, 2)
    rng = np.random.default_rng([seed, 2])
    counts = rng.integers(0, 3, (D, 12))
    counts[:, :4] += 1  # the others alone might not carry X
    many = ManyClusters(Responses.of(SharedRows.of(X, Z, first), Y, counts.astype(float)), reml)
    theta = rng.normal(size=(D, 4)) * 0.7
    at = many.evaluate(theta)
    curve, _ = many.natural(at)
    shared = many.data
    pieces = np.split(np.arange(len(X)), first[1:])
    for d in range(D):
        drawn = np.repeat(np.arange(12), counts[d])
        rows = np.concatenate([pieces[i] for i in drawn])
        starts = np.cumsum([0, *(pieces[i].size for i in drawn[:-1])])
        # in the units and the coordinates of the shared rows
        y = (Y[d, rows] - shared.rows.Q[rows] @ shared.offset[d]) / shared.scale[d]
        own = summarise_clusters(shared.rows.Q[rows], shared.rows.Z.T[rows], y, starts)
        one = ClusterLikelihood(own, reml)
        back = own.basis.R_inverse
        factor = own.K @ many.parameters.factor(theta[d])
        G, sigma2 = factor @ factor.T, many.parameters.sigma2(theta[d])[0]
        point = one.evaluate(one.parameters.start(G / own.scale**2, sigma2 / own.scale**2))
        beta = back @ (own.offset + own.scale * point.beta)
        close(at.beta[d], beta, 1e-7)
        close(at.Phi[d], own.scale**2 * back @ point.Phi @ back.T, 1e-7)
        moved = theta[d] + np.array([0.0, 1e-5, 0.0, 0.0])
        steps = np.repeat(theta[d][None], D, axis=0)
        steps[d] = moved
        ahead = many.evaluate(steps).deviance[d]
        steps[d] = 2.0 * theta[d] - moved
        slope = (ahead - many.evaluate(steps).deviance[d]) / 2e-5
        g = many.parameters.jacobian(theta[d], curve.g[d])[0] @ curve.g[d]
        # a difference of −2l, itself rounded at 1e-13 of some hundreds, over 2e-5
        assert slope == pytest.approx(g[1], abs=1e-5 * max(1.0, abs(g[1])))


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
