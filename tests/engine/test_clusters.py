"""Random effects at any (G, σ²): the summed-up likelihoods against the dense oracle."""

from __future__ import annotations

import numpy as np
import pytest
from dense_clusters import DenseClusters
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine.clusters import ClusterLikelihood, moments, summarise_clusters
from trialmlm.engine.control import Control
from trialmlm.engine.identified import variances_identified
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.padded_clusters import PaddedLikelihood, pad_clusters
from trialmlm.engine.random_parameters import RandomParameters
from trialmlm.engine.standardise import orthonormal_effects, standardise

PROPERTY = settings(deadline=None, max_examples=20, derandomize=True)
KINDS = ("clusters", "padded")


def rows(seed, n=9, r=2):
    """Sorted rows of clusters with times of their own: X, Z, y, cluster, level."""
    rng = np.random.default_rng(seed)
    sizes = rng.integers(1, 5, n)
    cluster = np.repeat(np.arange(n), sizes)
    t = rng.uniform(0.0, 3.0, cluster.size)
    X = np.column_stack([np.ones(t.size), t, cluster % 2, t * (cluster % 2)])
    Z = np.vander(t, r, increasing=True)
    y = 5.0 + t + rng.normal(size=t.size) + rng.normal(size=n)[cluster]
    level = rng.permutation(np.arange(t.size) % 2)
    return X, Z, y, cluster, level


def likelihood_of(kind, data, *, reml):
    X, Z, y, cluster, level = data
    if kind == "clusters":
        first = np.flatnonzero(np.diff(cluster, prepend=-1))
        return ClusterLikelihood(summarise_clusters(X, Z, y, first), reml)
    return PaddedLikelihood(pad_clusters(X, Z, y, cluster, level), reml)


def oracle(kind, data, *, reml):
    """The same model in the engine's coordinates: orthonormal X and Z, scaled residual."""
    X, Z, y, cluster, level = data
    own = standardise(X, y)
    level = level if kind == "padded" else np.zeros_like(level)
    return DenseClusters(own.Q, orthonormal_effects(Z)[0], own.y, cluster, level, reml)


def somewhere(kind, seed, r=2):
    """Any θ: a factor of any sign, residual SDs between about 0.3 and 3."""
    rng = np.random.default_rng([seed, 7])
    factor = rng.normal(size=r * (r + 1) // 2)
    return np.append(factor, rng.uniform(-1.0, 1.0, 2 if kind == "padded" else 1))


def close(actual, expected, tolerance=1e-8):
    # 1e-8: the oracle inverts V of condition below 1e4 and multiplies five such matrices
    np.testing.assert_allclose(
        actual, expected, rtol=tolerance, atol=tolerance * np.abs(expected).max()
    )


cases = st.tuples(st.sampled_from(KINDS), st.integers(0, 2**16), st.booleans())


@PROPERTY
@given(cases)
def test_deviance_coefficients_and_covariance_anywhere_equal_the_oracle(case):
    kind, seed, reml = case
    data = rows(seed)
    likelihood, dense = likelihood_of(kind, data, reml=reml), oracle(kind, data, reml=reml)
    point = likelihood.evaluate(somewhere(kind, seed))
    _, Phi, beta = dense.parts(point.G, point.sigma2)
    assert point.deviance == pytest.approx(dense.deviance(point.G, point.sigma2), rel=1e-9)
    close(point.Phi, Phi)
    np.testing.assert_allclose(point.beta, beta, atol=1e-8)


@PROPERTY
@given(cases)
def test_natural_gradient_hessians_and_P_anywhere_equal_the_oracle(case):
    kind, seed, reml = case
    data = rows(seed)
    likelihood, dense = likelihood_of(kind, data, reml=reml), oracle(kind, data, reml=reml)
    theta = somewhere(kind, seed)
    point = likelihood.evaluate(theta)
    curve, P = likelihood.natural(theta, point)
    at = point.G, point.sigma2
    observed, expected = dense.hessian(*at, "observed"), dense.hessian(*at, "expected")
    close(curve.g, dense.gradient(*at))
    close(curve.H, observed)
    close(curve.J, expected)
    close(curve.A, (observed + expected) / 2.0)
    close(P, np.array(dense.kenward_roger(*at, "expected")[3]))


@PROPERTY
@given(cases)
def test_derivatives_of_the_search_are_those_of_differences(case):
    kind, seed, reml = case
    likelihood = likelihood_of(kind, rows(seed), reml=reml)
    theta = somewhere(kind, seed)
    curve = likelihood.search(theta, likelihood.evaluate(theta))
    steps = 1e-5 * np.eye(theta.size)
    ends = [(likelihood.evaluate(theta + h), likelihood.evaluate(theta - h)) for h in steps]
    slopes = [(above.deviance - below.deviance) / 2e-5 for above, below in ends]
    bends = [
        (likelihood.search(theta + h, above).g - likelihood.search(theta - h, below).g) / 2e-5
        for h, (above, below) in zip(steps, ends, strict=True)
    ]
    # the error of a central difference of step 1e-5 is 1e-10 of the third derivative, that of
    # rounding 1e-16 / 1e-5 of the value
    close(curve.g, slopes, 1e-5)
    close(curve.H, bends, 1e-5)


@PROPERTY
@given(cases)
def test_euler_s_identity_holds_as_V_is_linear_in_the_natural_parameters(case):
    kind, seed, reml = case
    likelihood = likelihood_of(kind, rows(seed), reml=reml)
    at = somewhere(kind, seed)
    point = likelihood.evaluate(at)
    curve, P = likelihood.natural(at, point)
    theta = np.append(point.G[np.tril_indices(2)], point.sigma2)
    X = np.linalg.inv(point.Phi)
    close(np.tensordot(theta, P, 1), -X)
    # θ'Jθ = tr(PVPV) is the number of residual degrees of freedom, whatever θ
    free = X.shape[0] if reml else 0
    assert theta @ curve.J @ theta == pytest.approx(likelihood.n_observations - free, rel=1e-8)
    # θ'g = that number less r'Ωr, and θ'Hθ = 2r'Ωr less that number
    quadratic = likelihood.n_observations - free - theta @ curve.g
    assert theta @ curve.H @ theta == pytest.approx(
        2.0 * quadratic - (likelihood.n_observations - free), rel=1e-7, abs=1e-7
    )


@PROPERTY
@given(cases)
def test_weighted_Q_is_the_oracle_s_sum(case):
    kind, seed, _ = case
    data = rows(seed)
    likelihood, dense = likelihood_of(kind, data, reml=True), oracle(kind, data, reml=True)
    theta = somewhere(kind, seed)
    point = likelihood.evaluate(theta)
    V_inv = dense.parts(point.G, point.sigma2)[0]
    B = [d @ V_inv @ dense.X for d in dense.tangent]
    W = np.random.default_rng(seed).normal(size=(len(B), len(B)))
    W = W + W.T
    expected = sum(W[h, k] * B[h].T @ V_inv @ B[k] for h in range(len(B)) for k in range(len(B)))
    close(likelihood.weighted_Q(theta, point, W), expected)


@PROPERTY
@given(cases)
def test_predicted_effects_are_the_oracle_s_in_the_units_of_the_data(case):
    kind, seed, _ = case
    X, Z, y, cluster, level = data = rows(seed)
    likelihood = likelihood_of(kind, data, reml=True)
    (found,) = likelihood.effects(likelihood.evaluate(somewhere(kind, seed))).parts
    point = likelihood.evaluate(somewhere(kind, seed))
    level = level if kind == "padded" else np.zeros_like(level)
    given_units = DenseClusters(X, Z, y, cluster, level)
    sigma2 = np.atleast_1d(point.sigma2) * likelihood.scale**2
    blup, variance = given_units.blup(found.G, sigma2)
    close(found.blup, blup, 1e-6)  # X and Z as given have a condition of about 100
    close(found.variance, variance, 1e-6)


@pytest.mark.parametrize("reml", [True, False])
def test_with_one_residual_variance_both_forms_are_the_same_likelihood(reml):
    X, Z, y, cluster, level = rows(11)
    data = X, Z, y, cluster, np.zeros_like(level)
    one, two = (likelihood_of(kind, data, reml=reml) for kind in KINDS)
    theta = somewhere("clusters", 3)
    first, second = one.evaluate(theta), two.evaluate(theta)
    assert first.deviance == pytest.approx(second.deviance, rel=1e-11)
    curve, other = one.search(theta, first), two.search(theta, second)
    for name in ("g", "H", "A", "J"):
        close(getattr(curve, name), getattr(other, name), 1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("factor", [(0.0, 0.0, 0.0), (0.8, -0.4, 0.0)], ids=["zero", "rank one"])
def test_a_singular_G_has_a_likelihood_and_derivatives(kind, factor):
    data = rows(21)
    likelihood, dense = likelihood_of(kind, data, reml=True), oracle(kind, data, reml=True)
    theta = np.append(factor, np.zeros(likelihood.parameters.levels))
    point = likelihood.evaluate(theta)
    assert np.linalg.matrix_rank(point.G) < 2
    assert point.deviance == pytest.approx(dense.deviance(point.G, point.sigma2), rel=1e-10)
    curve, _ = likelihood.natural(theta, point)
    close(curve.g, dense.gradient(point.G, point.sigma2))
    close(curve.H, dense.hessian(point.G, point.sigma2))
    assert not likelihood.degenerate(point, Control(vanishing=1e-8))


def test_at_G_of_zero_the_slope_along_the_factor_is_zero_for_either_sign():
    likelihood = likelihood_of("clusters", rows(22), reml=True)
    theta = np.zeros(4)
    np.testing.assert_array_equal(
        likelihood.search(theta, likelihood.evaluate(theta)).g[:3], np.zeros(3)
    )
    one, other = (np.array([sign * 0.7, 0.0, 0.3, 0.1]) for sign in (1, -1))
    assert likelihood.evaluate(one).deviance == pytest.approx(
        likelihood.evaluate(other).deviance, rel=1e-13
    )


def test_a_vanishing_residual_variance_is_degenerate_and_a_vanishing_G_is_not():
    likelihood = likelihood_of("clusters", rows(23), reml=True)
    control = Control(vanishing=1e-6)
    assert likelihood.degenerate(likelihood.evaluate(np.array([1.0, 0.0, 1.0, -9.0])), control)
    assert not likelihood.degenerate(likelihood.evaluate(np.zeros(4)), control)


def _generated(n, G, sigma, seed):
    """Clusters of six rows whose effects and errors have exactly known distributions."""
    rng = np.random.default_rng(seed)
    t = np.tile(np.linspace(-1.0, 1.0, 6), n)
    cluster = np.repeat(np.arange(n), 6)
    b = rng.multivariate_normal(np.zeros(2), G, n)[cluster]
    y = b[:, 0] + b[:, 1] * t + rng.normal(size=t.size) * sigma
    Z = np.column_stack([np.ones(t.size), t])
    return Z, Z, y, cluster, np.zeros(t.size, dtype=int)


def test_the_moments_are_near_the_truth_of_a_large_sample():
    G = np.array([[2.0, 0.5], [0.5, 1.0]])
    likelihood = likelihood_of("clusters", _generated(4000, G, 0.7, 5), reml=True)
    s = likelihood.data
    found, sigma2 = moments(s)
    back = np.linalg.inv(s.K)
    # 4000 clusters: the standard error of a variance is √(2/4000) ≈ 2% of it
    np.testing.assert_allclose(back @ found @ back.T * s.scale**2, G, atol=0.15)
    assert sigma2 * s.scale**2 == pytest.approx(0.49, rel=0.05)


def test_the_search_starts_at_the_moments_and_then_at_shares_of_the_variance():
    likelihood = likelihood_of("clusters", _generated(40, np.eye(2), 1.0, 6), reml=True)
    G, sigma2 = moments(likelihood.data)
    first, *others = likelihood.starts()
    point = likelihood.evaluate(first)
    np.testing.assert_allclose(point.G, G, atol=1e-12)
    assert point.sigma2 == pytest.approx(sigma2)
    assert [likelihood.evaluate(theta).sigma2 for theta in others] == pytest.approx([0.5, 0.95])


def test_without_enough_clusters_that_carry_their_own_coefficients_there_are_no_moments():
    X, Z, y, cluster, _ = rows(24)
    first = np.flatnonzero(np.diff(cluster, prepend=-1))
    single = summarise_clusters(X[first], Z[first], y[first], np.arange(first.size))
    assert moments(single) is None
    assert len(ClusterLikelihood(single, reml=True).starts()) == 2


def test_negative_moments_are_lifted_to_a_positive_definite_start():
    rng = np.random.default_rng(8)
    t = np.tile(np.linspace(-1.0, 1.0, 6), 30)
    y = rng.normal(size=180)
    means = y.reshape(30, 6).mean(axis=1)
    Z = np.column_stack([np.ones(180), t])
    y = y - np.repeat(means, 6)  # clusters differ less than chance
    summary = summarise_clusters(np.ones((180, 1)), Z, y, np.arange(0, 180, 6))
    G, sigma2 = moments(summary)
    assert np.linalg.eigvalsh(G)[0] > 0.0
    assert sigma2 > 0.0


def test_start_and_factor_are_inverse_to_each_other():
    parameters = RandomParameters(3, 2)
    A = np.random.default_rng(1).normal(size=(3, 3))
    G = A @ A.T + np.eye(3)
    theta = parameters.start(G, 0.25)
    np.testing.assert_allclose(parameters.factor(theta) @ parameters.factor(theta).T, G)
    np.testing.assert_allclose(parameters.sigma2(theta), [0.25, 0.25])


def test_the_chain_rule_is_that_of_a_quadratic_function_of_the_natural_parameters():
    parameters = RandomParameters(2, 2)
    rng = np.random.default_rng(2)
    linear, M = rng.normal(size=5), rng.normal(size=(5, 5))
    M = M + M.T
    theta = rng.normal(size=5)

    def natural(at):
        factor = parameters.factor(at)
        return np.append((factor @ factor.T)[np.tril_indices(2)], parameters.sigma2(at))

    def value(at):
        eta = natural(at)
        return linear @ eta + eta @ M @ eta / 2.0

    eta = natural(theta)
    curve = parameters.chain(theta, Curve(linear + M @ eta, M, M, M))
    h = 1e-4
    steps = h * np.eye(5)
    g = [(value(theta + s) - value(theta - s)) / (2 * h) for s in steps]
    H = [
        [
            (
                value(theta + s + u)
                - value(theta + s - u)
                - value(theta - s + u)
                + value(theta - s - u)
            )
            / (4 * h * h)
            for u in steps
        ]
        for s in steps
    ]
    close(curve.g, g, 1e-6)
    close(curve.H, H, 1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_the_order_of_clusters_does_not_matter(kind):
    X, Z, y, cluster, level = rows(31)
    order = np.argsort(-cluster, kind="stable")
    turned = X[order], Z[order], y[order], cluster.max() - cluster[order], level[order]
    theta = somewhere(kind, 31)
    one = likelihood_of(kind, (X, Z, y, cluster, level), reml=True)
    two = likelihood_of(kind, turned, reml=True)
    first = one.evaluate(theta)
    # the orthonormal bases may differ by signs: compare at the same G in the units of the data
    assert one.scale == pytest.approx(two.scale)
    signs = np.sign(np.diag(one.data.K))
    other = np.sign(np.diag(two.data.K))
    flip = (signs * other)[np.tril_indices(2)[0]]
    moved = np.append(theta[:3] * flip, theta[3:])
    assert two.evaluate(moved).deviance == pytest.approx(first.deviance, rel=1e-10)


def test_a_response_that_X_explains_wholly_is_not_divided_by_zero():
    X = rows(41)[0]
    found = standardise(X, X @ np.arange(4.0))
    assert np.isfinite(found.y).all()
    assert found.scale < 1e-12
    assert np.abs(found.y).max() < 10.0


def test_orthonormal_effects_keep_the_span_and_say_the_way_back():
    Z = rows(42)[1]
    own, K = orthonormal_effects(Z)
    np.testing.assert_allclose(own.T @ own / len(Z), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(own @ K, Z, atol=1e-12)


@pytest.mark.parametrize(
    ("times", "levels", "identified"),
    [
        ([0.0, 1.0], 1, False),  # three moments for four parameters
        ([0.0, 1.0, 3.0], 1, True),
        ([0.0, 1.0, 3.0], 3, True),  # six moments for six parameters
        ([0.0, 1.0], 2, False),
        ([0.0, 0.0, 1.0], 1, True),
    ],
)
def test_variances_are_identified_where_the_times_of_a_cluster_determine_them(
    times, levels, identified
):
    n, t = 5, np.tile(times, 5)
    Z = np.column_stack([np.ones(t.size), t])
    cluster = np.repeat(np.arange(n), len(times))
    level = np.tile(np.arange(len(times)) % levels, n)
    assert variances_identified(Z, cluster, level) is identified


def test_times_of_their_own_identify_a_slope_on_two_rows_per_cluster():
    t = np.random.default_rng(3).uniform(size=20)
    Z = np.column_stack([np.ones(20), t])
    assert variances_identified(Z, np.repeat(np.arange(10), 2), np.zeros(20, dtype=int))
