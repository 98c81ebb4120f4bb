"""Rubin's rules: against mice's numbers, their limits, and each imputation left out in turn."""

from __future__ import annotations

import json

import numpy as np
import pytest

from trialmlm.errors import UsageError
from trialmlm.missing.hypothesis_tests import t_tests
from trialmlm.missing.joint_test import joint_test
from trialmlm.missing.pooling import monte_carlo_errors, rubin


@pytest.fixture(scope="module")
def facts(reference):
    return json.loads((reference / "rbmi" / "mi_ancova_rubin.json").read_text())


def columns(case):
    return (np.array(case[name], dtype=float)[:, None] for name in ("estimates", "ses"))


#: name in the reference -> name here
NAMES = {"ubar": "within", "b": "between", "total": "total", "lambda": "lost", "riv": "riv",
         "est": "estimate", "se": "std_error", "df": "df", "fmi": "fmi"}  # fmt: skip
TESTS = {"t": "statistic", "p": "p_value", "lower": "ci_low", "upper": "ci_high"}


@pytest.mark.parametrize("visit", ["4", "5", "6", "7"])
@pytest.mark.parametrize("quantity", ["difference", "lsmean_PLACEBO", "lsmean_DRUG"])
def test_every_visit_is_pooled_as_mice_pools_it(facts, visit, quantity):
    case = facts["by_visit"][visit][quantity]
    expected = case["pooled"]
    found = rubin(*columns(case), df_complete=169)
    tested = found.tested()
    # 1e-9: the reference has 15 digits, and pooling is sums and quotients
    for theirs, ours in NAMES.items():
        if expected[theirs] is not None:
            assert getattr(found, ours)[0] == pytest.approx(expected[theirs], rel=1e-9), theirs
    for theirs, ours in TESTS.items():
        if expected.get(theirs) is not None:
            assert getattr(tested, ours)[0] == pytest.approx(expected[theirs], rel=1e-9), theirs
    large = rubin(*columns(case), df_complete=169, rule="rubin-1987")
    assert large.fmi[0] == pytest.approx(expected["fmi_rubin_1987_df"], rel=1e-9)
    if expected["b"] == 0:
        # nothing is missing at visit 4: no information is lost, the df are those observed
        assert found.df[0] == pytest.approx(expected["df_observed"], rel=1e-9)
        assert np.isinf(large.df[0])
        assert (found.fmi[0], found.relative_efficiency[0]) == (0, 1)
    else:
        assert large.df[0] == pytest.approx(expected["df_rubin_1987"], rel=1e-9)


@pytest.mark.parametrize("name", ["no_between_variance", "infinite_complete_df", "two_imputations"])
def test_an_edge_is_pooled_as_mice_pools_it(facts, name):
    case = facts["pooling_edge_cases"][name]
    complete = np.inf if case["df_complete"] is None else case["df_complete"]
    found = rubin(*columns(case), df_complete=complete)
    tested = found.tested()
    for theirs, value in case["pooled"].items():
        here = found if theirs in NAMES else tested
        ours = {**NAMES, **TESTS}[theirs]
        assert getattr(here, ours)[0] == pytest.approx(value, rel=1e-9), theirs


def test_one_imputation_has_an_estimate_and_no_standard_error():
    found = rubin(np.array([[1.0, 2.0]]), np.array([[0.5, 0.5]]), df_complete=20)
    assert found.estimate.tolist() == [1, 2]
    assert np.isnan(found.std_error).all()
    assert np.isnan(found.tested().p_value).all()
    error = monte_carlo_errors(np.array([[1.0]]), np.array([[0.5]]))
    assert np.isnan([error.estimate[0], error.std_error[0], error.p_value[0]]).all()


@pytest.fixture(scope="module")
def many():
    rng = np.random.default_rng(1)
    return rng.normal([1.0, -3.0, 0.2], [0.3, 0.5, 0.0], (12, 3)), rng.uniform(0.8, 1.2, (12, 3))


def test_df_that_differ_between_imputations_count_by_their_mean(many):
    df = np.random.default_rng(2).uniform(30, 60, (12, 3))
    varying = rubin(*many, df_complete=df).df
    np.testing.assert_allclose(varying, rubin(*many, df_complete=df.mean(axis=0)).df)


@pytest.mark.parametrize("rule", ["barnard-rubin", "rubin-1987"])
@pytest.mark.parametrize("df", [np.inf, 40.0, "varying"])
def test_monte_carlo_errors_are_those_of_leaving_out_each_imputation(many, rule, df):
    estimates, errors = many
    complete = np.random.default_rng(2).uniform(30, 60, (12, 3)) if df == "varying" else df
    found = monte_carlo_errors(estimates, errors, df_complete=complete, rule=rule)
    left = []
    for m in range(12):
        own = np.delete(complete, m, axis=0) if df == "varying" else complete
        one = rubin(np.delete(estimates, m, 0), np.delete(errors, m, 0), df_complete=own, rule=rule)
        left.append([one.estimate, one.std_error, one.df, one.tested().p_value])
    with np.errstate(invalid="ignore"):
        each = np.array(left)
        expected = np.sqrt(11 / 12 * ((each - each.mean(axis=0)) ** 2).sum(axis=0))
    # df of the third quantity, which does not vary, may be infinite: they do not vary either
    expected = np.where((each == each[0]).all(axis=0) | np.isnan(expected), 0.0, expected)
    names = ("estimate", "std_error", "df", "p_value")
    for ours, theirs in zip((getattr(found, name) for name in names), expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-8, atol=1e-12)


def test_a_monte_carlo_error_tells_how_sets_of_imputations_differ():
    """Over 2,000 sets of 40 imputations, pooled SEs vary by what one set says of itself."""
    rng = np.random.default_rng(3)
    sets = rng.normal(0, 1, (40, 2000))
    found = monte_carlo_errors(sets, np.ones((40, 2000)))
    pooled = rubin(sets, np.ones((40, 2000)))
    # the jackknife of a variance is right on average to about 1/M
    for name in ("estimate", "std_error"):
        spread = getattr(pooled, name).std()
        assert np.sqrt((getattr(found, name) ** 2).mean()) == pytest.approx(spread, rel=0.08)


def test_a_one_sided_test_points_to_where_the_effect_is_sought():
    estimate, error, df = np.array([-2.0]), np.array([1.0]), np.array([20.0])
    two, less, greater = (
        t_tests(estimate, error, df, alternative=name) for name in ("two-sided", "less", "greater")
    )
    assert less.p_value[0] == pytest.approx(two.p_value[0] / 2)
    assert less.p_value[0] + greater.p_value[0] == pytest.approx(1)
    # the interval of "less" has an upper limit only; it excludes 0 where p < 0.05
    assert np.isneginf(less.ci_low[0])
    assert less.ci_high[0] < 0 < greater.ci_high[0]
    assert np.isposinf(greater.ci_high[0])
    touching = t_tests(estimate, error, df, null=less.ci_high[0], alternative="less")
    assert touching.p_value[0] == pytest.approx(0.05)
    touching = t_tests(estimate, error, df, null=greater.ci_low[0], alternative="greater")
    assert touching.p_value[0] == pytest.approx(0.05)


def test_wrong_arguments_are_refused(many):
    with pytest.raises(UsageError, match="rule: found 'mice', expected one of barnard-rubin"):
        rubin(*many, rule="mice")
    with pytest.raises(UsageError, match=r"found estimates \(12, 3\) and standard errors \(11, 3"):
        rubin(many[0], many[1][1:])
    with pytest.raises(UsageError, match="at least one imputation"):
        rubin(np.zeros((0, 2)), np.zeros((0, 2)))
    with pytest.raises(UsageError, match="alternative: found 'lower', expected one of two-sided"):
        rubin(*many).tested(alternative="lower")
    with pytest.raises(UsageError, match="confidence: found 95"):
        rubin(*many).tested(confidence=95)


def arms(M, k, riv, seed):
    """Estimates of k contrasts of which a share riv/(1 + riv) of the information is missing."""
    rng = np.random.default_rng(seed)
    centre = rng.normal(0, np.sqrt(1 + riv), k)
    return centre + rng.normal(0, np.sqrt(riv), (M, k)), np.broadcast_to(np.eye(k), (M, k, k))


def test_a_joint_test_of_one_quantity_is_its_squared_t():
    estimates, covariances = arms(8, 1, 0.3, seed=4)
    one = rubin(estimates, np.sqrt(covariances[:, 0]))
    found = joint_test(estimates, covariances)
    assert found.statistic == pytest.approx(one.tested().statistic[0] ** 2)
    assert found.riv == pytest.approx(one.riv[0])


def test_a_joint_test_does_not_depend_on_the_contrasts_that_span_it():
    estimates, covariances = arms(8, 3, 0.3, seed=5)
    mixed = np.random.default_rng(6).normal(size=(3, 3))
    other = joint_test(estimates @ mixed.T, mixed @ covariances @ mixed.T, df_complete=90)
    found = joint_test(estimates, covariances, df_complete=90)
    assert other.statistic == pytest.approx(found.statistic)
    assert other.p_value == pytest.approx(found.p_value)


def test_df_of_a_joint_test_reach_their_known_limits():
    estimates, covariances = arms(10, 2, 0.4, seed=7)
    large = joint_test(estimates, covariances)
    t, r = 18, large.riv
    # Li, Raghunathan and Rubin (1991), eq. 1.17, which Reiter (2007) tends to
    assert large.den_df == pytest.approx(4 + 14 * (1 + (1 - 2 / t) / r) ** 2)
    assert joint_test(estimates, covariances, df_complete=1e9).den_df == pytest.approx(
        large.den_df, rel=1e-6
    )
    # nothing missing: what is observed of the complete df, (ν + 1)/(ν + 3) ν
    same = np.broadcast_to(estimates[:1], estimates.shape)
    assert joint_test(same, covariances, df_complete=50).den_df == pytest.approx(51 / 53 * 50)
    assert np.isinf(joint_test(same, covariances).den_df)
    few = joint_test(*arms(2, 3, 0.4, seed=8))
    assert few.den_df == pytest.approx(3 * (1 + 1 / 3) * (1 + 1 / few.riv) ** 2 / 2)
    assert joint_test(*arms(40, 2, 9.0, seed=9), df_complete=20).den_df >= 4


def test_a_joint_test_keeps_its_size():
    """5 % of 4,000 tests of true hypotheses; one MC error is 0.34 %, D1's own fault below 0.5 %."""
    rejected = [joint_test(*arms(5, 2, 0.5, seed)).p_value < 0.05 for seed in range(4000)]
    assert np.mean(rejected) == pytest.approx(0.05, abs=4 * 0.0034 + 0.005)


def test_a_joint_test_needs_imputations():
    with pytest.raises(UsageError, match="at least 2 imputations"):
        joint_test(*arms(1, 2, 0.5, seed=1))
