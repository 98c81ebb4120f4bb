"""Residuals, simulation, prediction, and what the result object says of itself."""

from __future__ import annotations

import pickle

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

TRIAL = random_trial(51, n_subjects=40, n_arms=3)
FIT = mmrm(TRIAL.formula, TRIAL.frame)


def test_response_residuals_are_what_prediction_leaves():
    left = TRIAL.frame["CHG"] - FIT.predict(TRIAL.frame)["estimate"]
    np.testing.assert_allclose(FIT.residuals(), left, atol=1e-11)


def test_pearson_residuals_are_in_units_of_the_visit():
    sd = TRIAL.frame["AVISIT"].map(
        dict(zip(FIT.covariance.index, np.sqrt(np.diag(FIT.covariance)), strict=True))
    )
    np.testing.assert_allclose(FIT.residuals("pearson"), FIT.residuals() / sd, rtol=1e-12)


def test_normalized_residuals_are_whitened_subject_by_subject():
    found = TRIAL.frame.assign(r=FIT.residuals(), z=FIT.residuals("normalized"))
    for _, rows in found.sort_values("AVISIT").groupby("USUBJID"):
        Sigma = FIT.covariance.loc[rows["AVISIT"], rows["AVISIT"]]
        z = np.linalg.solve(np.linalg.cholesky(Sigma), rows["r"])
        np.testing.assert_allclose(rows["z"], z, atol=1e-10)


def test_residuals_carry_the_index_of_the_data_so_that_they_align():
    frame = TRIAL.frame.assign(CHG=TRIAL.frame["CHG"].where(TRIAL.frame.index != 4))
    frame.index = frame.index * 10 + 7
    fit = mmrm(TRIAL.formula, frame)
    residuals = fit.residuals()
    assert residuals.index.tolist() == [k for k in frame.index if k != 47]
    together = frame.assign(r=residuals, fitted=fit.predict(frame)["estimate"])
    np.testing.assert_allclose(
        together["fitted"] + together["r"], together["CHG"], atol=1e-11, equal_nan=True
    )
    assert fit.simulate(1).index.equals(residuals.index)
    assert ancova("CHG ~ BASE", frame).residuals().index.equals(residuals.index)


def test_a_simulation_is_its_seed():
    pd.testing.assert_series_equal(FIT.simulate(seed=3), FIT.simulate(seed=3), check_exact=True)
    assert not FIT.simulate(seed=3).equals(FIT.simulate(seed=4))


def test_simulated_responses_have_the_model_s_mean_and_covariance():
    draws = (
        np.stack([FIT.simulate(seed=k) for k in range(400)])
        - FIT.predict(TRIAL.frame)["estimate"].to_numpy()
    )
    spread = np.sqrt(np.diag(FIT.covariance)).max()
    n = len(TRIAL.frame)
    assert abs(draws.mean()) < 5 * spread / np.sqrt(400 * n / 3)
    frame = TRIAL.frame
    for visit in FIT.covariance.index:
        at = (frame["AVISIT"] == visit).to_numpy()
        variance = FIT.covariance.loc[visit, visit]
        # 400 × 30 draws: the relative SE of a variance is √(2 / 12000) ≈ 1.3 %
        assert draws[:, at].var() == pytest.approx(variance, rel=0.07)
    place = frame.assign(place=np.arange(n))
    pairs = place.pivot_table(index="USUBJID", columns="AVISIT", values="place").dropna()
    one, two = (pairs[v].to_numpy(dtype=int) for v in ("V1", "V2"))
    covariance = (draws[:, one] * draws[:, two]).mean()
    assert covariance == pytest.approx(FIT.covariance.loc["V1", "V2"], abs=0.05 * spread**2)


def test_normalized_residuals_of_simulated_data_are_uncorrelated_with_variance_one():
    big = random_trial(52, n_subjects=1500, missing=0.15)
    fit = mmrm(big.formula, big.frame)
    drawn = big.frame.assign(CHG=fit.simulate(seed=1))
    refit = mmrm(big.formula, drawn)
    wide = drawn.assign(z=refit.residuals("normalized")).pivot_table(
        index="USUBJID", columns="AVISIT", values="z"
    )
    # 1 / √(1500 × 0.72) ≈ 0.03 is the standard error of each correlation
    np.testing.assert_allclose(wide.cov(), np.eye(3), atol=0.15)
    np.testing.assert_allclose(wide.corr(), np.eye(3), atol=0.12)


def test_a_refit_recovers_the_covariance_that_was_simulated():
    big = random_trial(53, n_subjects=1500, missing=0.15)
    fit = mmrm(big.formula, big.frame)
    refit = mmrm(big.formula, big.frame.assign(CHG=fit.simulate(seed=2)))
    np.testing.assert_allclose(
        refit.covariance, fit.covariance, atol=0.15 * np.diag(fit.covariance).max()
    )


def test_prediction_keeps_order_and_index_and_takes_no_rows():
    new = TRIAL.frame.iloc[[5, 2, 9]]
    found = FIT.predict(new)
    assert found.index.tolist() == [5, 2, 9]
    whole = FIT.predict(TRIAL.frame)
    pd.testing.assert_frame_equal(found, whole.loc[[5, 2, 9]], rtol=1e-12)
    assert FIT.predict(new.head(0)).empty


def test_a_fit_survives_a_pickle():
    formula = "CHG ~ bs(BASE, df=4) + poly(PULSE, 2) + C(ARMCD, Sum)*AVISIT + us(AVISIT | USUBJID)"
    fit = mmrm(formula, TRIAL.frame, df="kenward-roger")
    again = pickle.loads(pickle.dumps(fit))  # noqa: S301
    pd.testing.assert_frame_equal(again.anova(), fit.anova(), check_exact=True)
    pd.testing.assert_frame_equal(
        again.predict(TRIAL.frame), fit.predict(TRIAL.frame), check_exact=True
    )
    assert again.summary() == fit.summary()


def test_a_fit_cannot_be_changed():
    with pytest.raises(AttributeError):
        FIT.formula = "CHG ~ 1"  # type: ignore[misc]


def test_the_summary_tells_model_data_convergence_and_estimates():
    text = str(FIT)
    for part in (
        TRIAL.formula,
        "Unstructured",
        "REML",
        "satterthwaite",
        f"{len(TRIAL.frame)} rows of {FIT.n_subjects} subjects",
        f"{FIT.minus2_loglik:.4f}",
        "converged in",
        "ARMCDB:AVISITV2",
    ):
        assert part in text


def test_rows_that_are_not_used_are_told_with_the_reason():
    first = TRIAL.frame["USUBJID"].iloc[0]
    gone = TRIAL.frame["USUBJID"] == first
    fit = mmrm(TRIAL.formula, TRIAL.frame.assign(CHG=TRIAL.frame["CHG"].where(~gone)))
    lost, total = int(gone.sum()), len(TRIAL.frame)
    assert fit.notes == (
        f"{lost} of {total} rows not used: CHG missing in {lost}",
        "1 subjects have no complete row and are not used",
    )
    assert fit.notes[0] in fit.summary()
    assert FIT.notes == ()


def test_observed_tells_which_subject_has_which_visit():
    table = FIT.observed
    assert table.to_numpy().sum() == FIT.n_obs
    row = TRIAL.frame.iloc[0]
    assert table.loc[row["USUBJID"], row["AVISIT"]]
