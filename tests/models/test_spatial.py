"""Spatial covariances: at common visits, at own times, and what must not depend on which."""

from __future__ import annotations

import numpy as np
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.covariance.register import SPATIAL
from trialmlm.errors import FitError, NotAvailableError
from trialmlm.models import occasions

FORMULA = "CHG ~ BASE + ARMCD*AVISIT + {}({} | USUBJID)"


@pytest.fixture(scope="module")
def frame():
    found = random_trial(61, n_subjects=40, n_visits=4, missing=0.15).frame
    # errors that are correlated over time, and times about a nominal day
    rng = np.random.default_rng(1)
    level = dict(zip(found["USUBJID"].unique(), rng.normal(0, 2, 40), strict=False))
    day = found["AVISIT"].str[1:].astype(int)
    return found.assign(
        CHG=found["CHG"] + found["USUBJID"].map(level),
        VISITN=day,
        DAY=day + np.round(rng.normal(0, 0.15, len(found)), 3),
        PLACE=rng.normal(size=len(found)),
    )


def table(fit):
    return fit.coefficients()[["estimate", "std_error", "df"]].to_numpy()


@pytest.mark.parametrize("name", SPATIAL)
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger", "kenward-roger-linear"])
def test_patterns_and_subjects_one_by_one_give_the_same_fit(name, df, frame, monkeypatch):
    formula = FORMULA.format(name, "VISITN").replace("| USUBJID", "| ARMCD / USUBJID")
    weighted = frame.assign(W=np.where(frame["DAY"] > 2.0, 2.0, 0.5))
    common = tm.mmrm(formula, weighted, df=df, weights="W")
    monkeypatch.setattr(occasions, "_COMMON", 0)
    own = tm.mmrm(formula, weighted, df=df, weights="W")
    assert common.occasions.common
    assert not own.occasions.common
    assert own.convergence.converged
    # two searches, each to 1e-6 standard errors and one step beyond
    assert own.minus2_loglik == pytest.approx(common.minus2_loglik, abs=1e-9)
    np.testing.assert_allclose(table(own), table(common), rtol=1e-8)
    for kind in ("pearson", "normalized"):
        np.testing.assert_allclose(own.residuals(kind), common.residuals(kind), rtol=1e-7)
    for arm in ("A", "B"):
        at_one = common.covariance[arm].iloc[:2, :2].to_numpy()
        np.testing.assert_allclose(own.covariance[arm], at_one, rtol=1e-7)


def test_exponential_and_power_are_one_and_autoregression_is_their_equidistant_case(frame):
    exponential = tm.mmrm(FORMULA.format("sp_exp", "VISITN"), frame)
    power = tm.mmrm(FORMULA.format("sp_pow", "VISITN"), frame)
    ar1 = tm.mmrm(FORMULA.format("ar1", "AVISIT"), frame)
    for other in (power, ar1):
        assert other.minus2_loglik == pytest.approx(exponential.minus2_loglik, abs=1e-9)
        np.testing.assert_allclose(other.covariance, exponential.covariance, rtol=1e-8)
        np.testing.assert_allclose(table(other), table(exponential), rtol=1e-7)


def test_a_range_is_in_units_of_time_and_nothing_else_depends_on_them(frame):
    days = tm.mmrm(FORMULA.format("sp_exp", "DAY"), frame)
    hours = tm.mmrm(FORMULA.format("sp_exp", "DAY"), frame.assign(DAY=frame["DAY"] * 24.0))
    np.testing.assert_allclose(table(hours), table(days), rtol=1e-8)
    assert days.n_covariance == 2
    assert not days.occasions.common


def test_two_coordinates_are_euclidean(frame):
    both = tm.mmrm(FORMULA.format("sp_gau", "DAY, PLACE"), frame)
    turned = frame.assign(DAY=-frame["PLACE"], PLACE=frame["DAY"])
    np.testing.assert_allclose(
        table(tm.mmrm(FORMULA.format("sp_gau", "DAY, PLACE"), turned)), table(both), rtol=1e-8
    )


def test_two_rows_at_one_time_are_refused(frame):
    twice = frame.assign(DAY=frame["DAY"].where(frame["VISITN"] > 2, 1.0))
    with pytest.raises(FitError, match="subject-visits have several rows"):
        tm.mmrm(FORMULA.format("sp_exp", "DAY"), twice)


def test_what_own_times_do_not_have_yet_says_so(frame):
    fit = tm.mmrm(FORMULA.format("sp_exp", "DAY"), frame)
    new = frame.head(3)
    for ask in (
        lambda: fit.predict(new, interval="prediction"),
        lambda: fit.predict(new, conditional=True),
        lambda: fit.simulate(1, conditional=True),
        fit.influence,
    ):
        with pytest.raises(NotAvailableError, match="where subjects have times of their own"):
            ask()
    assert len(fit.predict(new)) == 3
    assert len(fit.simulate(1)) == fit.n_obs


@pytest.mark.filterwarnings("error")
def test_a_range_that_the_data_do_not_know_has_no_upper_limit(frame):
    """Independent errors: the range is next to zero, and its standard error far larger."""
    rng = np.random.default_rng(2)
    loose = frame.assign(CHG=rng.normal(size=len(frame)), AT=rng.uniform(0, 1000, len(frame)))
    found = tm.mmrm(FORMULA.format("sp_exp", "AT"), loose).covariance_parameters()
    assert found.loc[1, "std_error"] > 1e6 * found.loc[1, "estimate"]
    assert found.loc[1, ["ci_low", "ci_high"]].tolist() == [0.0, np.inf]
