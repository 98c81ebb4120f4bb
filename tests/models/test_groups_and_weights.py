"""Covariances by group and weights of rows: closed forms and equivalences."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm

TRIAL = random_trial(71, n_subjects=60, missing=0.15).frame


@pytest.mark.parametrize("structure", ["us", "ar1h", "toep"])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_a_model_by_arm_is_the_arms_own_models(structure, df):
    formula = f"CHG ~ 0 + ARMCD + ARMCD:BASE + ARMCD:AVISIT + {structure}(AVISIT | ARMCD / USUBJID)"
    together = tm.mmrm(formula, TRIAL, df=df)
    arms = {
        arm: tm.mmrm(f"CHG ~ BASE + AVISIT + {structure}(AVISIT | USUBJID)", rows, df=df)
        for arm, rows in TRIAL.groupby("ARMCD")
    }
    # nothing is shared, so the likelihood is the sum; REML's constant knows the columns alone
    total = sum(fit.minus2_loglik for fit in arms.values())
    assert together.minus2_loglik == pytest.approx(total, abs=1e-8)
    found = together.coefficients().set_index("term")
    for arm, fit in arms.items():
        pd.testing.assert_frame_equal(together.covariance[arm], fit.covariance, rtol=1e-8)
        own = fit.coefficients().set_index("term")
        for ours, term in ((f"ARMCD{arm}", "(Intercept)"), (f"ARMCD{arm}:BASE", "BASE")):
            columns = ["estimate", "std_error", "df"]
            np.testing.assert_allclose(
                found.loc[ours, columns].astype(float),
                own.loc[term, columns].astype(float),
                rtol=1e-7,
            )
    assert together.n_covariance == sum(fit.n_covariance for fit in arms.values())


def test_groups_of_one_level_each_are_named_in_the_summary():
    fit = tm.mmrm("CHG ~ BASE + AVISIT + cs(AVISIT | ARMCD / USUBJID)", TRIAL)
    assert "Covariance, ARMCD A:" in fit.summary()
    assert list(fit.correlation) == ["A", "B"]


def test_equal_weights_change_the_scale_of_the_covariance_alone():
    plain = tm.mmrm("CHG ~ BASE + ARMCD*AVISIT + us(AVISIT | USUBJID)", TRIAL)
    fours = tm.mmrm(
        "CHG ~ BASE + ARMCD*AVISIT + us(AVISIT | USUBJID)", TRIAL.assign(W=4.0), weights="W"
    )
    np.testing.assert_allclose(fours.covariance, 4.0 * plain.covariance, rtol=1e-8)
    assert fours.minus2_loglik == pytest.approx(plain.minus2_loglik, abs=1e-8)
    columns = ["estimate", "std_error", "df", "p_value"]
    np.testing.assert_allclose(
        fours.coefficients()[columns], plain.coefficients()[columns], rtol=1e-7
    )
    np.testing.assert_allclose(
        fours.residuals("normalized"), plain.residuals("normalized"), atol=1e-8
    )


def test_weights_of_rows_are_generalised_least_squares_by_hand():
    rng = np.random.default_rng(2)
    data = TRIAL.assign(W=rng.uniform(0.3, 3.0, len(TRIAL)))
    fit = tm.mmrm("CHG ~ BASE + ARMCD*AVISIT + csh(AVISIT | USUBJID)", data, weights="W")
    X = fit.coding.matrix(fit.variables, len(data))
    same = data["USUBJID"].to_numpy()[:, None] == data["USUBJID"].to_numpy()[None, :]
    Sigma = fit.covariance.loc[data["AVISIT"], data["AVISIT"]].to_numpy()
    root = np.sqrt(data["W"].to_numpy())
    V = np.where(same, Sigma, 0.0) / np.outer(root, root)
    V_inv = np.linalg.inv(V)
    information = X.T @ V_inv @ X
    beta = np.linalg.solve(information, X.T @ V_inv @ data["CHG"].to_numpy())
    r = data["CHG"].to_numpy() - X @ beta
    deviance = (
        np.linalg.slogdet(V)[1]
        + np.linalg.slogdet(information)[1]
        + r @ V_inv @ r
        + (len(r) - len(beta)) * np.log(2 * np.pi)
    )
    np.testing.assert_allclose(fit.coefficients()["estimate"], beta, rtol=1e-9)
    np.testing.assert_allclose(fit.vcov, np.linalg.inv(information), rtol=1e-8)
    assert fit.minus2_loglik == pytest.approx(deviance, abs=1e-8)


def test_weights_that_do_not_vary_within_subjects_take_the_short_way_to_the_same_place():
    level = 1.0 + TRIAL["USUBJID"].str[-1].astype(int) % 3
    constant = TRIAL.assign(W=level)
    formula = "CHG ~ BASE + ARMCD*AVISIT + us(AVISIT | USUBJID)"
    fit = tm.mmrm(formula, constant, weights="W")
    # a hair's breadth of variation sends the rows the long way round
    nearly = constant.assign(W=level * (1.0 + 1e-12 * np.arange(len(level))))
    long = tm.mmrm(formula, nearly, weights="W")
    assert long.design.weighted().U.shape[1] > fit.design.weighted().U.shape[1]
    np.testing.assert_allclose(long.covariance, fit.covariance, rtol=1e-7)


def test_a_row_without_a_weight_is_not_used_and_counted():
    data = TRIAL.assign(W=np.where(np.arange(len(TRIAL)) < 3, np.nan, 1.0))
    fit = tm.mmrm("CHG ~ BASE + AVISIT + us(AVISIT | USUBJID)", data, weights="W")
    assert fit.n_obs == len(TRIAL) - 3
    assert "W missing in 3" in fit.notes[0]
