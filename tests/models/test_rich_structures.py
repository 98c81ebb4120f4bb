"""Factor-analytic, banded and two-way covariances: equalities with what they contain."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.errors import ExpressionError, FitError

FORMULA = "CHG ~ BASE + ARMCD*AVISIT + {}"


@pytest.fixture(scope="module")
def wide():
    """Positively correlated visits, so that one factor can carry their covariances."""
    trial = random_trial(81, n_subjects=80, n_visits=4, missing=0.1).frame
    rng = np.random.default_rng(3)
    level = dict(zip(sorted(trial["USUBJID"].unique()), rng.normal(0, 2, 80), strict=True))
    return trial.assign(CHG=trial["CHG"] + trial["USUBJID"].map(level))


@pytest.fixture(scope="module")
def two_way():
    """Two parameters at three visits, Σ = A ⊗ R with R autoregressive."""
    rng = np.random.default_rng(5)
    A = np.array([[4.0, 1.5], [1.5, 2.0]])
    R = 0.6 ** np.abs(np.subtract.outer(range(3), range(3)))
    Y = rng.standard_normal((300, 6)) @ np.linalg.cholesky(np.kron(A, R)).T
    subject, cell = np.divmod(np.arange(1800), 6)
    frame = pd.DataFrame(
        {
            "USUBJID": subject,
            "PARAMCD": np.array(["DBP", "SBP"])[cell // 3],
            "AVISIT": np.array(["V1", "V2", "V3"])[cell % 3],
            "Y": Y.ravel(),
        }
    )
    return frame[rng.random(1800) > 0.1], A, 0.6


@pytest.mark.parametrize("reml", [True, False])
def test_one_factor_over_three_visits_is_as_good_as_unstructured(wide, reml):
    three = wide[wide["AVISIT"] != "V4"]
    us = tm.mmrm(FORMULA.format("us(AVISIT | USUBJID)"), three, reml=reml)
    fa = tm.mmrm(FORMULA.format("fa(AVISIT | USUBJID)"), three, reml=reml)
    assert fa.n_covariance == us.n_covariance == 6
    # six parameters either way, and the optimum is inside: the same Σ
    assert fa.minus2_loglik == pytest.approx(us.minus2_loglik, abs=1e-7)
    np.testing.assert_allclose(fa.covariance, us.covariance, rtol=1e-5)
    np.testing.assert_allclose(fa.coefficients()["df"], us.coefficients()["df"], rtol=1e-4)


def test_structures_that_contain_one_another_are_ordered(wide):
    terms = [
        "id(AVISIT | USUBJID)",
        "toep(AVISIT | USUBJID, bands=2)",
        "toep(AVISIT | USUBJID, bands=3)",
        "toep(AVISIT | USUBJID)",
        "us(AVISIT | USUBJID)",
    ]
    fits = [tm.mmrm(FORMULA.format(term), wide, reml=False) for term in terms]
    assert all(fit.convergence.converged for fit in fits)
    deviances = [fit.minus2_loglik for fit in fits]
    assert deviances == sorted(deviances, reverse=True)
    assert [fit.n_covariance for fit in fits] == [1, 2, 3, 4, 10]
    # independence with one variance is least squares
    ols = tm.ancova("CHG ~ BASE + ARMCD*AVISIT", wide).coefficients()
    own = tm.mmrm(FORMULA.format(terms[0]), wide, df="residual").coefficients()
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(own[column], ols[column], rtol=1e-9)


@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_two_factors_recover_what_made_the_data(two_way, df):
    frame, A, rho = two_way
    fit = tm.mmrm("Y ~ PARAMCD*AVISIT + us_ar1(PARAMCD, AVISIT | USUBJID)", frame, df=df)
    us = tm.mmrm(
        "Y ~ PARAMCD*AVISIT + us(CELL | USUBJID)",
        frame.assign(CELL=frame["PARAMCD"] + " " + frame["AVISIT"]),
    )
    assert fit.convergence.converged
    assert fit.n_covariance == 4
    assert list(fit.covariance.index) == list(us.covariance.index)
    Sigma = fit.covariance.to_numpy().reshape(2, 3, 2, 3)
    # 300 subjects: an SD of about 6 % of each entry
    np.testing.assert_allclose(Sigma[:, 0, :, 0], A, rtol=0.25)
    assert Sigma[0, 0, 0, 1] / Sigma[0, 0, 0, 0] == pytest.approx(rho, abs=0.1)
    # χ² of 17 degrees of freedom lies below 45 but for 3 in 10,000
    assert 0.0 < fit.minus2_loglik - us.minus2_loglik < 45.0


def test_a_single_level_beside_reduces_two_factors_to_one(two_way):
    frame, _, _ = two_way
    ar1 = tm.mmrm("Y ~ AVISIT + ar1h(AVISIT | USUBJID)", frame[frame["PARAMCD"] == "SBP"])
    with pytest.raises(FitError, match="no row has PARAMCD AVISIT SBP V3"):
        tm.mmrm(
            "Y ~ AVISIT + us_ar1(PARAMCD, AVISIT | USUBJID)",
            frame[(frame["PARAMCD"] == "DBP") | (frame["AVISIT"] != "V3")],
        )
    one = tm.mmrm(
        "Y ~ AVISIT + us_ar1(PARAMCD, AVISIT | USUBJID)", frame[frame["PARAMCD"] == "SBP"]
    )
    assert one.n_covariance == 2
    assert one.minus2_loglik >= ar1.minus2_loglik


@pytest.mark.parametrize(
    ("term", "message"),
    [
        ("toep(AVISIT | USUBJID, bands=0)", "bands= takes a whole number above zero"),
        ("toep(AVISIT | USUBJID, band=2)", "no keyword band="),
        ("us(AVISIT | USUBJID, bands=2)", "takes no keyword"),
        ("us_ar1(AVISIT | USUBJID)", "takes two factors"),
        ("fa(AVISIT | USUBJID, factors=1.5)", "whole number"),
    ],
)
def test_options_that_make_no_sense_are_refused(wide, term, message):
    with pytest.raises(ExpressionError, match=message):
        tm.mmrm(FORMULA.format(term), wide)


def test_more_factors_than_the_visits_carry_are_refused(wide):
    with pytest.raises(FitError, match="3 factors over 4 visits have 13 parameters"):
        tm.mmrm(FORMULA.format("fa(AVISIT | USUBJID, factors=3)"), wide)
