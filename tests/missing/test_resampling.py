"""Standard errors and intervals of resampled subjects: against rbmi, scipy, and the truth."""

from __future__ import annotations

import json

import numpy as np
import pytest
from scipy import stats

from trialmlm.errors import UsageError
from trialmlm.missing.resampling import (
    bootstrap_bca,
    bootstrap_normal,
    bootstrap_percentile,
    bootstrapped_imputations,
    jackknife,
)


@pytest.mark.parametrize("strategy", ["MAR", "JR", "CR", "CIR", "LMCF"])
def test_the_jackknife_is_that_of_rbmi(reference, strategy):
    path = reference / "rbmi" / "quickstart_condmean_jackknife.json"
    everything = json.loads(path.read_text())
    facts = everything["results"][strategy]["at_reml_optimum"]["7"]["difference"]
    left = list(everything["leave_one_out_difference_visit_7"][strategy].values())
    found = jackknife(np.array([facts["est"]]), np.array(left)[:, None])
    # 1e-9: sums of the 15-digit estimates given there
    assert found.std_error[0] == pytest.approx(facts["se"], rel=1e-9)
    assert found.p_value[0] == pytest.approx(facts["p"], rel=1e-8)
    assert found.ci_low[0] == pytest.approx(facts["lower"], rel=1e-9)
    assert found.ci_high[0] == pytest.approx(facts["upper"], rel=1e-9)


def test_the_jackknife_of_a_mean_is_its_standard_error():
    x = np.random.default_rng(1).normal(size=30)
    left = (x.sum() - x) / 29
    found = jackknife(np.array([x.mean()]), left[:, None])
    assert found.std_error[0] == pytest.approx(x.std(ddof=1) / np.sqrt(30))


@pytest.fixture(scope="module")
def skewed():
    """A sample's variance, its bootstrap distribution by scipy, and its jackknife."""
    x = np.random.default_rng(2).gamma(2.0, size=40)
    how = {"method": "BCa", "n_resamples": 4999, "rng": np.random.default_rng(3)}
    theirs = stats.bootstrap((x,), np.var, **how)
    left = np.array([np.delete(x, i).var() for i in range(40)])
    return np.array([x.var()]), theirs, left[:, None]


def test_bca_limits_are_those_of_scipy(skewed):
    estimate, theirs, left = skewed
    resampled = theirs.bootstrap_distribution[:, None]
    found = bootstrap_bca(estimate, resampled, left)
    low, high = theirs.confidence_interval
    # scipy takes quantiles of type 7, here they are of type 6: neighbours among 4,999 resamples
    near = np.diff(np.quantile(resampled, [[0.005, 0.007], [0.993, 0.999]]), axis=1).max()
    assert found.ci_low[0] == pytest.approx(low, abs=near / 4)
    assert found.ci_high[0] == pytest.approx(high, abs=near / 4)
    assert found.std_error[0] == pytest.approx(theirs.standard_error)


def test_percentile_limits_are_quantiles_of_type_6(skewed):
    estimate, theirs, _ = skewed
    resampled = theirs.bootstrap_distribution[:, None]
    found = bootstrap_percentile(estimate, resampled)
    expected = np.quantile(resampled, [0.025, 0.975], method="weibull")
    np.testing.assert_allclose([found.ci_low[0], found.ci_high[0]], expected)
    shifted = bootstrap_percentile(estimate + 7, resampled + 7)
    assert shifted.ci_low[0] == pytest.approx(found.ci_low[0] + 7)


@pytest.mark.parametrize("alternative", ["two-sided", "greater", "less"])
@pytest.mark.parametrize("rule", ["percentile", "bca", "normal"])
def test_a_test_rejects_what_its_interval_leaves_out(skewed, alternative, rule):
    """At the confidence 1 - p, a limit of the interval meets the null value."""
    estimate, theirs, left = skewed
    resampled = theirs.bootstrap_distribution[:, None]
    for share in (0.03, 0.3, 0.9):
        null = float(np.quantile(resampled, share))
        how = {"null": null, "alternative": alternative}
        rules = {
            "percentile": lambda **k: bootstrap_percentile(estimate, resampled, **k),
            "bca": lambda **k: bootstrap_bca(estimate, resampled, left, **k),
            "normal": lambda **k: bootstrap_normal(estimate, resampled, **k),
        }
        p = rules[rule](**how).p_value[0]
        again = rules[rule](confidence=1 - p, **how)
        assert np.min(np.abs([again.ci_low[0] - null, again.ci_high[0] - null])) < 1e-8


def test_a_one_sided_percentile_test_points_to_where_the_effect_is_sought(skewed):
    estimate, theirs, _ = skewed
    resampled = theirs.bootstrap_distribution[:, None]
    greater = bootstrap_percentile(estimate, resampled, alternative="greater")
    less = bootstrap_percentile(estimate, resampled, alternative="less")
    # a variance is above 0: no resample is below, and 1/(B + 1) is the least that can be told
    assert greater.p_value[0] == pytest.approx(1 / 5000)
    assert less.p_value[0] == pytest.approx(4999 / 5000)
    assert np.isposinf(greater.ci_high[0])
    assert np.isneginf(less.ci_low[0])


def test_ties_share_their_rank():
    resampled = np.array([0.0, 0.0, 0.0, 1.0, 1.0])[:, None]
    found = bootstrap_percentile(np.array([0.5]), resampled, alternative="greater")
    assert found.p_value[0] == pytest.approx(2 / 6)


def test_bootstrapped_imputations_split_the_variance_as_one_way_anova_does():
    """E V = (1 + 1/B) σ²_B + σ²_W/(BM), over 4,000 sets at once."""
    rng = np.random.default_rng(4)
    B, M, sets = 30, 2, 4000
    made = rng.normal(0, 0.8, (B, 1, sets)) + rng.normal(0, 0.5, (B, M, sets))
    found = bootstrapped_imputations(made)
    variance = found.std_error**2
    expected = (1 + 1 / B) * 0.8**2 + 0.5**2 / (B * M)
    assert variance.mean() == pytest.approx(expected, abs=4 * variance.std() / np.sqrt(sets))
    # mean squares as scipy's one-way analysis of variance has their ratio
    F = stats.f_oneway(*made[:, :, 0]).statistic
    within = made[:, :, 0].var(axis=1, ddof=1).mean()
    assert variance[0] == pytest.approx((B + 1) / (B * M) * F * within - within / M)
    # Satterthwaite: 2V²/df is the variance of V
    assert (2 * expected**2 / np.median(found.df)) == pytest.approx(variance.var(), rel=0.1)


def test_bootstrapped_imputations_know_the_true_variance():
    """A mean with 40 % missing at random: V is the variance over trials, σ²/n_observed.

    Each resample is imputed from its own observed mean and variance by maximum likelihood.
    """
    rng = np.random.default_rng(5)
    trials, n, seen, B, M = 300, 50, 30, 60, 2
    found = []
    for _ in range(trials):
        y = rng.normal(size=seen)
        rows = rng.integers(n, size=(B, n))
        observed = rows < seen
        values = np.where(observed, y[np.minimum(rows, seen - 1)], np.nan)
        mean, sd = np.nanmean(values, axis=1), np.nanstd(values, axis=1)
        noise = rng.normal(size=(B, M, n)) * sd[:, None, None] + mean[:, None, None]
        filled = np.where(observed[:, None], values[:, None], noise)
        found.append(bootstrapped_imputations(filled.mean(axis=2)[:, :, None]))
    variance = np.array([one.std_error[0] ** 2 for one in found])
    estimate = np.array([one.estimate[0] for one in found])
    # the bootstrap's own variance of a mean is smaller by the share 1/n_observed, ML's again
    assert variance.mean() == pytest.approx(1 / seen, rel=0.08)
    assert estimate.var() == pytest.approx(1 / seen, rel=4 * np.sqrt(2 / trials))
    covered = np.mean([one.ci_low[0] < 0 < one.ci_high[0] for one in found])
    assert covered == pytest.approx(0.95, abs=4 * np.sqrt(0.95 * 0.05 / trials))


def test_what_cannot_be_resampled_is_refused():
    one = np.array([1.0])
    with pytest.raises(UsageError, match=r"left_out: found shape \(1, 1\), expected at least 2"):
        jackknife(one, np.ones((1, 1)))
    with pytest.raises(UsageError, match=r"resampled: found shape \(5, 2\)"):
        bootstrap_normal(one, np.ones((5, 2)))
    with pytest.raises(UsageError, match="all 5 resamples lie to one side"):
        bootstrap_bca(one, 2 * np.ones((5, 1)), np.ones((4, 1)))
    with pytest.raises(UsageError, match="1 of 3 resamples have no estimate"):
        bootstrap_percentile(one, np.array([[1.0], [np.nan], [2.0]]))
    with pytest.raises(UsageError, match="at least 2 resamples of 2 imputations"):
        bootstrapped_imputations(np.ones((5, 1, 1)))
    # resamples that agree more than chance has it: no variance is told
    negative = np.tile(np.array([-1.0, 1.0])[None, :, None], (6, 1, 1))
    assert np.isnan(bootstrapped_imputations(negative).std_error[0])
