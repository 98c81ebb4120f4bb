"""Stepwise and graphical procedures: R's p.adjust, closed testing by hand, orders among them."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import trialmlm as tm
from trialmlm.errors import UsageError
from trialmlm.inference.adjustments import ADJUSTMENTS, Family
from trialmlm.inference.graphical import graphical_p_values
from trialmlm.inference.stepwise import fixed_sequence, hochberg, holm

PROPERTY = settings(deadline=None, max_examples=60, derandomize=True)
P_VALUES = st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6).map(np.array)


def test_r_s_p_adjust():
    # R 4.2.2: p.adjust(c(0.001, 0.011, 0.02, 0.04, 0.5), "holm"), "hochberg"; and a case in which
    # they differ: p.adjust(c(0.03, 0.04), …) is 0.06, 0.06 and 0.04, 0.04
    p = np.array([0.001, 0.011, 0.02, 0.04, 0.5])
    expected = [0.005, 0.044, 0.060, 0.080, 0.500]
    np.testing.assert_allclose(holm(p), expected, rtol=1e-14)
    np.testing.assert_allclose(hochberg(p), expected, rtol=1e-14)
    np.testing.assert_allclose(holm(p[::-1]), expected[::-1], rtol=1e-14)
    np.testing.assert_allclose(holm(np.array([0.03, 0.04])), [0.06, 0.06], rtol=1e-14)
    np.testing.assert_allclose(hochberg(np.array([0.03, 0.04])), [0.04, 0.04], rtol=1e-14)


@pytest.mark.filterwarnings("error")
def test_sidak_of_a_p_value_of_one_is_one():
    one = np.ones(2)
    family = Family(0.0 * one, np.array([1.0, 0.5]), 9.0 * one, np.eye(2), 3)
    np.testing.assert_allclose(ADJUSTMENTS["sidak"].p_values(family), [1.0, 0.75], rtol=1e-14)


@PROPERTY
@given(P_VALUES)
def test_holm_is_closed_testing_with_bonferroni(p):
    # the adjusted p-value of j is the largest Bonferroni p over the intersections that hold j
    m = p.size
    closed = np.zeros(m)
    for size in range(1, m + 1):
        for subset in combinations(range(m), size):
            together = min(1.0, size * p[list(subset)].min())
            closed[list(subset)] = np.maximum(closed[list(subset)], together)
    np.testing.assert_allclose(holm(p), closed, rtol=1e-12)


@PROPERTY
@given(P_VALUES)
def test_the_methods_stand_in_their_order(p):
    bonferroni = np.minimum(p * p.size, 1.0)
    assert (holm(p) <= bonferroni + 1e-15).all()
    assert (hochberg(p) <= holm(p) + 1e-15).all()
    assert (hochberg(p) >= p - 1e-15).all()
    assert (np.diff(fixed_sequence(p)) >= 0.0).all()
    assert fixed_sequence(p)[-1] == p.max()


@PROPERTY
@given(P_VALUES)
def test_graphs_that_are_known_procedures(p):
    m = p.size
    everyone = (np.ones((m, m)) - np.eye(m)) / max(1, m - 1)
    np.testing.assert_allclose(
        graphical_p_values(p, np.full(m, 1.0 / m), everyone), holm(p), rtol=1e-9, atol=1e-12
    )
    chain = np.eye(m, k=1)
    np.testing.assert_allclose(
        graphical_p_values(p, np.eye(m)[0], chain), fixed_sequence(p), rtol=1e-12
    )
    alone = graphical_p_values(p, np.full(m, 1.0 / m), np.zeros((m, m)))
    np.testing.assert_allclose(alone, np.minimum(p * m, 1.0), rtol=1e-12)


def closed_graph(p: np.ndarray, weights: np.ndarray, G: np.ndarray) -> np.ndarray:
    """Closed testing: every intersection by the weighted Bonferroni test the graph leaves it."""
    m = p.size
    adjusted = np.zeros(m)
    for size in range(1, m + 1):
        for subset in combinations(range(m), size):
            w, g = weights.copy(), G.copy()
            for j in set(range(m)) - set(subset):  # Bretz et al. 2009, algorithm 1
                new = np.zeros_like(g)
                for a in range(m):
                    for b in range(m):
                        left = 1.0 - g[a, j] * g[j, a]
                        if a != b and left > 0.0:
                            new[a, b] = (g[a, b] + g[a, j] * g[j, b]) / left
                w = w + w[j] * g[j]
                w[j], new[j], new[:, j] = 0.0, 0.0, 0.0
                g = new
            ratios = [p[k] / w[k] if w[k] > 0.0 else np.inf for k in subset]
            together = min(1.0, min(ratios))
            for k in subset:
                adjusted[k] = max(adjusted[k], together)
    return adjusted


@PROPERTY
@given(st.integers(0, 2**20))
def test_a_graph_is_the_shortcut_of_closed_testing(seed):
    rng = np.random.default_rng(seed)
    m = int(rng.integers(2, 5))
    p = rng.uniform(0.0, 0.1, m)
    weights = rng.dirichlet(np.ones(m))
    G = np.zeros((m, m))
    for j in range(m):
        G[j, np.arange(m) != j] = rng.dirichlet(np.ones(m - 1))
    np.testing.assert_allclose(
        graphical_p_values(p, weights, G), closed_graph(p, weights, G), rtol=1e-9
    )


def test_two_primary_and_two_secondary_hypotheses():
    # Bretz et al. 2009, section 3.2: α/2 on each primary, passed to its secondary, and from there
    # to the other primary. By hand, H1 first: 0.01/½ = 0.02 passes ½ to H3, which is then
    # 0.03/½ = 0.06; H2: 0.02/½ = 0.04 first, so that H4 has ½: 0.2/½ = 0.4.
    table = tm.graphical_test(
        {"H1": 0.01, "H2": 0.02, "H3": 0.03, "H4": 0.2},
        {"H1": 0.5, "H2": 0.5},
        {"H1": {"H3": 1}, "H2": {"H4": 1}, "H3": {"H2": 1}, "H4": {"H1": 1}},
    )
    assert table["hypothesis"].tolist() == ["H1", "H2", "H3", "H4"]
    # once H3 is rejected at 0.06 its share goes on to H2's heir H4: 0.2 / 1
    np.testing.assert_allclose(table["p_adjusted"], [0.02, 0.04, 0.06, 0.2], rtol=1e-12)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (({"A": 1.2}, {"A": 1}, {}), "between 0 and 1"),
        (({}, {}, {}), "between 0 and 1"),
        (({"A": 0.1}, {"B": 1}, {}), "names B"),
        (({"A": 0.1}, {"A": 1}, {"B": {"A": 1}}), "names B"),
        (({"A": 0.1}, {"A": 1.5}, {}), "sum above 1"),
        (({"A": 0.1}, {"A": -0.5}, {}), "not be negative"),
        (({"A": 0.1}, {"A": 1}, {"A": {"A": 1}}), "to itself"),
    ],
)
def test_a_wrong_graph_is_refused(arguments, message):
    with pytest.raises(UsageError, match=message):
        tm.graphical_test(*arguments)
