"""What must not change when the same data are written down differently."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import random_trial, rich_enough, trials

from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=12, derandomize=True)
# two searches that stop within 1e-6 standard errors of θ of the same optimum, and take one step
# more; rounding is then magnified by the condition of the Hessian, up to 1e6
SAME = 1e-8


CASES = trials(least=20, most=32).filter(rich_enough)


def fitted(trial):
    fit = mmrm(trial.formula, trial.frame)
    assume(fit.convergence.converged and fit.convergence.condition > 1e-2)
    return fit


def same(one: pd.DataFrame, two: pd.DataFrame, tolerance: float = SAME) -> None:
    for column in one.columns:
        if one[column].dtype.kind == "f":
            a, b = one[column].to_numpy(), two[column].to_numpy()
            np.testing.assert_allclose(
                a, b, rtol=tolerance, atol=tolerance * np.nanmax(np.abs(a)), err_msg=column
            )


@PROPERTY
@given(CASES, st.integers(0, 2**20))
def test_the_order_of_the_rows_changes_not_one_bit(trial, seed):
    fit = fitted(trial)
    other = mmrm(trial.formula, trial.frame.sample(frac=1.0, random_state=seed))
    assert other.minus2_loglik == fit.minus2_loglik
    pd.testing.assert_frame_equal(other.covariance, fit.covariance, check_exact=True)
    pd.testing.assert_frame_equal(other.coefficients(), fit.coefficients(), check_exact=True)
    pd.testing.assert_frame_equal(other.anova(), fit.anova(), check_exact=True)
    pd.testing.assert_frame_equal(
        other.ls_means("ARMCD", by="AVISIT").frame,
        fit.ls_means("ARMCD", by="AVISIT").frame,
        check_exact=True,
    )


@PROPERTY
@given(CASES)
def test_names_of_subjects_and_visits_do_not_matter(trial):
    fit = fitted(trial)
    renamed = trial.frame.assign(
        USUBJID=pd.factorize(trial.frame["USUBJID"])[0] * 7 + 1,
        AVISIT=pd.Categorical(trial.frame["AVISIT"].map(lambda v: f"{9 - int(v[1])} weeks left")),
    )
    # the labels now sort the other way round: ask for the old order
    order = sorted(renamed["AVISIT"].cat.categories, reverse=True)
    renamed["AVISIT"] = renamed["AVISIT"].cat.set_categories(order)
    other = mmrm(trial.formula, renamed)
    same(fit.coefficients(), other.coefficients())
    assert other.minus2_loglik == pytest.approx(fit.minus2_loglik, abs=1e-9)


@PROPERTY
@given(CASES, st.sampled_from([(0.0, -3.0), (1e6, 1.0), (-20.0, 1e-4), (5.0, 1e8)]))
def test_an_affine_change_of_the_response_changes_the_answer_in_the_same_way(trial, change):
    fit = fitted(trial)
    assume("0 +" not in trial.fixed)  # the intercept takes the shift up
    a, b = change
    other = mmrm(trial.formula, trial.frame.assign(CHG=a + b * trial.frame["CHG"]))
    one, two = fit.coefficients(), other.coefficients()
    shift = np.where(one["term"] == "(Intercept)", a, 0.0)
    # y + 1e6 in double precision keeps ten digits of y
    scale = abs(b) * one["std_error"]
    assert (
        np.abs(two["estimate"] - shift - b * one["estimate"]) < 1e-6 * scale + 1e-15 * abs(a)
    ).all()
    np.testing.assert_allclose(two["std_error"], scale, rtol=1e-6)
    np.testing.assert_allclose(two["df"], one["df"], rtol=1e-5)
    n = fit.n_obs - len(one)
    assert other.minus2_loglik == pytest.approx(
        fit.minus2_loglik + 2 * n * np.log(abs(b)), abs=1e-6
    )


@PROPERTY
@given(CASES, st.sampled_from([(0.0, 1e-9), (1e5, 1.0), (-3.0, 250e9)]))
def test_the_unit_and_origin_of_a_covariate_do_not_matter(trial, change):
    fit = fitted(trial)
    shift, unit = change
    moved = trial.frame.assign(BASE=unit * (trial.frame["BASE"] + shift))
    other = mmrm(trial.formula, moved)
    same(
        fit.ls_means("ARMCD", by="AVISIT").frame,
        other.ls_means("ARMCD", by="AVISIT").frame,
    )
    if "BASE" in fit.anova()["term"].to_list():
        one, two = (f.anova().set_index("term").loc["BASE"] for f in (fit, other))
        assert two["statistic"] == pytest.approx(one["statistic"], rel=1e-5, abs=1e-8)


@PROPERTY
@given(CASES)
def test_the_reference_level_does_not_matter(trial):
    fit = fitted(trial)
    arms = sorted(trial.frame["ARMCD"].unique(), reverse=True)
    turned = trial.frame.assign(ARMCD=pd.Categorical(trial.frame["ARMCD"], arms))
    other = mmrm(trial.formula, turned)
    keys = ["AVISIT", "ARMCD"]
    one = fit.ls_means("ARMCD", by="AVISIT").frame.sort_values(keys)
    two = other.ls_means("ARMCD", by="AVISIT").frame.astype({"ARMCD": str}).sort_values(keys)
    same(one, two)
    pairs = [("B", "A")]
    same(
        fit.ls_means("ARMCD", by="AVISIT").contrasts(pairs).frame,
        other.ls_means("ARMCD", by="AVISIT").contrasts(pairs).frame,
    )
    # Satterthwaite's df of several rows depend on their basis, and that on the last level
    df = ["den_df", "p_value"]
    same(fit.anova().drop(columns=df), other.anova().drop(columns=df))
    same(
        mmrm(trial.formula, trial.frame, df="kenward-roger").anova(),
        mmrm(trial.formula, turned, df="kenward-roger").anova(),
    )
    if len(arms) == 2 and "0 +" not in trial.fixed:
        # two treatment codings differ by a matrix of determinant ±1
        assert other.minus2_loglik == pytest.approx(fit.minus2_loglik, abs=1e-8)


@PROPERTY
@given(CASES, st.sampled_from(["Sum", "Helmert"]))
def test_the_coding_of_the_arms_does_not_matter(trial, contrast):
    fit = fitted(trial)
    assume("0 +" not in trial.fixed)
    other = mmrm(trial.formula.replace("ARMCD", f"C(ARMCD, {contrast})"), trial.frame)
    same(
        fit.ls_means("ARMCD", by="AVISIT").frame,
        other.ls_means("ARMCD", by="AVISIT").frame,
    )
    same(fit.anova(), other.anova())


def test_differences_of_the_ml_deviance_do_not_know_the_coding():
    trial = random_trial(31)
    wide, narrow = "ARMCD*AVISIT", "ARMCD + AVISIT"

    def drop(arm: str) -> float:
        small, large = (
            mmrm(
                f"CHG ~ {fixed.replace('ARMCD', arm)} + us(AVISIT | USUBJID)",
                trial.frame,
                reml=False,
            ).minus2_loglik
            for fixed in (narrow, wide)
        )
        return small - large

    assert drop("ARMCD") == pytest.approx(drop("C(ARMCD, Sum)"), abs=1e-8)


def test_ten_digits_survive_a_response_far_from_zero():
    trial = random_trial(32)
    fit = mmrm(trial.formula, trial.frame)
    far = mmrm(trial.formula, trial.frame.assign(CHG=trial.frame["CHG"] + 1e6))
    one, two = fit.coefficients(), far.coefficients()
    # the response itself was rounded at 1e6 × 1e-16 = 1e-10
    np.testing.assert_allclose(two["estimate"][1:], one["estimate"][1:], rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(two["std_error"], one["std_error"], rtol=1e-8)


def test_the_order_of_the_rows_does_not_matter_to_an_analysis_of_covariance():
    frame = random_trial(33).frame.query("AVISIT == 'V1'")
    one = ancova("CHG ~ BASE + SEX*ARMCD", frame)
    two = ancova("CHG ~ BASE + SEX*ARMCD", frame.iloc[::-1])
    # sums in another order
    pd.testing.assert_frame_equal(one.coefficients(), two.coefficients(), rtol=1e-11)


def test_data_are_not_written_to():
    trial = random_trial(34)
    before = trial.frame.copy(deep=True)
    fit = mmrm(trial.formula, trial.frame)
    fit.ls_means("ARMCD", by="AVISIT").contrasts()
    fit.anova()
    pd.testing.assert_frame_equal(trial.frame, before)
