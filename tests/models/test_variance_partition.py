"""Shares of variance, variance explained: closed forms, the oracle, other programs' numbers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from dense_clusters import DenseClusters

from trialmlm.errors import UsageError
from trialmlm.models.levels import component_covariance, levels_of
from trialmlm.models.lmm import lmm
from trialmlm.models.variance_partition import variance_partition

FACTS = Path(__file__).parents[2] / "validation" / "multilevel" / "facts.json"


def components(**variances: float) -> pd.DataFrame:
    """Random intercepts of groups, and the residual."""
    rows = [
        (
            name.replace("__", ":"),
            "" if name == "Residual" else "(Intercept)",
            "",
            value,
            value**0.5,
        )
        for name, value in variances.items()
    ]
    return pd.DataFrame(rows, columns=["group", "term", "term_2", "variance", "sd"])


def one_way(seed: int, n: int, k: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    y = rng.normal(size=(n, 1)) + rng.normal(size=(n, k))
    return pd.DataFrame({"id": np.repeat(np.arange(n), k).astype(str), "y": y.ravel()})


def test_28_between_and_52_within_give_35_percent():
    found = variance_partition(components(site=28.0, Residual=52.0), np.eye(2))
    assert found["icc"][0] == pytest.approx(0.35)
    assert found["share"].tolist() == pytest.approx([0.35, 0.65])


def test_three_levels_of_schools_have_the_published_partition(reference):
    published = json.loads((reference / "lmm" / "lmm_chem97_three_level.json").read_text())
    for case in published.values():
        if not isinstance(case, dict):
            continue
        vpc = case["vpc"]
        own = {"lea": vpc["variance"]["lea"], "lea__school": vpc["variance"]["school"]}
        found = variance_partition(
            components(**own, Residual=vpc["variance"]["Residual"]),
            np.eye(3) * 1e-6,
            outer={"lea:school": ["lea"]},
        ).set_index("group")
        assert found.loc["lea", "share"] == pytest.approx(vpc["vpc"]["lea"], rel=1e-12)
        assert found.loc["lea:school", "share"] == pytest.approx(vpc["vpc"]["school"], rel=1e-12)
        # two pupils of a school are of the same authority too
        assert found.loc["lea:school", "icc"] == pytest.approx(vpc["icc_same_school"], rel=1e-12)
        assert found.loc["lea", "icc"] == pytest.approx(vpc["icc_same_lea"], rel=1e-12)


@pytest.mark.parametrize("formula", ["(1 | batch/cask)", "(1 | sample) + (1 | batch)"])
def test_a_nested_factor_is_known_by_its_rows_whatever_it_is_called(study_data, formula):
    data = pd.read_csv(study_data / "pastes.csv")
    found = lmm(f"strength ~ 1 + {formula}", data).icc().set_index("group")
    inner = "batch:cask" if "/" in formula else "sample"
    total = found["variance"].sum()
    own, batch = found.loc[inner, "variance"], found.loc["batch", "variance"]
    assert found.loc[inner, "icc"] == pytest.approx((own + batch) / total)
    assert found.loc["batch", "icc"] == pytest.approx(batch / total)
    assert found.loc[inner, "share"] == pytest.approx(own / total)


def test_crossed_factors_do_not_hold_each_other(study_data):
    data = pd.read_csv(study_data / "penicillin.csv")
    found = lmm("diameter ~ 1 + (1 | plate) + (1 | sample)", data).icc()
    np.testing.assert_allclose(found["icc"][:2], found["share"][:2])


def test_pupils_of_schools_of_authorities(study_data, reference):
    published = json.loads((reference / "lmm" / "lmm_chem97_three_level.json").read_text())
    data = pd.read_csv(study_data / "chem97.csv")
    found = lmm("score ~ 1 + (1 | school) + (1 | lea)", data).icc().set_index("group")
    vpc = published["null"]["vpc"]
    # variance parameters 1e-4 relative; the smallest is 1 % of the whole
    for group, share in vpc["vpc"].items():
        assert found.loc[group, "share"] == pytest.approx(share, rel=1e-4)
    assert found.loc["school", "icc"] == pytest.approx(vpc["icc_same_school"], rel=1e-4)


def test_the_components_of_precision_are_those_of_the_mixed_model(study_data, reference):
    published = json.loads((reference / "lmm" / "ep05_vca.json").read_text())
    data = pd.read_csv(study_data / "ep05_glucose.csv")
    fit = lmm("result ~ 1 + (1 | day/run)", data)
    table = dict(
        zip(*(published["ep05_glucose_reml"]["table"][k] for k in ("rows", "values")), strict=True)
    )
    variances = fit.variance_components()["variance"]
    expected = [table[name][1] for name in ("day", "day:run", "error")]
    # VCA's REML stops at 1e-7 of the optimum, relative
    np.testing.assert_allclose(variances, expected, rtol=1e-6)
    spread = published["ep05_glucose_reml"]["var_vc"]["values"]
    np.testing.assert_allclose(component_covariance(fit, "expected"), spread, rtol=1e-5, atol=1e-6)


def test_the_standard_error_of_a_balanced_one_way_model_has_a_closed_form():
    n, k = 12, 4
    row = lmm("y ~ 1 + (1 | id)", one_way(1, n, k)).icc().iloc[0]
    rho = row["icc"]
    # delta method on independent mean squares with n − 1 and n(k − 1) degrees of freedom
    spread = 1.0 / (n - 1) + 1.0 / (n * (k - 1))
    error = (1 - rho) * (1 + (k - 1) * rho) / k * np.sqrt(2.0 * spread)
    assert row["std_error"] == pytest.approx(error, rel=1e-6)
    logit = np.log(row["icc_high"] / (1 - row["icc_high"]))
    half = 1.959963984540054 * error / (rho * (1 - rho))
    assert logit == pytest.approx(np.log(rho / (1 - rho)) + half, rel=1e-6)


def test_the_covariance_of_the_components_is_twice_the_inverse_hessian_of_the_oracle():
    rng = np.random.default_rng(3)
    n, t = 30, np.array([0.0, 1.0, 2.5, 4.0])
    b = rng.normal(size=(n, 2)) * [2.0, 1.0]
    y = 5 + b[:, :1] + (1 + b[:, 1:]) * t + rng.normal(size=(n, 4))
    data = pd.DataFrame(
        {"id": np.repeat(np.arange(n), 4).astype(str), "t": np.tile(t, n), "y": y.ravel()}
    )
    fit = lmm("y ~ t + (1 + t | id)", data)
    (level,) = levels_of(fit)
    X = np.column_stack([np.ones(4 * n), data["t"]])
    codes = np.repeat(np.arange(n), 4)
    dense = DenseClusters(X, X, data["y"].to_numpy(), codes, np.zeros(4 * n, dtype=int), True)
    hessian = dense.hessian(level.G, fit.residual_variances.to_numpy())
    expected = 2.0 * np.linalg.inv(hessian)  # of G11, G21, G22, σ²
    order = [0, 2, 1, 3]  # the table has variances first
    # the optimum is reached to about 1e-9 standard errors, which the Hessian amplifies
    np.testing.assert_allclose(
        component_covariance(fit), expected[np.ix_(order, order)], rtol=1e-5, atol=1e-7
    )


def test_slopes_move_the_share_with_the_value_of_their_column():
    rng = np.random.default_rng(4)
    t = np.tile(np.arange(5.0), 20)
    who = np.repeat(np.arange(20), 5)
    b = rng.normal(size=(20, 2)) * [1.0, 1.0]
    data = pd.DataFrame({"id": who.astype(str), "t": t})
    data["y"] = b[who, 0] + b[who, 1] * t + rng.normal(size=100)
    fit = lmm("y ~ t + (1 + t | id)", data)
    (level,) = levels_of(fit)
    between = np.array([1.0, 3.0]) @ level.G @ np.array([1.0, 3.0])
    row = fit.icc(at={"t": 3.0}).iloc[0]
    assert row["variance"] == pytest.approx(between)
    assert row["icc"] == pytest.approx(between / (between + fit.residual_variances.iloc[0]))
    with pytest.raises(UsageError, match="at: age is not a random slope of the model; they are: t"):
        fit.icc(at={"age": 1.0})


def test_several_residual_variances_need_a_choice():
    rng = np.random.default_rng(5)
    data = one_way(6, 25, 3).assign(visit=np.tile(["V1", "V2", "V3"], 25))
    data["y"] += 0.3 * rng.normal(size=75)
    fit = lmm("y ~ visit + (1 | id) + diag(visit | id)", data)
    with pytest.raises(UsageError, match="name one of V1, V2, V3"):
        fit.icc()
    between, *residual = fit.variance_components()["variance"]
    found = fit.icc(residual="V2")
    assert found["icc"][0] == pytest.approx(between / (between + residual[1]))


def test_a_share_of_zero_has_no_interval():
    y = [1.0, -1.0, 1.1, -1.1, 0.9, -0.9, 1.05, -1.05]
    row = lmm("y ~ 1 + (1 | id)", pd.DataFrame({"id": list("aabbccdd"), "y": y})).icc().iloc[0]
    assert np.isnan(row[["std_error", "icc_low", "icc_high"]].astype(float)).all()


def test_the_schools_intraclass_correlation_and_its_interval(study_data, reference):
    data = pd.read_csv(study_data / "exam.csv")
    row = lmm("normexam ~ 1 + (1 | school)", data, reml=False).icc().iloc[0]
    published = json.loads((reference / "lmm" / "lmm_exam_null.json").read_text())
    between = published["ml"]["varcomp"]["school"]["sd"] ** 2
    residual = published["ml"]["varcomp"]["Residual"]["sd"] ** 2
    assert row["icc"] == pytest.approx(between / (between + residual), rel=1e-5)
    profile = published["profile_ci_ML_95"]
    ends = [profile[end][0] ** 2 / (profile[end][0] ** 2 + residual) for end in ("lower", "upper")]
    # σ is known to 1 %, so the profile interval of the school's SD gives the correlation's;
    # a delta interval is not a likelihood's: they differ by a tenth of their width
    np.testing.assert_allclose(row[["icc_low", "icc_high"]].astype(float), ends, atol=0.012)


R_SQUARED = {
    "sleepstudy_slope": ("sleepstudy.csv", "Reaction ~ Days + (Days | Subject)"),
    "sleepstudy_intercept": ("sleepstudy.csv", "Reaction ~ Days + (1 | Subject)"),
    "orthodont_slope": ("orthodont.csv", "distance ~ age_c * Sex + (age_c | Subject)"),
    "exam_value_added": ("exam.csv", "normexam ~ standLRT + (1 | school)"),
}


@pytest.mark.parametrize("name", R_SQUARED)
def test_variance_explained_is_that_of_r_s_performance(study_data, name):
    facts = json.loads(FACTS.read_text(encoding="utf-8"))
    file, formula = R_SQUARED[name]
    data = pd.read_csv(study_data / file)
    if "age" in data:
        data["age_c"] = data["age"] - 11
    fit = lmm(formula, data)
    found = fit.r_squared().set_index("quantity")["r_squared"]
    theirs = facts["r2_nakagawa"][name]
    # lme4 as it comes stops at 1e-6 of the optimum, relative
    assert found["marginal"] == pytest.approx(theirs["marginal"], rel=1e-5)
    assert found["conditional"] == pytest.approx(theirs["conditional"], rel=1e-5)
    assert found["conditional"] + found["Residual"] == pytest.approx(1.0)
    adjusted = facts["icc"][name]["adjusted"]
    random = found["conditional"] - found["marginal"]
    assert random / (1.0 - found["marginal"]) == pytest.approx(adjusted, rel=1e-5)
