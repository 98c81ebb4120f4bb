"""Empty cells, unused levels and collinear covariates: what is estimable stays as it should."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense import Dense
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import random_trial, rich_enough

from trialmlm.errors import FitError
from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=12, derandomize=True)
FORMULA = "CHG ~ BASE + ARMCD*AVISIT + us(AVISIT | USUBJID)"


def emptied(seed: int):
    """Three arms, three visits, nobody of arm B at V2; and the oracle without that column."""
    trial = random_trial(seed, n_subjects=36, n_arms=3, missing=0.1)
    frame = trial.frame[(trial.frame.ARMCD != "B") | (trial.frame.AVISIT != "V2")]
    frame = frame.reset_index(drop=True)
    X = [np.ones(len(frame)), frame.BASE, frame.ARMCD == "B", frame.ARMCD == "C"]
    X += [frame.AVISIT == "V2", frame.AVISIT == "V3"]
    cells = (("V2", "C"), ("V3", "B"), ("V3", "C"))
    X += [frame.AVISIT.eq(visit) & frame.ARMCD.eq(arm) for visit, arm in cells]
    subject = pd.factorize(frame.USUBJID, sort=True)[0]
    visit = pd.factorize(frame.AVISIT, sort=True)[0]
    X = np.column_stack(X).astype(float)
    return frame, Dense(X, frame.CHG.to_numpy(), subject, visit, 3)


@PROPERTY
@given(st.integers(0, 2**20), st.sampled_from(["satterthwaite", "kenward-roger"]))
def test_an_empty_cell_costs_one_coefficient_and_leaves_the_oracle_s_others(seed, df):
    assume(rich_enough(random_trial(seed, n_subjects=36, n_arms=3, missing=0.1)))
    frame, dense = emptied(seed)
    fit = mmrm(FORMULA, frame, df=df)
    assume(fit.convergence.converged)
    table = fit.coefficients().set_index("term")
    Sigma = fit.covariance.to_numpy()
    assert table.index[table["estimate"].isna()].tolist() == ["ARMCDB:AVISITV2"]
    assert table.loc["ARMCDB:AVISITV2"].isna().all()
    rest = table.drop(index="ARMCDB:AVISITV2")
    Phi, adjusted, _, _ = dense.kenward_roger(Sigma)
    variance = np.diag(adjusted if df == "kenward-roger" else Phi)
    np.testing.assert_allclose(rest["estimate"], dense.parts(Sigma)[2], rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(rest["std_error"], np.sqrt(variance), rtol=1e-7)
    df_of = [dense.satterthwaite_df(Sigma, row) for row in np.eye(9)]
    np.testing.assert_allclose(rest["df"], df_of, rtol=1e-6)
    assert fit.minus2_loglik == pytest.approx(dense.deviance(Sigma), rel=1e-10)
    assert fit.vcov.shape == (9, 9)


@pytest.mark.parametrize("unit", [1.0, 250e9, 1e-9])
def test_only_the_mean_of_the_empty_cell_is_unknown_whatever_the_units(unit):
    frame, dense = emptied(3)
    fit = mmrm(FORMULA, frame.assign(BASE=frame["BASE"] * unit))
    means = fit.ls_means("ARMCD", by="AVISIT")
    table = means.frame.set_index(["AVISIT", "ARMCD"])
    assert table.index[table["estimate"].isna()].tolist() == [("V2", "B")]
    beta = dense.parts(mmrm(FORMULA, frame).covariance.to_numpy())[2]
    row = np.array([1, frame["BASE"].mean(), 0, 1, 1, 0, 1, 0, 0])
    assert table.loc[("V2", "C"), "estimate"] == pytest.approx(row @ beta, rel=1e-7)
    differences = means.contrasts("vs-control", control="A").frame
    unknown = differences[differences["estimate"].isna()]
    assert unknown[["contrast", "AVISIT"]].to_numpy().tolist() == [["B - A", "V2"]]
    assert differences.drop(index=unknown.index).notna().all(axis=None)
    # an average over visits needs every visit
    assert fit.ls_means("ARMCD").frame["estimate"].isna().tolist() == [False, True, False]


def test_type_three_with_an_empty_cell_loses_a_degree_of_freedom_of_the_interaction():
    frame, _ = emptied(3)
    table = mmrm(FORMULA, frame).anova().set_index("term")
    assert table["num_df"].to_dict() == {"BASE": 1, "ARMCD": 2, "AVISIT": 2, "ARMCD:AVISIT": 3}
    assert table.notna().all(axis=None)


def test_predictions_for_the_empty_cell_are_unknown_and_for_the_others_known():
    frame, _ = emptied(4)
    fit = mmrm(FORMULA, frame)
    new = pd.DataFrame({"ARMCD": ["B", "C"], "AVISIT": "V2", "BASE": 50.0}, index=["p", "q"])
    found = fit.predict(new)
    assert found["estimate"].isna().to_dict() == {"p": True, "q": False}


def test_a_level_that_no_row_has_is_dropped():
    trial = random_trial(7)
    unused = trial.frame.assign(
        ARMCD=pd.Categorical(trial.frame["ARMCD"], ["A", "unused", "B"]),
        AVISIT=pd.Categorical(trial.frame["AVISIT"], ["screening", "V1", "V2", "V3"]),
    )
    one, two = mmrm(FORMULA, trial.frame), mmrm(FORMULA, unused)
    pd.testing.assert_frame_equal(one.coefficients(), two.coefficients(), check_exact=True)
    assert two.covariance.index.tolist() == ["V1", "V2", "V3"]


@pytest.mark.parametrize("visit", ["AVISIT", "AVISITN"])
def test_a_visit_or_arm_without_a_response_is_named(visit):
    frame = random_trial(41).frame
    frame["AVISITN"] = frame["AVISIT"].str[1:].astype(int)
    lost = (frame["AVISIT"] == "V2") | (frame["ARMCD"] == "B")
    formula = f"CHG ~ BASE + SEX + us({visit} | ARMCD / USUBJID)"
    notes = mmrm(formula, frame.assign(CHG=frame["CHG"].mask(lost))).notes
    gone = {"AVISIT": "V2", "AVISITN": "2"}[visit]
    assert notes[-2:] == (
        "ARMCD B: no complete row, so not in the model",
        f"{visit} {gone}: no complete row, so not in the model",
    )
    means = ancova("CHG ~ BASE + AVISIT", frame.assign(CHG=frame["CHG"].mask(lost)))
    assert means.notes[-1] == "AVISIT V2: no complete row, so not in the model"
    assert not any("no complete row, so" in note for note in mmrm(formula, frame).notes)


def test_levels_that_are_whole_numbers_read_as_such():
    trial = random_trial(3, n_subjects=36, missing=0.1)
    frame = trial.frame.assign(
        VISITN=trial.frame["AVISIT"].str[1:].astype(int),
        ARMN=(trial.frame["ARMCD"] == "B").astype(int),
    )
    frame = frame[(frame["ARMN"] == 0) | (frame["VISITN"] != 2)]
    formula = "CHG ~ C(ARMN) * C(VISITN) + cs(VISITN | ARMN / USUBJID)"
    fit = mmrm(formula, frame)
    assert "Covariance, ARMN 0:" in fit.summary()
    means = fit.ls_means("ARMN", by="VISITN")
    assert means.notes == ("the mean of VISITN 2, ARMN 1 is not estimable from the rows used",)
    assert means.contrasts().notes == ("0 - 1 at 2 is not estimable from the rows used",)
    with pytest.raises(FitError, match=r"\(S\w+ at 1\)"):
        mmrm(formula, pd.concat([frame, frame[frame["VISITN"] == 1].head(1)]))


def test_a_covariate_that_repeats_another_is_aliased_and_the_first_stays():
    trial = random_trial(8)
    twin = trial.frame.assign(MONTHS=12.0 * trial.frame["BASE"] + 3.0)
    fit = mmrm(FORMULA.replace("BASE", "BASE + MONTHS"), twin)
    alone = mmrm(FORMULA, trial.frame)
    table = fit.coefficients().set_index("term")
    assert table.index[table["estimate"].isna()].tolist() == ["MONTHS"]
    expected = alone.coefficients().set_index("term")
    pd.testing.assert_frame_equal(table.drop(index="MONTHS"), expected, rtol=1e-7)
    # a function of the two is estimable or not; the slope by itself is not
    assert np.isnan(fit.contrast({"BASE": 1})["estimate"][0])
    joint = fit.contrast({"BASE": 1, "MONTHS": 12})["estimate"][0]
    assert joint == pytest.approx(expected.loc["BASE", "estimate"], rel=1e-7)
    means = (fit.ls_means("ARMCD").frame, alone.ls_means("ARMCD").frame)
    pd.testing.assert_frame_equal(*means, rtol=1e-7)


def test_an_analysis_of_covariance_aliases_alike():
    frame = random_trial(9).frame.query("AVISIT == 'V1'").assign(twin=lambda d: 2.0 * d["BASE"])
    table = ancova("CHG ~ BASE + twin + ARMCD", frame).coefficients().set_index("term")
    expected = ancova("CHG ~ BASE + ARMCD", frame).coefficients().set_index("term")
    assert table.loc["twin"].isna().all()
    pd.testing.assert_frame_equal(table.drop(index="twin"), expected, rtol=1e-10)


def test_a_factor_nested_in_another_is_fitted_as_far_as_it_goes():
    # two sites per region: SITE alone spans REGION
    frame = random_trial(10).frame
    place = pd.factorize(frame["USUBJID"], sort=True)[0] % 4
    frame = frame.assign(SITE=place.astype(str), REGION=np.where(place < 2, "N", "S"))
    fit = mmrm("CHG ~ REGION + SITE + AVISIT + us(AVISIT | USUBJID)", frame)
    table = fit.coefficients().set_index("term")["estimate"]
    assert table.index[table.isna()].tolist() == ["SITE3"]
    alone = mmrm("CHG ~ SITE + AVISIT + us(AVISIT | USUBJID)", frame)
    np.testing.assert_allclose(fit.covariance, alone.covariance, rtol=1e-7)
    assert fit.anova()["num_df"].tolist() == [0, 2, 2]
