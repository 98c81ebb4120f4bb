"""Precision of measurements, against VCA's, dense quadratic forms and exact distributions."""

from __future__ import annotations

import json
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.inference.nested import nested_anova
from trialmlm.inference.quantiles import f_quantile
from trialmlm.inference.variance_intervals import VARIANCE_INTERVALS, Combination
from trialmlm.models.lmm import lmm
from trialmlm.models.precision import precision

CASES = {
    "ep05_glucose_anova": ("ep05_glucose.csv", "result", ("day", "run")),
    "ep05_multisite_sim_anova": ("ep05_multisite_sim.csv", "y", ("site", "day")),
}


@pytest.fixture(scope="module")
def published(reference):
    return json.loads((reference / "lmm" / "ep05_vca.json").read_text())


@pytest.fixture(params=CASES, scope="module")
def case(request, study_data, published):
    name, value, nested = CASES[request.param]
    found = precision(pd.read_csv(study_data / name), value, nested, interval="wald")
    return found, published[request.param]


def test_the_table_is_vca_s(case):
    found, theirs = case
    table = found.frame.set_index("component")
    values = dict(zip(theirs["table"]["rows"], theirs["table"]["values"], strict=True))
    assert found.mean == pytest.approx(theirs["mean"], rel=1e-12)
    for name, (df, _, _, variance, percent, sd, cv) in values.items():
        own = table.loc[name, ["variance", "percent", "sd", "cv"]].astype(float)
        # VCA sweeps, and loses a few digits of the smallest component
        np.testing.assert_allclose(own, [variance, percent, sd, cv], rtol=1e-10)
        if name in {"total", "error"}:  # for the others VCA gives the mean square's
            assert table.loc[name, "df"] == pytest.approx(df, rel=1e-10)
    squares = found.mean_squares.set_index("component")
    for name, (df, sum_sq, mean_sq, *_) in list(values.items())[1:]:
        own = squares.loc[name, ["df", "sum_sq", "mean_sq"]].astype(float)
        np.testing.assert_allclose(own, [df, sum_sq, mean_sq], rtol=1e-11)


def test_the_covariance_of_the_components_and_their_wald_intervals_are_vca_s(case):
    found, theirs = case
    ours = found.anova.covariance(found.anova.variances)
    # 1e-14: entries that are zero in exact arithmetic
    np.testing.assert_allclose(ours, theirs["var_vc"]["values"], rtol=1e-9, atol=1e-14)
    table, limits = found.frame.set_index("component"), theirs["ci_sd"]["TwoSided"]
    for k, name in enumerate(limits["rows"]):
        if name != "total":
            own = table.loc[name, ["sd_low", "sd_high"]].astype(float)
            np.testing.assert_allclose(own, [limits["LCL"][k], limits["UCL"][k]], rtol=1e-9)


@pytest.mark.parametrize("name", CASES)
def test_the_total_s_interval_is_satterthwaite_s_as_in_ep05(study_data, published, name):
    file, value, nested = CASES[name]
    row = precision(pd.read_csv(study_data / file), value, nested).frame.iloc[0]
    limits, cv = published[name]["ci_sd"]["TwoSided"], published[name]["ci_cv_two_sided"]
    assert row["sd_low"] == pytest.approx(limits["LCL"][0], rel=1e-10)
    assert row["sd_high"] == pytest.approx(limits["UCL"][0], rel=1e-10)
    assert row["cv_low"] == pytest.approx(cv["LCL"][0], rel=1e-10)
    assert row["cv_high"] == pytest.approx(cv["UCL"][0], rel=1e-10)


def unbalanced(seed: int) -> tuple[np.ndarray, list[np.ndarray], pd.DataFrame]:
    rng = np.random.default_rng(seed)
    rows = [
        (a, b)
        for a in range(5)
        for b in range(rng.integers(1, 4))
        for _ in range(rng.integers(1, 5))
    ]
    codes = np.array(rows)
    y = 5 + rng.normal(size=5)[codes[:, 0]] + rng.normal(size=len(rows))
    frame = pd.DataFrame({"a": codes[:, 0].astype(str), "b": codes[:, 1].astype(str), "y": y})
    return y, [codes[:, 0], codes[:, 1]], frame


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_expectations_and_covariances_of_unbalanced_data_are_those_of_the_quadratic_forms(seed):
    y, factors, _ = unbalanced(seed)
    found = nested_anova(y, factors)
    pair = factors[0] * 100 + factors[1]
    Z = [np.equal.outer(code, np.unique(code)).astype(float) for code in (factors[0], pair)]
    Z.append(np.eye(y.size))
    P = [np.full((y.size, y.size), 1.0 / y.size), *(z @ np.linalg.pinv(z) for z in Z)]
    A = [after - before for before, after in pairwise(P)]
    expectation = [[np.trace(a @ z @ z.T) for z in Z] for a in A]
    np.testing.assert_allclose(found.sum_sq, [y @ a @ y for a in A], rtol=1e-10)
    np.testing.assert_allclose(found.expectation, expectation, rtol=1e-10, atol=1e-10)
    sigma2 = np.array([2.0, 0.5, 1.5])
    V = sum(s * z @ z.T for s, z in zip(sigma2, Z, strict=True))
    spread = np.array([[2 * np.trace(a @ V @ b @ V) for b in A] for a in A])
    back = np.linalg.inv(expectation)
    np.testing.assert_allclose(found.covariance(sigma2), back @ spread @ back.T, rtol=1e-9)
    assert not found.balanced


def test_balanced_components_are_the_reml_estimates_of_the_mixed_model():
    rng = np.random.default_rng(5)
    a = np.repeat(np.arange(12), 4)
    data = pd.DataFrame({"batch": a.astype(str), "y": 2 * rng.normal(size=12)[a]})
    data["y"] += rng.normal(size=48)
    frame = precision(data, "y", "batch").frame.set_index("component")
    fit = lmm("y ~ 1 + (1 | batch)", data).variance_components()
    # the fit reaches its optimum to about 1e-9 standard errors
    np.testing.assert_allclose(
        frame.loc[["batch", "error"], "variance"], fit["variance"], rtol=1e-6
    )


def test_a_negative_estimate_is_set_to_zero_and_said_so():
    y = [1.0, -1.0, 1.1, -1.1, 0.9, -0.9, 1.05, -1.05]
    found = precision(pd.DataFrame({"batch": list("aabbccdd"), "y": y}), "y", "batch")
    table = found.frame.set_index("component")
    assert table.loc["batch", "variance"] == 0.0
    assert np.isnan(table.loc["batch", "df"])
    assert table.loc["total", "variance"] == table.loc["error", "variance"]
    assert found.notes[0].startswith("the variance of batch was estimated as -1.0")


def test_rows_without_a_value_are_counted():
    _, _, data = unbalanced(4)
    data.loc[[1, 2], "y"] = np.nan
    found = precision(data, "y", ("a", "b"))
    assert found.notes[0] == f"2 of {len(data)} rows not used: y missing in 2"


def difference(F: float) -> Combination:
    """MS_1 − MS_2 on 6 and 14 degrees of freedom, with this ratio."""
    return Combination(np.array([1.0, -1.0]), np.array([F, 1.0]), np.array([6, 14]), 1.0)


def test_the_modified_large_sample_interval_of_a_difference_turns_positive_with_its_f_test():
    critical = f_quantile(0.975, 6, 14)
    low = VARIANCE_INTERVALS["mls"]
    assert low(difference(critical), 0.05)[0] == pytest.approx(0.0, abs=1e-12)
    assert low(difference(1.01 * critical), 0.05)[0] > 0.0
    opposite = f_quantile(0.025, 6, 14)
    assert low(difference(opposite), 0.05)[1] == pytest.approx(0.0, abs=1e-12)


def test_every_interval_of_one_mean_square_is_the_chi_squared_s():
    one = Combination(np.array([0.5, 0.0]), np.array([8.0, 3.0]), np.array([10, 4]), 3.2)
    low, high = (10 * 4.0 / q for q in (20.48317735, 3.246972780))  # χ² on 10 df, printed tables
    for name, interval in VARIANCE_INTERVALS.items():
        assert interval(one, 0.05) == pytest.approx((low, high), rel=1e-8), name


def test_intervals_cover_as_often_as_they_say():
    # 20 days × 2 runs × 2 with variances 2, 3, 8, as the glucose experiment; mean squares are
    # independent χ²
    rng = np.random.default_rng(11)
    df, expected = np.array([19, 20, 40]), np.array([22.0, 14.0, 8.0])
    total, day, run = (
        np.array([0.25, 0.25, 0.5]),
        np.array([0.25, -0.25, 0]),
        np.array([0, 0.5, -0.5]),
    )
    truth = {"total": (total, 13.0), "day": (day, 2.0), "run": (run, 3.0)}
    draws = expected * rng.chisquare(df, size=(1500, 3)) / df
    hits = dict.fromkeys(truth, 0)
    for mean_sq in draws:
        for name, (c, true) in truth.items():
            of = Combination(c, mean_sq, df, float((2 * (c * mean_sq) ** 2 / df).sum()))
            low, high = VARIANCE_INTERVALS["mls"](of, 0.05)
            hits[name] += low <= true <= high
    for name, count in hits.items():
        # 0.0056 is the Monte Carlo error; the method is known to keep within 0.94 to 0.98
        assert 0.935 < count / 1500 < 0.985, name


def test_what_makes_no_sense_is_refused():
    _, _, data = unbalanced(1)
    with pytest.raises(NotAvailableError, match="balanced"):
        precision(data, "y", ("a", "b"), interval="mls")
    with pytest.raises(UsageError, match="found 'kr', expected one of satterthwaite, wald, mls"):
        precision(data, "y", "a", interval="kr")
    with pytest.raises(FitError, match="one level in each group"):
        precision(data.assign(c=data["a"]), "y", ("a", "c"))
    with pytest.raises(FitError, match="no replicates"):
        precision(data.assign(c=np.arange(len(data)).astype(str)), "y", ("a", "c"))
    with pytest.raises(FitError, match="y is the same in all rows"):
        precision(data.assign(y=1.0), "y", ("a", "b"))
    with pytest.raises(UsageError, match="names no factor"):
        precision(data, "y", ())
