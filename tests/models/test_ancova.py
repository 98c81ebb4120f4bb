"""The analysis of covariance against closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trialmlm.models.ancova import ancova

PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)


def study(seed: int, rows: int = 45) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    arm = rng.permutation(np.arange(rows) % 3)
    base = rng.normal(25.0, 6.0, rows)
    return pd.DataFrame(
        {
            "TRT": np.array(["PBO", "LOW", "HIGH"])[arm],
            "SITE": rng.choice(["s1", "s2"], rows, p=[0.7, 0.3]),
            "BASE": base,
            "CHG": 2.0 - 0.2 * base + arm + rng.normal(0, 3, rows),
        }
    )


def by_hand(frame: pd.DataFrame):
    """X, coefficients, residual variance and covariance by plain least squares."""
    X = np.column_stack(
        [
            np.ones(len(frame)),
            frame.TRT == "LOW",
            frame.TRT == "PBO",
            frame.SITE == "s2",
            frame.BASE,
        ]
    ).astype(float)
    y = frame.CHG.to_numpy()
    beta = np.linalg.lstsq(X, y)[0]
    s2 = ((y - X @ beta) ** 2).sum() / (len(y) - 5)
    return X, beta, s2, s2 * np.linalg.inv(X.T @ X)


@PROPERTY
@given(st.integers(0, 2**20))
def test_coefficients_errors_and_tests_are_those_of_least_squares(seed):
    frame = study(seed)
    X, beta, s2, V = by_hand(frame)
    fit = ancova("CHG ~ TRT + SITE + BASE", frame)
    table = fit.coefficients()
    assert table["term"].tolist() == ["(Intercept)", "TRTLOW", "TRTPBO", "SITEs2", "BASE"]
    # normal equations of a covariate with mean 25 lose about four digits
    np.testing.assert_allclose(table["estimate"], beta, rtol=1e-10, atol=1e-11)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(V)), rtol=1e-10)
    np.testing.assert_allclose(fit.vcov, V, rtol=1e-8, atol=1e-10 * np.diag(V).max())
    assert fit.sigma == pytest.approx(np.sqrt(s2), rel=1e-12)
    assert fit.residual_df == len(frame) - 5
    p = 2 * stats.t.sf(np.abs(beta) / np.sqrt(np.diag(V)), fit.residual_df)
    np.testing.assert_allclose(table["p_value"], p, rtol=1e-8)
    np.testing.assert_allclose(fit.residuals(), frame.CHG - X @ beta, atol=1e-11)


@PROPERTY
@given(st.integers(0, 2**20))
def test_ls_means_under_equal_and_under_observed_margins(seed):
    frame = study(seed)
    _, beta, _, V = by_hand(frame)
    fit = ancova("CHG ~ TRT + SITE + BASE", frame)
    for weights, share in (("equal", 0.5), ("observed-margins", (frame.SITE == "s2").mean())):
        L = np.array(
            [
                [1, arm == "LOW", arm == "PBO", share, frame.BASE.mean()]
                for arm in ("HIGH", "LOW", "PBO")
            ],
            dtype=float,
        )
        table = fit.ls_means("TRT", weights=weights).frame
        assert table["TRT"].tolist() == ["HIGH", "LOW", "PBO"]
        np.testing.assert_allclose(table["estimate"], L @ beta, rtol=1e-10)
        error = np.sqrt(np.diag(L @ V @ L.T))
        np.testing.assert_allclose(table["std_error"], error, rtol=1e-9)
        half = stats.t.ppf(0.975, fit.residual_df) * error
        np.testing.assert_allclose(table["ci_high"], L @ beta + half, rtol=1e-9)
    # the weights move the means together: differences stay
    one, two = (
        fit.ls_means("TRT", weights=w).contrasts().frame for w in ("equal", "observed-margins")
    )
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)


@PROPERTY
@given(st.integers(0, 2**20))
def test_one_factor_is_the_one_way_analysis_of_variance(seed):
    frame = study(seed)
    test = ancova("CHG ~ TRT", frame).anova().iloc[0]
    groups = [rows.CHG for _, rows in frame.groupby("TRT")]
    F, p = stats.f_oneway(*groups)
    assert test["statistic"] == pytest.approx(F, rel=1e-9)
    assert test["p_value"] == pytest.approx(p, rel=1e-8)
    assert (test["num_df"], test["den_df"]) == (2, len(frame) - 3)
    means = ancova("CHG ~ TRT", frame).ls_means("TRT").frame
    np.testing.assert_allclose(means["estimate"], [g.mean() for g in groups], rtol=1e-12)


def test_two_groups_are_the_t_test():
    frame = study(1).query("TRT != 'LOW'")
    wanted = stats.ttest_ind(frame.CHG[frame.TRT == "PBO"], frame.CHG[frame.TRT == "HIGH"])
    effect = ancova("CHG ~ TRT", frame).coefficients().iloc[1]
    assert effect["statistic"] == pytest.approx(wanted.statistic, rel=1e-11)
    assert effect["p_value"] == pytest.approx(wanted.pvalue, rel=1e-10)


def test_a_straight_line_is_linregress():
    frame = study(2)
    wanted = stats.linregress(frame.BASE, frame.CHG)
    slope = ancova("CHG ~ BASE", frame).coefficients().iloc[1]
    assert slope["estimate"] == pytest.approx(wanted.slope, rel=1e-11)
    assert slope["std_error"] == pytest.approx(wanted.stderr, rel=1e-11)


def test_digits_survive_a_response_and_a_covariate_far_from_zero():
    frame = study(3)
    one = ancova("CHG ~ TRT + BASE", frame)
    two = ancova("CHG ~ TRT + BASE", frame.assign(CHG=frame.CHG + 1e6, BASE=frame.BASE + 1e6))
    # the covariate was rounded at 1e-10 and its column is 1e-5 from the intercept's
    np.testing.assert_allclose(
        one.coefficients()["estimate"][1:], two.coefficients()["estimate"][1:], rtol=1e-7
    )
    assert two.sigma == pytest.approx(one.sigma, rel=1e-9)


def test_rows_with_a_gap_are_left_out_and_told():
    frame = study(4).assign(BASE=lambda d: d.BASE.where(d.index != 3))
    fit = ancova("CHG ~ TRT + BASE", frame)
    assert fit.n_obs == len(frame) - 1
    assert fit.notes == ("1 of 45 rows not used: BASE missing in 1",)
    assert "Residual SD" in str(fit)
    assert fit.residuals().index.tolist() == [k for k in frame.index if k != 3]


def test_arithmetic_in_the_response_is_that_of_the_column():
    frame = study(5).assign(AVAL=lambda d: d.CHG + d.BASE)
    one = ancova("I(AVAL - BASE) ~ TRT + BASE", frame)
    two = ancova("CHG ~ TRT + BASE", frame)
    pd.testing.assert_frame_equal(one.coefficients(), two.coefficients(), rtol=1e-9)
    log = ancova("log(BASE) ~ TRT", frame.assign(BASE=frame.BASE.abs()))
    same = ancova("LOGBASE ~ TRT", frame.assign(LOGBASE=np.log(frame.BASE.abs())))
    pd.testing.assert_frame_equal(log.coefficients(), same.coefficients(), rtol=1e-12)


def test_a_centred_response_is_centred_on_the_rows_used():
    frame = study(6)
    fit = ancova("center(CHG) ~ 1", frame)
    assert fit.coefficients()["estimate"][0] == pytest.approx(0.0, abs=1e-12)
