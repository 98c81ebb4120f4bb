"""Covariance parameters against PROC MIXED's listings, closed forms and the dense Hessian."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from trials import random_trial

import trialmlm as tm
from trialmlm.covariance.parameters import PARAMETERS
from trialmlm.covariance.register import FAMILIES
from trialmlm.errors import UsageError

TRIAL = random_trial(81, n_subjects=50, missing=0.2)
LISTED = ["us", "cs", "csh", "ar1", "ar1h", "toep", "toeph", "adh"]


@pytest.mark.parametrize("structure", LISTED)
@pytest.mark.parametrize("kind", ["reml", "ml"])
def test_names_and_estimates_are_those_of_the_listing(structure, kind, study_data, reference):
    stored = json.loads((reference / "mmrm" / "sas_proc_mixed_fits.json").read_text())
    wanted = f"{structure}_intercept_{kind}"
    sas = next((fit["sas"] for fit in stored if fit["id"] == wanted), None)
    if sas is None:
        pytest.skip(f"no PROC MIXED fit {wanted} among the references")
    fev = pd.read_csv(study_data / "fev_data.csv")
    visits = sas.get("class_level_order", {}).get("AVISIT", "VIS1 VIS2 VIS3 VIS4").split()
    fev["AVISIT"] = pd.Categorical(fev["AVISIT"], visits)  # a CLASS with ref= moves it to the end
    fit = tm.mmrm(f"FEV1 ~ 1 + {structure}(AVISIT | USUBJID)", fev, reml=kind == "reml")
    found = fit.covariance_parameters()
    listed = found[found["sas"] != ""].set_index("sas")["estimate"]
    assert list(listed.index) == [row["parameter"] for row in sas["covariance_parameters"]]
    printed = [row["estimate"] for row in sas["covariance_parameters"]]
    # four digits are printed, and the procedure stops early: up to 2e-3 of the small covariances
    np.testing.assert_allclose(listed, printed, rtol=2e-3, atol=6e-4)


@pytest.mark.parametrize("structure", ["adh", "ar1", "ar1h", "cs", "csh", "toeph"])
def test_groups_are_listed_one_after_the_other(structure, study_data, reference):
    stored = json.loads((reference / "mmrm" / "sas_proc_mixed_fits.json").read_text())
    (sas,) = (fit["sas"] for fit in stored if fit["id"] == f"{structure}_group_intercept_reml")
    fev = pd.read_csv(study_data / "fev_data.csv")
    fit = tm.mmrm(f"FEV1 ~ 1 + {structure}(AVISIT | ARMCD / USUBJID)", fev)
    found = fit.covariance_parameters()
    listed = found[found["sas"] != ""].assign(group="ARMCD " + found["ARMCD"])
    theirs = pd.DataFrame(sas["covariance_parameters"])
    both = theirs.merge(listed, left_on=["group", "parameter"], right_on=["group", "sas"])
    assert len(both) >= len(theirs) - 2  # the residual of AR(1) and CS may be listed otherwise
    np.testing.assert_allclose(both["estimate_y"], both["estimate_x"], rtol=3e-3, atol=6e-4)
    # the groups share no parameter: each is a fit of its own, but for the common mean
    one = tm.mmrm(f"FEV1 ~ ARMCD + {structure}(AVISIT | ARMCD / USUBJID)", fev)
    for arm in ("PBO", "TRT"):
        own = tm.mmrm(f"FEV1 ~ 1 + {structure}(AVISIT | USUBJID)", fev[fev["ARMCD"] == arm])
        both_arms = one.covariance_parameters()
        np.testing.assert_allclose(
            both_arms.loc[both_arms["ARMCD"] == arm, ["estimate", "std_error", "ci_low"]],
            own.covariance_parameters()[["estimate", "std_error", "ci_low"]],
            rtol=1e-5,
            atol=1e-7,
        )


def test_bands_that_are_zero_are_left_out():
    fit = tm.mmrm("CHG ~ AVISIT + toep(AVISIT | USUBJID, bands=2)", TRIAL.frame)
    assert fit.covariance_parameters()["sas"].tolist() == ["TOEP(2)", "Residual", ""]


def test_a_power_is_an_autoregression_and_a_range_its_logarithm():
    data = TRIAL.frame.assign(TIME=TRIAL.frame["AVISIT"].str[1:].astype(float))
    fixed = "CHG ~ BASE + ARMCD*AVISIT + "
    ar1 = tm.mmrm(fixed + "ar1(AVISIT | USUBJID)", data).covariance_parameters()
    power = tm.mmrm(fixed + "sp_pow(TIME | USUBJID)", data).covariance_parameters()
    wide = tm.mmrm(fixed + "sp_exp(TIME | USUBJID)", data).covariance_parameters()
    assert power["sas"].tolist() == ["Residual", "SP(POW)"]
    columns = ["estimate", "std_error", "ci_low", "ci_high"]
    np.testing.assert_allclose(power[columns].iloc[::-1], ar1[columns], rtol=1e-5)
    rho, error = power.loc[1, ["estimate", "std_error"]]
    theta = wide.loc[1, "estimate"]
    assert theta == pytest.approx(-1.0 / np.log(rho), rel=1e-6)
    # rho = exp(-1/theta): its standard error is rho/theta² times that of theta
    assert wide.loc[1, "std_error"] * rho / theta**2 == pytest.approx(error, rel=1e-5)


def test_ranges_are_those_of_the_listing(study_data, reference):
    stored = json.loads((reference / "mmrm" / "sas_proc_mixed_fits.json").read_text())
    fev = pd.read_csv(study_data / "fev_data.csv")
    for name in ("sp_exp", "sp_exp2", "sp_gau", "sp_gau2"):
        (fit,) = (fit for fit in stored if fit["id"] == f"{name}_intercept_reml")
        term = fit["spec"]["covariance"].replace(")", " | USUBJID)")
        found = tm.mmrm(f"FEV1 ~ 1 + {term}", fev).covariance_parameters().set_index("sas")
        for row in fit["sas"]["covariance_parameters"]:
            # five digits are printed, and it stops 1.3e-5 above in -2 log L: 0.004 of an SE
            expected = pytest.approx(row["estimate"], rel=6e-4)
            assert found.loc[row["parameter"], "estimate"] == expected


def test_loadings_and_the_factors_of_a_product_have_their_units():
    data = random_trial(86, n_subjects=90, n_visits=4, missing=0.1).frame
    level = dict(zip(sorted(data["USUBJID"].unique()), np.linspace(-3, 3, 90), strict=True))
    data = data.assign(CHG=data["CHG"] + data["USUBJID"].map(level))
    formula = "CHG ~ BASE + ARMCD*AVISIT + fa(AVISIT | USUBJID)"
    one = tm.mmrm(formula, data)
    found = one.covariance_parameters()
    assert found["sas"].tolist() == [
        *(f"FA({k},1)" for k in range(1, 5)),
        *(f"FA({k})" for k in range(1, 5)),
    ]
    loading, own = found["estimate"].to_numpy()[:4], found["estimate"].to_numpy()[4:]
    np.testing.assert_allclose(np.outer(loading, loading) + np.diag(own), one.covariance, rtol=1e-9)
    ten = tm.mmrm(formula, data.assign(CHG=10.0 * data["CHG"])).covariance_parameters()
    factor = np.where(found["kind"] == "loading", 10.0, 100.0)
    sign = np.sign(ten["estimate"][0] * found["estimate"][0])
    np.testing.assert_allclose(ten["estimate"][:4], sign * 10 * loading, rtol=1e-5)
    np.testing.assert_allclose(ten["std_error"], found["std_error"] * factor, rtol=1e-5)


def test_every_family_has_its_parameters_listed():
    assert set(PARAMETERS) == set(FAMILIES) - {"fa"}
    for name in PARAMETERS:
        make = FAMILIES[name]
        for T in (1, 2, 4):
            listed = PARAMETERS[name](T)
            own = [p for p in listed if p.sas] if name != "ad" else listed
            assert len(own) == make(T).n_parameters


def test_without_covariates_and_gaps_the_standard_errors_are_wishart_s():
    """S of n complete pairs: Var s_ij = (s_ii s_jj + s_ij²)/(n − 1), SE r = (1 − r²)/√(n − 1)."""
    frame = random_trial(82, n_subjects=30, n_visits=3, missing=0.0).frame
    fit = tm.mmrm("CHG ~ AVISIT + us(AVISIT | USUBJID)", frame)
    wide = frame.pivot_table(index="USUBJID", columns="AVISIT", values="CHG")
    S, n = wide.cov().to_numpy(), len(wide)
    found = fit.covariance_parameters(0.9).set_index("parameter")
    covariance = found.loc["covariance V3, V1"]
    assert covariance["estimate"] == pytest.approx(S[2, 0], rel=1e-8)
    error = np.sqrt((S[2, 2] * S[0, 0] + S[2, 0] ** 2) / (n - 1))
    assert covariance["std_error"] == pytest.approx(error, rel=1e-8)
    assert covariance["ci_high"] == pytest.approx(S[2, 0] + stats.norm.ppf(0.95) * error, rel=1e-8)
    variance = found.loc["variance V2"]
    assert variance["std_error"] == pytest.approx(S[1, 1] * np.sqrt(2 / (n - 1)), rel=1e-8)
    # and the χ² interval is the exact one
    assert variance["ci_low"] == pytest.approx((n - 1) * S[1, 1] / stats.chi2.ppf(0.95, n - 1))
    assert variance["ci_high"] == pytest.approx((n - 1) * S[1, 1] / stats.chi2.ppf(0.05, n - 1))
    correlation = found.loc["correlation V3, V1"]
    r = S[2, 0] / np.sqrt(S[0, 0] * S[2, 2])
    assert correlation["std_error"] == pytest.approx((1 - r**2) / np.sqrt(n - 1), rel=1e-8)
    z = np.arctanh(r) - stats.norm.ppf(0.95) / np.sqrt(n - 1)
    assert correlation["ci_low"] == pytest.approx(np.tanh(z), rel=1e-8)


def sigma(name, values, T=3):
    """Σ from the variances (or covariances) and correlations, written out by hand."""
    lag = np.abs(np.subtract.outer(np.arange(T), np.arange(T)))
    free = dict(zip("abcdef", values, strict=False))
    a, b = free["a"], free.get("b", 0.0)
    if name in ("csh", "ar1h", "toeph", "adh"):
        sd = np.sqrt(values[:T])
        R = {
            "csh": lambda r: np.where(lag, r[0], 1.0),
            "ar1h": lambda r: r[0] ** lag,
            "toeph": lambda r: np.array([1.0, *r])[lag],
            "adh": lambda r: np.array(
                [[1, r[0], r[0] * r[1]], [r[0], 1, r[1]], [r[0] * r[1], r[1], 1]]
            ),
        }[name](values[T:])
        return R * np.outer(sd, sd)
    return {
        "cs": lambda: a * np.ones((T, T)) + b * np.eye(T),
        "ar1": lambda: b * a**lag,
        "toep": lambda: np.array([values[2], a, b])[lag],
        "diag": lambda: np.diag(values),
    }[name]()


@pytest.mark.parametrize("name", ["cs", "csh", "ar1", "ar1h", "toep", "toeph", "adh", "diag"])
@pytest.mark.parametrize("reml", [True, False])
def test_standard_errors_are_those_of_the_dense_deviance(name, reml):
    """Twice the inverse of a numerical Hessian of the dense −2l, by the listing's parameters."""
    formula = f"CHG ~ BASE + SEX + ARMCD * AVISIT + {name}(AVISIT | USUBJID)"
    fit = tm.mmrm(formula, TRIAL.frame, reml=reml)
    dense = TRIAL.dense(list(fit.coding.names), reml=reml)
    found = fit.covariance_parameters()
    listed = found[found["sas"] != ""]
    values = listed["estimate"].to_numpy()
    np.testing.assert_allclose(sigma(name, values), fit.covariance, rtol=1e-8)
    size = 1e-3 * np.maximum(np.abs(values), 0.3)
    k = len(values)
    H = np.empty((k, k))
    for i in range(k):
        for j in range(k):
            total = 0.0
            for s in (1, -1):
                for t in (1, -1):
                    at = values + s * size * np.eye(k)[i] + t * size * np.eye(k)[j]
                    total += s * t * dense.deviance(sigma(name, at))
            H[i, j] = total / (4 * size[i] * size[j])
    # second differences of a deviance near 500: five digits
    np.testing.assert_allclose(
        listed["std_error"], np.sqrt(np.diag(2 * np.linalg.inv(H))), rtol=2e-4
    )


def test_units_and_confidence():
    fit = tm.mmrm(TRIAL.formula, TRIAL.frame)
    big = tm.mmrm(TRIAL.formula, TRIAL.frame.assign(CHG=TRIAL.frame["CHG"] * 1e3))
    one, two = fit.covariance_parameters(), big.covariance_parameters()
    factor = np.where(one["kind"] == "correlation", 1.0, 1e6)
    for name in ("estimate", "std_error", "ci_low", "ci_high"):
        np.testing.assert_allclose(two[name], one[name] * factor, rtol=1e-6)
    wide = fit.covariance_parameters(0.99)
    assert (wide["ci_low"] < one["ci_low"]).all()
    assert (wide["ci_high"] > one["ci_high"]).all()
    with pytest.raises(UsageError, match="between 0 and 1"):
        fit.covariance_parameters(95)
