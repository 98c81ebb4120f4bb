"""The largest of several t statistics and the studentized range, against R and each other.

R 4.2.2: mvtnorm 1.1-3, pmvt(algorithm = GenzBretz(maxpts = 5e7, abseps = 1e-9)), whose own error
bound is at most 3e-8; stats::ptukey, good to about 1e-9.
"""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trialmlm.inference import max_t
from trialmlm.inference.max_t import max_t_quantile, max_t_upper
from trialmlm.inference.scale_nodes import scale_nodes
from trialmlm.inference.studentized_range import range_quantile, range_upper

PROPERTY = settings(deadline=None, max_examples=20, derandomize=True)
INF = math.inf


def equal(m: int, rho: float) -> np.ndarray:
    return np.where(np.eye(m) == 1.0, 1.0, rho)


def one_factor(*loadings: float) -> np.ndarray:
    R = np.outer(loadings, loadings)
    np.fill_diagonal(R, 1.0)
    return R


def all_pairs(k: int) -> np.ndarray:
    K = [[1.0 * (i == a) - 1.0 * (i == b) for i in range(k)] for a, b in combinations(range(k), 2)]
    return np.array(K) @ np.array(K).T / 2.0


GENERAL = np.array(
    [[1, 0.3, -0.2, 0.1], [0.3, 1, 0.4, 0.5], [-0.2, 0.4, 1, 0.2], [0.1, 0.5, 0.2, 1]]
)
#: c, df, R, 1 − pmvt(−c, c), tolerance: what pmvt says of its own error, or ours as documented
PMVT = [
    (2.5, 20, equal(2, 0.5), 0.0389356569537112, 1e-12),
    (2.5, 20, equal(3, 0.5), 0.0543078052887390, 2e-8),
    (2.2, 133, equal(4, 0.5), 0.0957775541909553, 2e-8),
    (3.0, 5, equal(3, 0.2), 0.0757470271112055, 2e-8),
    (2.5, INF, equal(4, 0.5), 0.0428799251790279, 2e-8),
    (2.4, 15, one_factor(0.8, 0.6, 0.4, 0.7), 0.0974490537651791, 2e-8),
    (2.3, 25, GENERAL, 0.1040402083746, 2e-5),
    (2.3, INF, GENERAL, 0.0780782576330973, 2e-5),
]
#: q, means, df, ptukey(q, means, df, lower.tail = FALSE)
PTUKEY = [
    (3.5, 3, 20, 0.0558918490820594),
    (3.5, 4, 7.5, 0.143858461628236),
    (2.0, 10, 60, 0.917967674238313),
    (5.2, 5, 133.389, 0.00309800215918321),
    (4.0, 3, INF, 0.0129876613731849),
    (3.633, 3, 10, 0.0662210895212036),
    (8.0, 3, 2, 0.0539910002771326),
]
#: probability, means, df, qtukey, which R itself stops at 1e-4
QTUKEY = [
    (0.95, 3, 20, 3.57793458152557),
    (0.95, 4, 7.5, 4.59910387687942),
    (0.99, 10, 60, 5.44661489509945),
    (0.95, 3, INF, 3.31449315755301),
]


@pytest.mark.parametrize(("c", "df", "R", "expected", "tolerance"), PMVT)
def test_the_largest_t_is_r_s(c, df, R, expected, tolerance):
    assert max_t_upper(c, R, df) == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize(("q", "k", "df", "expected"), PTUKEY)
def test_the_studentized_range_is_r_s(q, k, df, expected):
    assert range_upper(q, k, df) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("probability", "k", "df", "expected"), QTUKEY)
def test_its_quantiles_are_r_s(probability, k, df, expected):
    found = range_quantile(probability, k, df)
    assert found == pytest.approx(expected, abs=1e-6)
    assert range_upper(found, k, df) == pytest.approx(1.0 - probability, abs=1e-9)


def test_dunnett_s_table():
    # Dunnett (1964), Biometrics 20, table II: two-sided, joint 95 %, common correlation 1/2
    printed = {(2, 20): 2.38, (3, 20): 2.54, (2, 60): 2.27, (4, 10): 2.89, (9, 120): 2.73}
    for (m, df), value in printed.items():
        assert max_t_quantile(0.95, equal(m, 0.5), df) == pytest.approx(value, abs=0.006)


@PROPERTY
@given(st.floats(0.05, 6.0), st.sampled_from([1.0, 3.5, 20.0, 400.0, INF]))
def test_one_and_two_uncorrelated_statistics_have_closed_forms(c, df):
    one = 2.0 * stats.t.sf(c, df)
    assert max_t_upper(c, np.ones((1, 1)), df) == pytest.approx(one, rel=1e-9)
    assert max_t_upper(c, equal(3, 1.0), df) == pytest.approx(one, rel=1e-9)
    # for infinite df the statistics are independent
    alone = 2.0 * stats.norm.sf(c)
    for m in (2, 3, 6):
        expected = -math.expm1(m * math.log1p(-alone))
        assert max_t_upper(c, np.eye(m), INF) == pytest.approx(expected, abs=1e-9)


@PROPERTY
@given(st.floats(0.3, 5.0), st.sampled_from([2.0, 7.5, 60.0, INF]))
def test_all_pairs_of_three_are_the_studentized_range(c, df):
    # rank 2: the integral over angles against the integral over the smallest mean
    expected = range_upper(math.sqrt(2.0) * c, 3, df)
    assert max_t_upper(c, all_pairs(3), df) == pytest.approx(expected, abs=1e-9)


def test_all_pairs_of_more_are_the_studentized_range_to_the_lattice_s_error():
    for k, df in ((4, 12.0), (5, 40.0)):
        expected = range_upper(math.sqrt(2.0) * 2.6, k, df)
        assert max_t_upper(2.6, all_pairs(k), df) == pytest.approx(expected, abs=5e-5)


@pytest.mark.parametrize("df", [3.0, 25.0, INF])
def test_the_lattice_agrees_with_the_quadrature(df):
    R = one_factor(0.9, 0.6, -0.5, 0.7)
    for c in (0.5, 2.0, 3.5, 6.0):
        quadrature = max_t_upper(c, R, df)
        # the tail is right relatively too, far beyond where it is a difference from one
        lattice = max_t._by_lattice(c, R, df)
        assert lattice == pytest.approx(quadrature, rel=2e-3, abs=2e-5)


@PROPERTY
@given(st.integers(0, 2**20), st.integers(2, 5), st.sampled_from([4.0, 30.0]))
def test_the_answer_lies_between_one_test_and_bonferroni_and_falls_with_c(seed, m, df):
    factor = np.random.default_rng(seed).normal(size=(m, m + 1))
    covariance = factor @ factor.T
    sd = np.sqrt(np.diag(covariance))
    R = covariance / np.outer(sd, sd)
    tails = [max_t_upper(c, R, df) for c in (0.5, 1.0, 2.0, 3.0, 4.0)]
    assert tails == sorted(tails, reverse=True)
    for c, tail in zip((0.5, 1.0, 2.0, 3.0, 4.0), tails, strict=True):
        one = 2.0 * stats.t.sf(c, df)
        assert one - 5e-5 <= tail <= min(1.0, m * one) + 5e-5
    found = max_t_quantile(0.95, R, df)
    assert max_t_upper(found, R, df) == pytest.approx(0.05, abs=1e-6)


def test_nothing_is_random():
    max_t._log_tail.cache_clear()
    one = max_t_upper(2.1, GENERAL, 17.3)
    max_t._log_tail.cache_clear()
    np.random.default_rng(3).random()
    assert max_t_upper(2.1, GENERAL, 17.3) == one


@pytest.mark.parametrize("df", [1.0, 1.7, 5.0, 12.0, 150.0, 1e5])
def test_the_nodes_carry_the_moments_of_s(df):
    s, weights = scale_nodes(df)
    assert weights.sum() == pytest.approx(1.0, abs=1e-14)
    # E s² = 1 and E s = √(2/ν) Γ((ν+1)/2) / Γ(ν/2)
    assert weights @ s**2 == pytest.approx(1.0, abs=1e-11)
    mean = math.sqrt(2.0 / df) * math.exp(math.lgamma((df + 1) / 2) - math.lgamma(df / 2))
    assert weights @ s == pytest.approx(mean, abs=1e-9)  # lgamma loses digits at 1e5


def test_a_missing_statistic_has_no_probability():
    assert math.isnan(max_t_upper(math.nan, equal(2, 0.5), 10.0))
    assert math.isnan(max_t_quantile(0.95, equal(2, 0.5), math.nan))
    assert math.isnan(range_upper(math.nan, 3, 10.0))
    assert math.isnan(range_quantile(0.95, 3, math.nan))
