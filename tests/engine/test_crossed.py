"""Several grouping factors at any θ: the two-stage likelihood against the dense oracle."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import scipy.sparse
from dense_linear import DenseLinear, Term
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.engine import crossed_effects, crossed_point, crossed_summary, links
from trialmlm.engine.clusters import ClusterLikelihood, summarise_clusters
from trialmlm.engine.control import Control
from trialmlm.engine.convergence import Convergence, Reason
from trialmlm.engine.crossed import CrossedLikelihood
from trialmlm.engine.crossed_summary import Grouping, summarise_crossed
from trialmlm.engine.fit import GaussianFit, fit_likelihood
from trialmlm.engine.links import DenseLinks, SparseLinks
from trialmlm.engine.standardise import orthonormal_effects, standardise
from trialmlm.engine.whitened_clusters import whitened
from trialmlm.errors import NotAvailableError

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)
NOWHERE = Convergence(Reason.ITERATIONS, 0, 0.0, 0.0, 1.0, ())


def close(actual, expected, tolerance=1e-8):
    # 1e-8: the oracle inverts V of condition below 1e4 and multiplies five such matrices
    size = np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance * size)


def without_gaps(code):
    return np.unique(code, return_inverse=True)[1].reshape(-1)


def design(seed, layout="crossed", n=60, factors=3):
    """Rows X, y and groupings: intercepts, slopes, or both, correlated or not, rows at random."""
    rng = np.random.default_rng(seed)
    if layout == "nested":
        outer = rng.integers(0, 4, n)
        middle = outer * 3 + rng.integers(0, 3, n)
        codes = [middle * 4 + rng.integers(0, 4, n), outer, middle][:factors]
    else:
        codes = [rng.integers(0, size, n) for size in (5, 12, 3)[:factors]]
    t = rng.uniform(0.0, 3.0, n)
    groupings = []
    for code in codes:
        kind = rng.integers(0, 4)
        Z = [np.ones((n, 1)), np.vander(t, 2, increasing=True)][min(kind, 1)]
        sizes = [(1,), (2,), (1, 1), (1, 1)][kind]
        groupings.append(Grouping(without_gaps(code), Z, sizes))
    X = np.column_stack([np.ones(n), t, rng.integers(0, 2, n)])
    y = 5.0 + t + rng.normal(size=n)
    y = y + sum(rng.normal(size=g.code.max() + 1)[g.code] for g in groupings)
    return X, groupings, y


def somewhere(likelihood, seed):
    """Any θ: factors of any sign, a residual SD between about 0.3 and 3."""
    rng = np.random.default_rng([seed, 7])
    size = likelihood.parameters.nothing().size
    return np.append(rng.normal(size=size - 1), rng.uniform(-1.0, 1.0))


def oracle(data, likelihood, theta, *, given_units=False):
    """The same model with the terms in the likelihood's order, in its coordinates or the data's."""
    X, groupings, y = data
    own = standardise(X, y)
    factors, scale = iter(likelihood.parameters.factors(theta)), own.scale
    terms = []
    for factor in likelihood.data.factors:
        grouping = groupings[factor.given]
        ends = np.cumsum([0, *grouping.sizes])
        for a, b in pairwise(ends):
            Z, K = orthonormal_effects(grouping.Z[:, a:b])
            Lambda = next(factors)
            if given_units:
                Z, Lambda = grouping.Z[:, a:b], np.linalg.inv(K) @ Lambda * scale
            terms.append(Term(Z, grouping.code, Lambda @ Lambda.T))
    sigma2 = likelihood.parameters.sigma2(theta)
    if given_units:
        return DenseLinear(X, y, terms, sigma2 * scale**2, likelihood.reml)
    return DenseLinear(own.Q, own.y, terms, sigma2, likelihood.reml)


cases = st.tuples(
    st.integers(0, 10_000),
    st.sampled_from(["crossed", "nested"]),
    st.integers(1, 3),  # grouping factors
    st.booleans(),  # sparse links
    st.booleans(),  # REML
)


def placed(case):
    """Data, a likelihood of them, and a θ."""
    seed, layout, factors, sparse, reml = case
    data = design(seed, layout, factors=factors)
    summary = summarise_crossed(*data)
    held = summary.links
    if sparse and factors > 1 and isinstance(held, DenseLinks):
        flat = scipy.sparse.csr_matrix(held.flat)
        summary = replace(summary, links=SparseLinks(flat, (*held.B.shape[:2], 1, held.B.shape[2])))
    likelihood = CrossedLikelihood(summary, reml)
    return data, likelihood, somewhere(likelihood, seed)


@PROPERTY
@given(cases)
def test_deviance_and_its_derivatives_at_any_theta_equal_the_oracle(case):
    data, likelihood, theta = placed(case)
    dense, point = oracle(data, likelihood, theta), likelihood.evaluate(theta)
    assert point.deviance == pytest.approx(dense.deviance, rel=1e-10)
    curve, P = likelihood.natural(theta, point)
    close(curve.g, dense.gradient)
    close(curve.J, dense.hessian("expected"))
    close(curve.H, dense.hessian())
    close(P, dense.P)
    close(point.Phi, dense.parts[1])
    close(point.beta, dense.parts[2])


@PROPERTY
@given(cases)
def test_weighted_q_equals_the_oracle_s(case):
    data, likelihood, theta = placed(case)
    W = np.random.default_rng(1).normal(size=(likelihood.parameters.natural(theta).size,) * 2)
    W = W + W.T
    dense, point = oracle(data, likelihood, theta), likelihood.evaluate(theta)
    close(likelihood.weighted_Q(theta, point, W), dense.weighted_Q(W))
    assert not likelihood.weighted_R(theta, point, W).any()


@PROPERTY
@given(cases)
def test_the_search_s_derivatives_are_those_of_the_deviance(case):
    _, likelihood, theta = placed(case)
    curve = likelihood.search(theta, likelihood.evaluate(theta))
    h = 1e-5
    slopes, bends = [], []
    for step in h * np.eye(theta.size):
        up, down = (likelihood.evaluate(theta + s) for s in (step, -step))
        slopes.append((up.deviance - down.deviance) / (2 * h))
        gradients = [likelihood.search(theta + s, p).g for s, p in ((step, up), (-step, down))]
        bends.append((gradients[0] - gradients[1]) / (2 * h))
    close(curve.g, slopes, 1e-6)  # differences of numbers of the size of −2l, about 200
    close(curve.H, bends, 1e-6)


@PROPERTY
@given(cases)
def test_predicted_effects_are_henderson_s_in_the_units_of_the_data(case):
    data, likelihood, theta = placed(case)
    dense = oracle(data, likelihood, theta, given_units=True)
    found = likelihood.effects(likelihood.evaluate(theta))
    terms = iter(dense.terms)
    for factor in likelihood.data.factors:
        part, at = found.parts[factor.given], 0
        for size in factor.sizes:
            own = slice(at, at + size)
            term = next(terms)
            blup, variance = dense.effects(term)
            close(part.G[own, own], term.G, 1e-6)  # Z as given has a condition of about 10
            close(part.blup[:, own], blup, 1e-6)
            blocks = variance.reshape(len(blup), size, len(blup), size)
            diagonal = blocks[np.arange(len(blup)), :, np.arange(len(blup))]
            close(part.variance[:, own, own], diagonal, 1e-6)
            at += size


@PROPERTY
@given(cases, st.integers(0, 1000))
def test_the_variance_of_a_prediction_is_henderson_s(case, seed):
    data, likelihood, theta = placed(case)
    X, groupings, y = data
    rng = np.random.default_rng(seed)
    rows, n = rng.integers(0, len(y), 9), 9
    levels = [rng.permutation(g.code)[rows] for g in groupings]
    levels[0][2] = -1
    point = likelihood.evaluate(theta)
    x = likelihood.basis.rows(X[rows])
    added = likelihood.effects(point).added_variance(x, levels, [g.Z[rows] for g in groupings])
    fixed = np.einsum("nq,qp,np->n", x, point.Phi, x) * likelihood.scale**2
    dense = oracle(data, likelihood, theta, given_units=True)
    wide, terms = [], iter(dense.terms)
    for factor in likelihood.data.factors:
        level, at = levels[factor.given], 0
        for size in factor.sizes:
            term = next(terms)
            table = np.zeros((n, term.code.max() + 1, size))
            known = level >= 0
            columns = groupings[factor.given].Z[rows, at : at + size]
            table[np.flatnonzero(known), level[known]] = columns[known]
            wide.append(table.reshape(n, -1))
            at += size
    expected = dense.prediction_variance(X[rows], np.concatenate(wide, axis=1))
    close(fixed + added, expected, 1e-6)


@PROPERTY
@given(cases)
def test_whitened_residuals_have_the_quadratic_form_of_the_oracle_and_are_linear(case):
    data, likelihood, theta = placed(case)
    _, groupings, _ = data
    found = likelihood.effects(likelihood.evaluate(theta))
    dense = oracle(data, likelihood, theta, given_units=True)
    V_inv, _, beta = dense.parts
    r = dense.y - dense.X @ beta
    moved = r + sum(
        (g.Z * s[g.code]).sum(axis=1) for g, s in zip(groupings, found.shifts, strict=True)
    )
    lead = groupings[found.leading]
    variances = np.full(len(r), dense.sigma2)
    e = whitened(moved, lead.Z, lead.code, found.parts[found.leading].G, variances)
    assert e @ e == pytest.approx(r @ V_inv @ r, rel=1e-8)


@pytest.mark.parametrize("layout", ["crossed", "nested"])
def test_large_matrices_and_work_in_pieces_give_the_same(layout, monkeypatch):
    case = (17, layout, 3, True, True)
    data, likelihood, theta = placed(case)
    monkeypatch.setattr(crossed_point, "_LARGE", 1)  # LAPACK by itself from here on
    monkeypatch.setattr(links, "_PIECE", 1)
    monkeypatch.setattr(crossed_effects, "_PIECE", 1)
    dense, point = oracle(data, likelihood, theta), likelihood.evaluate(theta)
    curve, _ = likelihood.natural(theta, point)
    assert point.deviance == pytest.approx(dense.deviance, rel=1e-10)
    close(curve.g, dense.gradient)
    close(curve.H, dense.hessian())
    monkeypatch.undo()
    whole = placed(case)[1]
    rows, n = np.zeros((4, 3)), 4
    levels, Z = [g.code[:n] for g in data[1]], [g.Z[:n] for g in data[1]]
    once = whole.effects(whole.evaluate(theta)).added_variance(rows, levels, Z)
    monkeypatch.setattr(crossed_effects, "_PIECE", 1)
    close(likelihood.effects(point).added_variance(rows, levels, Z), once, 1e-10)


def test_nested_levels_are_kept_in_components_and_crossed_ones_are_not():
    nested = summarise_crossed(*design(2, "nested"))
    crossed = summarise_crossed(*design(2, "crossed"))
    assert nested.S_others.shape[0] == 4  # one per outer level
    assert isinstance(nested.links, SparseLinks)
    assert crossed.S_others.shape[0] == 1
    assert isinstance(crossed.links, DenseLinks)


def test_the_factor_with_most_columns_leads():
    summary = summarise_crossed(*design(3, "crossed"))
    columns = [factor.n_levels * factor.r for factor in summary.factors]
    assert columns[0] == max(columns)
    assert sorted(factor.given for factor in summary.factors) == [0, 1, 2]


def test_one_factor_is_the_likelihood_of_clusters():
    X, groupings, y = design(5, "crossed", factors=1)
    (grouping,) = groupings
    Z = np.vander(X[:, 1], 2, increasing=True)
    order = np.argsort(grouping.code, kind="stable")
    first = np.flatnonzero(np.diff(grouping.code[order], prepend=-1))
    clusters = ClusterLikelihood(summarise_clusters(X[order], Z[order], y[order], first), True)
    crossed = CrossedLikelihood(summarise_crossed(X, [Grouping(grouping.code, Z, (2,))], y), True)
    one, two = fit_likelihood(clusters, 1.0), fit_likelihood(crossed, 1.0)
    assert one.minus2_loglik == pytest.approx(two.minus2_loglik, abs=1e-9)
    np.testing.assert_allclose(one.beta, two.beta, rtol=1e-6)


def test_the_first_start_is_mivque0():
    data = X, groupings, y = design(7, "crossed", n=200)
    likelihood = CrossedLikelihood(summarise_crossed(X, groupings, y), True)
    nothing = likelihood.parameters.nothing()
    dense = oracle(data, likelihood, nothing)
    Q = np.eye(len(y)) - dense.X @ dense.X.T
    gram = [[np.trace(Q @ a @ Q @ b) for b in dense.tangent] for a in dense.tangent]
    squares = [dense.y @ Q @ a @ Q @ dense.y for a in dense.tangent]
    expected = np.linalg.solve(gram, squares)
    parameters = likelihood.parameters
    eta = parameters.natural(likelihood.starts()[0])
    assert eta[-1] == pytest.approx(expected[-1], rel=1e-8)
    blocks = zip(parameters.blocks(eta), parameters.blocks(expected), strict=True)
    # others are raised to where a search can begin
    inside = [(own, G) for own, G in blocks if np.linalg.eigvalsh(G)[0] > 0.01 * expected[-1]]
    assert inside
    for own, G in inside:
        close(own, G)


def test_a_term_that_no_row_tells_apart_is_confounded():
    X, groupings, y = design(9, "crossed")
    twice = [groupings[0], groupings[1], groupings[1]]
    assert CrossedLikelihood(summarise_crossed(X, groupings, y), True).confounded is None
    assert CrossedLikelihood(summarise_crossed(X, twice, y), True).confounded is not None
    assert CrossedLikelihood(summarise_crossed(X, twice, y), False).confounded is not None


def test_a_factor_among_the_fixed_effects_is_confounded_under_reml_alone():
    X, groupings, y = design(9, "crossed")
    intercept = Grouping(groupings[2].code, np.ones((len(y), 1)), (1,))
    X = np.column_stack([X, np.eye(3)[intercept.code][:, 1:]])
    data = X, [groupings[1], intercept], y
    direction = CrossedLikelihood(summarise_crossed(*data), True).confounded
    assert direction is not None
    assert np.flatnonzero(direction).tolist() == [direction.size - 2]
    assert CrossedLikelihood(summarise_crossed(*data), False).confounded is None


def test_too_many_connected_levels_are_refused(monkeypatch):
    monkeypatch.setattr(crossed_summary, "LARGEST", 6**2)
    with pytest.raises(NotAvailableError, match="random effects that are all connected"):
        summarise_crossed(*design(2, "crossed"))


def boundary_case():
    """Two crossed factors, of which the second does less than chance."""
    rng = np.random.default_rng(4)
    n = 120
    a, b = np.repeat(np.arange(12), 10), np.tile(np.arange(10), 12)
    noise = rng.normal(size=(12, 10))
    noise = noise - noise.mean(axis=0) * 0.9  # columns differ less than their rows' noise
    y = (rng.normal(size=12)[:, None] + noise).ravel()
    X = np.column_stack([np.ones(n), rng.normal(size=n)])
    groupings = [Grouping(a, np.ones((n, 1)), (1,)), Grouping(b, np.ones((n, 1)), (1,))]
    return X, groupings, y


@pytest.mark.parametrize("kind", ["observed", "expected"])
def test_a_variance_of_zero_leaves_W_as_if_it_were_known(kind):
    data = boundary_case()
    likelihood = CrossedLikelihood(summarise_crossed(*data), True)
    fit = fit_likelihood(likelihood, 1.0)
    assert fit.convergence.converged
    assert likelihood.singular(fit.theta, fit.point) == (False, True)
    dense = oracle(data, likelihood, fit.theta)
    close(fit.information(kind), dense.W(kind, free=[0, 2]), 1e-7)


def test_a_correlation_of_one_moves_along_singular_matrices_alone():
    # W at a singular 2 × 2 G: V = zz'γ with z = Z(1, c); its parameters are the line's own
    rng = np.random.default_rng(11)
    n = 200
    code, t = np.repeat(np.arange(20), 10), np.tile(np.linspace(-1.0, 1.0, 10), 20)
    b = rng.normal(size=20)
    y = b[code] * (1.0 + 0.8 * t) + 0.3 * rng.normal(size=n)
    other = Grouping(np.tile(np.arange(10), 20), np.ones((n, 1)), (1,))
    y = y + rng.normal(size=10)[other.code]
    Z = np.vander(t, 2, increasing=True)
    data = np.column_stack([np.ones(n), t]), [Grouping(code, Z, (2,)), other], y
    likelihood = CrossedLikelihood(summarise_crossed(*data), True)
    fit = fit_likelihood(likelihood, 1.0)
    assert fit.convergence.converged
    assert likelihood.singular(fit.theta, fit.point) == (True, False)
    W = fit.information()
    G = likelihood.parameters.blocks(likelihood.parameters.natural(fit.theta))[0]
    # det G stays zero to first order: its gradient along W vanishes
    slope = np.array([G[1, 1], -2.0 * G[0, 1], G[0, 0], 0.0, 0.0])
    assert slope @ W @ slope < 1e-9 * (slope**2).sum() * np.trace(W)
    assert np.linalg.eigvalsh(W)[0] > -1e-10 * np.trace(W)


def test_condition_and_degeneracy_speak_of_the_residual_variance():
    likelihood = CrossedLikelihood(summarise_crossed(*design(1)), True)
    theta = somewhere(likelihood, 1)
    point = likelihood.evaluate(theta)
    assert likelihood.condition(point) == pytest.approx(np.exp(2 * theta[-1]))
    assert not likelihood.degenerate(point, Control())
    theta[-1] = -12.0
    assert likelihood.degenerate(likelihood.evaluate(theta), Control())


def test_the_order_of_rows_does_not_matter():
    X, groupings, y = design(21)
    order = np.random.default_rng(0).permutation(len(y))
    turned = [Grouping(g.code[order], g.Z[order], g.sizes) for g in groupings]
    one = fit_likelihood(CrossedLikelihood(summarise_crossed(X, groupings, y), True), 1.0)
    two = fit_likelihood(
        CrossedLikelihood(summarise_crossed(X[order], turned, y[order]), True), 1.0
    )
    assert isinstance(one, GaussianFit)
    assert one.minus2_loglik == pytest.approx(two.minus2_loglik, abs=1e-9)
    np.testing.assert_allclose(one.beta, two.beta, rtol=1e-7)
