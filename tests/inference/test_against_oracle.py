"""Standard errors, degrees of freedom and F tests of a fit, against the dense oracle."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import random_trial, rich_enough, trials

from trialmlm.inference.contrasts import estimates, f_test
from trialmlm.inference.register import REPEATED_DF_METHODS
from trialmlm.models.mmrm import mmrm

PROPERTY = settings(deadline=None, max_examples=15, derandomize=True)
# W is an inverse Hessian: cond(H) up to 1e6 costs as many digits of the oracle's plain inverse
TOLERANCE = 1e-7


def fitted(trial, **options):
    found = mmrm(trial.formula, trial.frame, **options)
    assume(found.convergence.converged and found.convergence.condition > 1e-2)
    dense = trial.dense(list(found.coding.names), reml=options.get("reml", True))
    return found, dense, found.covariance.to_numpy()


@st.composite
def cases(draw: st.DrawFn):
    trial = draw(trials(least=20, most=32))
    assume(rich_enough(trial))
    return trial, draw(st.integers(1, 3)), draw(st.integers(0, 2**20))


@PROPERTY
@given(cases(), st.booleans(), st.sampled_from(["observed", "expected"]))
def test_satterthwaite_equals_the_oracle(case, reml, information):
    trial, rank, seed = case
    found, dense, Sigma = fitted(trial, reml=reml, information=information)
    table = found.coefficients()
    _, Phi, beta = dense.parts(Sigma)
    np.testing.assert_allclose(table["estimate"], beta, rtol=1e-8, atol=1e-9)
    np.testing.assert_allclose(found.vcov, Phi, rtol=1e-7, atol=1e-9 * Phi.max())
    rows = np.random.default_rng(seed).normal(size=(rank, beta.size))
    df = [dense.satterthwaite_df(Sigma, row, information) for row in rows]
    np.testing.assert_allclose(estimates(found.method, rows).df, df, rtol=TOLERANCE)


@PROPERTY
@given(cases())
def test_satterthwaite_s_f_test_equals_the_oracle(case):
    trial, rank, seed = case
    found, dense, Sigma = fitted(trial)
    rows = np.random.default_rng(seed).normal(size=(rank, len(found.coding.names)))
    assume(min(dense.satterthwaite_df(Sigma, row) for row in rows) > 3)
    test = f_test(found.method, rows)
    # the oracle's basis of the rows is that of the rows in X's own coordinates, ours too
    F, df = dense.satterthwaite_test(Sigma, rows)
    assert test.num_df == rank
    assert test.statistic == pytest.approx(F, rel=TOLERANCE)
    assert test.den_df == pytest.approx(df, rel=1e-6)


@PROPERTY
@given(cases())
def test_kenward_roger_equals_the_oracle(case):
    trial, rank, seed = case
    found, dense, Sigma = fitted(trial, df="kenward-roger")
    _, adjusted, _, _ = dense.kenward_roger(Sigma)
    np.testing.assert_allclose(found.vcov, adjusted, rtol=TOLERANCE, atol=1e-8 * adjusted.max())
    rows = np.random.default_rng(seed).normal(size=(rank, len(adjusted)))
    test = f_test(found.method, rows)
    F, df, p = dense.kenward_roger_test(Sigma, rows)
    assert test.statistic == pytest.approx(F, rel=TOLERANCE)
    assert test.den_df == pytest.approx(df, rel=TOLERANCE)
    assert test.p_value == pytest.approx(p, rel=1e-5, abs=1e-12)


def test_one_row_has_the_same_df_under_satterthwaite_and_kenward_roger():
    trial = random_trial(11)
    one = mmrm(trial.formula, trial.frame).coefficients()
    two = mmrm(trial.formula, trial.frame, df="kenward-roger").coefficients()
    np.testing.assert_allclose(one["df"], two["df"], rtol=1e-12)
    assert (two["std_error"] > one["std_error"]).any()


def test_kenward_roger_and_its_linear_form_are_one_for_the_unstructured_family():
    trial = random_trial(12)
    full = mmrm(trial.formula, trial.frame, df="kenward-roger")
    linear = mmrm(trial.formula, trial.frame, df="kenward-roger-linear")
    np.testing.assert_array_equal(full.vcov, linear.vcov)


def test_kenward_roger_s_f_does_not_depend_on_the_basis_of_the_rows():
    trial = random_trial(13)
    found = mmrm(trial.formula, trial.frame, df="kenward-roger")
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(3, len(found.coding.names)))
    one, two = f_test(found.method, rows), f_test(found.method, rng.normal(size=(3, 3)) @ rows)
    assert one.statistic == pytest.approx(two.statistic, rel=1e-9)
    assert one.den_df == pytest.approx(two.den_df, rel=1e-9)


@pytest.mark.parametrize("vcov", [None, "CR2"])
@pytest.mark.parametrize("df", list(REPEATED_DF_METHODS))
def test_an_f_test_of_one_row_is_the_square_of_its_t(df, vcov):
    if vcov is not None and REPEATED_DF_METHODS[df].own_covariance:
        return
    trial = random_trial(14)
    found = mmrm(trial.formula, trial.frame, df=df, vcov=vcov)
    row = np.random.default_rng(1).normal(size=(1, len(found.coding.names)))
    t, F = estimates(found.method, row), f_test(found.method, row)
    assert F.statistic == pytest.approx(t.statistic[0] ** 2, rel=1e-12)
    assert F.p_value == pytest.approx(t.p_value[0], rel=1e-9)
    assert F.den_df == pytest.approx(t.df[0], rel=1e-12)


def test_redundant_and_inestimable_rows_do_not_count():
    trial = random_trial(15)
    twin = trial.frame.assign(TWIN=2.0 * trial.frame["BASE"])
    found = mmrm("CHG ~ BASE + TWIN + AVISIT + us(AVISIT | USUBJID)", twin)
    unit = np.eye(len(found.coding.names))
    visits = unit[3:5]
    both = f_test(found.method, np.vstack([visits, visits.sum(axis=0), unit[2:3]]))
    alone = f_test(found.method, visits)
    assert both.num_df == alone.num_df == 2
    assert both.statistic == pytest.approx(alone.statistic, rel=1e-12)
    nothing = f_test(found.method, unit[2:3])
    assert nothing.num_df == 0
    assert np.isnan(nothing.p_value)


def test_residual_df_is_rows_less_rank_and_asymptotic_is_the_normal():
    trial = random_trial(16)
    residual = mmrm(trial.formula, trial.frame, df="residual").coefficients()
    normal = mmrm(trial.formula, trial.frame, df="asymptotic").coefficients()
    assert (residual["df"] == len(trial.frame) - len(residual)).all()
    assert np.isinf(normal["df"]).all()
    half = (normal["ci_high"] - normal["estimate"]) / normal["std_error"]
    np.testing.assert_allclose(half, 1.959963984540054, rtol=1e-12)
