"""Likelihood-ratio tests, information criteria, and which fits may be compared."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from trials import random_trial

import trialmlm as tm
from trialmlm.errors import UsageError

FRAME = random_trial(17, n_subjects=60, missing=0.1).frame
FIXED = "BASE + ARMCD*AVISIT"


def fit(fixed: str = FIXED, structure: str = "us", frame: pd.DataFrame = FRAME, **options):
    return tm.mmrm(f"CHG ~ {fixed} + {structure}(AVISIT | USUBJID)", frame, **options)


def test_a_covariance_structure_against_the_unstructured():
    small, large = fit(structure="cs"), fit()
    table = tm.likelihood_ratio(large, small)  # in either order
    assert table["formula"].tolist() == [small.formula, large.formula]
    statistic = small.minus2_loglik - large.minus2_loglik
    row = table.iloc[1]
    assert row["statistic"] == pytest.approx(statistic, rel=1e-12)
    assert (row["parameters"], row["df"]) == (6 + 7, 4.0)
    assert row["p_value"] == pytest.approx(stats.chi2.sf(statistic, 4), rel=1e-10)
    assert np.isnan(table.loc[0, "statistic"])


def test_a_fixed_effect_by_ml_against_least_squares():
    one = FRAME[FRAME["AVISIT"] == "V1"]
    twin = pd.concat([one, one.assign(AVISIT="V2")], ignore_index=True)
    rng = np.random.default_rng(4)
    twin["CHG"] = twin["BASE"] * 0.1 + rng.normal(size=len(twin))
    fits = [fit(fixed, "diag", twin, reml=False) for fixed in ("BASE", "BASE + ARMCD")]
    table = tm.likelihood_ratio(*fits)
    expected = _diagonal_ml(twin, "BASE") - _diagonal_ml(twin, "BASE + ARMCD")
    assert table.loc[1, "df"] == 1.0
    assert table.loc[1, "statistic"] == pytest.approx(expected, abs=1e-7)
    assert table.loc[1, "p_value"] == pytest.approx(stats.chi2.sf(expected, 1), rel=1e-6)


def _diagonal_ml(frame: pd.DataFrame, fixed: str) -> float:
    """−2l by iterated weighted least squares, a variance per visit."""
    columns = [np.ones(len(frame)), frame["BASE"]]
    if "ARMCD" in fixed:
        columns.append(frame["ARMCD"] == "B")
    X, y = np.column_stack(columns).astype(float), frame["CHG"].to_numpy()
    late = (frame["AVISIT"] == "V2").to_numpy()
    variance = np.ones(len(y))
    for _ in range(500):
        w = 1.0 / np.sqrt(variance)
        r = y - X @ np.linalg.lstsq(X * w[:, None], y * w)[0]
        variance = np.where(late, (r[late] ** 2).mean(), (r[~late] ** 2).mean())
    return float((np.log(2 * np.pi * variance) + r**2 / variance).sum())


def test_the_coding_of_ml_fits_and_the_order_of_rows_do_not_matter():
    shuffled = FRAME.sample(frac=1.0, random_state=5)
    one = tm.likelihood_ratio(fit(reml=False), fit("BASE + ARMCD + AVISIT", reml=False))
    coded = fit("C(ARMCD, Sum) + BASE + AVISIT", frame=shuffled, reml=False)
    two = tm.likelihood_ratio(fit(reml=False), coded)
    numbers = ["minus2_loglik", "parameters", "statistic", "df", "p_value"]
    pd.testing.assert_frame_equal(one[numbers], two[numbers], rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: (fit(), fit("BASE")), "fixed effects differ"),
        (lambda: (fit(), fit("BASE + C(ARMCD, Sum)*AVISIT", "cs")), "coded differently"),
        (lambda: (fit(), fit(structure="cs", reml=False)), "one fit is by REML"),
        (lambda: (fit(), fit(structure="cs", frame=FRAME.iloc[3:])), "different rows"),
        (
            lambda: (fit(), fit(structure="cs", frame=FRAME.assign(CHG=FRAME["CHG"] + 1.0))),
            "responses of the fits differ",
        ),
        (
            lambda: (
                fit(),
                fit(structure="cs", frame=FRAME.assign(USUBJID="x" + FRAME["USUBJID"].str[::-1])),
            ),
            "different rows, or tell subjects apart",
        ),
        (lambda: (fit(structure="cs"), fit(structure="ar1")), "neither is nested"),
        (
            lambda: (fit("BASE + ARMCD", reml=False), fit("PULSE", "cs", reml=False)),
            "that the larger has not",
        ),
    ],
)
def test_fits_that_cannot_be_compared_are_refused(make, message):
    with pytest.raises(UsageError, match=message):
        tm.likelihood_ratio(*make())


def test_a_table_of_structures():
    names = ("us", "toeph", "cs")
    fits = [fit(structure=name) for name in names]
    table = tm.compare(*fits)
    assert table["structure"].tolist() == [f"{name}(AVISIT | USUBJID)" for name in names]
    assert table["parameters"].tolist() == [6, 5, 2]
    for row, one in zip(table.itertuples(), fits, strict=True):
        assert (row.aic, row.aicc, row.bic) == (one.aic, one.aicc, one.bic)
        assert row.converged
    slopes = tm.lmm(f"CHG ~ {FIXED} + (1 | USUBJID)", FRAME)
    assert tm.compare(fits[2], slopes)["structure"][1] == "(1 | USUBJID)"
    # weights change the model, not the fixed effects
    weighted = fit(frame=FRAME.assign(w=1.0 + (FRAME["AVISIT"] == "V3")), weights="w")
    assert tm.compare(fits[0], weighted)["parameters"].tolist() == [6, 6]
    with pytest.raises(UsageError, match="fixed effects differ"):
        tm.compare(fits[0], fit("BASE"))
    with pytest.raises(UsageError, match="by REML, others by ML"):
        tm.compare(fits[0], fit(reml=False))
    with pytest.raises(UsageError, match="give the fits"):
        tm.compare()


@pytest.mark.parametrize("structure", ["us", "toeph", "csh", "cs", "ar1", "ar1h", "ad", "adh"])
def test_aicc_is_r_mmrm_s_under_reml(study_data, reference, structure):
    file = reference / "mmrm" / f"fev_{structure}_reml_sat.json"
    tight = json.loads(file.read_text(encoding="utf-8"))["results_tight"]
    frame = pd.read_csv(study_data / "fev_data.csv")
    frame["SEX"] = pd.Categorical(frame["SEX"], ["Male", "Female"])
    found = tm.mmrm(f"FEV1 ~ RACE + SEX + ARMCD * AVISIT + {structure}(AVISIT | USUBJID)", frame)
    assert found.aicc == pytest.approx(tight["aicc"], abs=1e-6)


def test_aicc_is_proc_mixed_s(study_data, reference):
    # from SAS's own −2l, parameters and rows: each listing prints one decimal
    file = reference / "mmrm" / "sas_proc_mixed_fits.json"
    listings = {x["id"]: x for x in json.loads(file.read_text(encoding="utf-8"))}
    frame = pd.read_csv(study_data / "fev_data.csv")
    compared = 0
    for name in ("us_full_ml", "us_full_reml", "adh_intercept_ml", "adh_intercept_reml"):
        listing = listings[name]
        model = f"{listing['spec']['formula']} + {listing['spec']['covariance']}(AVISIT | USUBJID)"
        found = tm.mmrm(model, frame, reml=listing["spec"]["estimation"] == "REML")
        assert found.aicc == pytest.approx(listing["sas"]["aicc_printed"], abs=0.0501)
        compared += 1
    assert compared == 4


def test_aicc_with_hardly_more_rows_than_parameters():
    # m = k + 2 at least, so that the correction stays positive and finite: 2k(k + 2)
    frame = random_trial(2, n_subjects=8, n_visits=2, missing=0.0).frame
    found = fit("ARMCD*AVISIT*BASE", frame=frame)
    k, m = found.n_parameters, max(found.n_parameters + 2, found.n_obs - found.gaussian.rank)
    assert found.aicc == pytest.approx(found.minus2_loglik + 2 * k * m / (m - k - 1), rel=1e-12)
    assert found.aicc > found.aic


def test_models_of_other_weights_are_not_nested():
    frame = FRAME.assign(W=np.where(FRAME["AVISIT"] == "V1", 2.0, 1.0))
    plain, weighted = fit(frame=frame), fit(structure="cs", frame=frame, weights="W")
    with pytest.raises(UsageError, match=r"other weights \(W and none\).*compare them by AIC"):
        tm.likelihood_ratio(weighted, plain)
    assert tm.likelihood_ratio(weighted, fit(frame=frame, weights="W")).loc[1, "df"] == 4.0
    assert len(tm.compare(plain, weighted)) == 2  # a density of the same data: AIC may speak of it


@pytest.mark.parametrize("ask", [tm.compare, tm.likelihood_ratio])
def test_only_mixed_models_are_compared(ask):
    ancova = tm.ancova("CHG ~ BASE", FRAME.drop_duplicates("USUBJID"))
    with pytest.raises(UsageError, match="found AncovaFit, expected fitted mixed models"):
        ask(fit(), ancova)
