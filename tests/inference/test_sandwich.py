"""Sandwich covariances against the dense oracle, ordinary least squares, and what must hold."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_sandwich import DenseSandwich
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import random_trial, rich_enough, trials

from trialmlm.engine import whitened
from trialmlm.errors import FitError
from trialmlm.inference.contrasts import estimates, f_test
from trialmlm.models.mmrm import mmrm

KINDS = ["CR0", "CR1", "CR2", "CR3"]
PROPERTY = settings(deadline=None, max_examples=20, derandomize=True)
STRUCTURES = ["us", "cs", "ar1h", "adh", "diag"]
# both sides take the same Σ̂; the oracle inverts N × N matrices of condition up to 1e4
TOLERANCE = 1e-8
US = "us(AVISIT | USUBJID)"


@st.composite
def cases(draw: st.DrawFn):
    trial = draw(trials(least=14, most=28))
    assume(rich_enough(trial))
    return trial, draw(st.sampled_from(STRUCTURES)), draw(st.integers(0, 2**20))


def fitted(trial, structure, **options):
    formula = trial.formula.replace("us(", f"{structure}(")
    fit = mmrm(formula, trial.frame, **options)
    assume(fit.convergence.converged and fit.convergence.condition > 1e-2)
    dense = trial.dense(list(fit.coding.names), reml=options.get("reml", True))
    V = dense.big(fit.covariance.to_numpy())
    return fit, DenseSandwich(dense.X, dense.y, dense.subject, V, options["vcov"])


@pytest.mark.parametrize("vcov", KINDS)
@PROPERTY
@given(cases(), st.booleans())
def test_covariance_and_df_equal_the_oracle(vcov, case, reml):
    trial, structure, seed = case
    fit, oracle = fitted(trial, structure, vcov=vcov, reml=reml)
    wanted = oracle.vcov()
    size = np.sqrt(np.outer(np.diag(wanted), np.diag(wanted)))
    np.testing.assert_allclose(fit.vcov / size, wanted / size, rtol=TOLERANCE, atol=TOLERANCE)
    rows = np.random.default_rng(seed).normal(size=(2, len(wanted)))
    L = np.vstack([np.eye(len(wanted)), rows])
    found = estimates(fit.method, L)
    np.testing.assert_allclose(found.df, [oracle.df(row) for row in L], rtol=TOLERANCE)
    errors = np.sqrt(((L @ wanted) * L).sum(axis=1))
    np.testing.assert_allclose(found.std_error, errors, rtol=TOLERANCE)


@pytest.mark.parametrize("vcov", ["CR0", "CR2", "CR3"])
@PROPERTY
@given(cases())
def test_f_tests_equal_the_oracle(vcov, case):
    trial, structure, seed = case
    fit, oracle = fitted(trial, structure, vcov=vcov)
    rows = np.random.default_rng(seed).normal(size=(3, len(fit.coding.names)))
    F, df = oracle.test(rows)
    principal = np.linalg.eigh(rows @ oracle.vcov() @ rows.T)[1].T @ rows
    assume(min(oracle.df(row) for row in principal) > 3)
    test = f_test(fit.method, rows)
    assert test.num_df == 3
    # LVL' is solved: its condition costs digits
    assert test.statistic == pytest.approx(F, rel=1e-7)
    assert test.den_df == pytest.approx(df, rel=1e-6)


def covariance_of_rows(fit, frame):
    """Of any two rows with weight one, were they of one subject."""
    if "DAY" in fit.formula:
        variance, covariance = fit.covariance.to_numpy()[0, :2]  # at distance one
        distance = np.abs(np.subtract.outer(frame["DAY"].to_numpy(), frame["DAY"].to_numpy()))
        return variance * (covariance / variance) ** distance
    arms = frame["ARMCD"].to_numpy()
    found = np.zeros((len(frame), len(frame)))
    for arm in np.unique(arms):
        Sigma = fit.covariance[arm] if "ARMCD /" in fit.formula else fit.covariance
        of_rows = Sigma.loc[frame["AVISIT"], frame["AVISIT"]].to_numpy()
        found = np.where((arms == arm)[:, None], of_rows, found)
    return found


@pytest.mark.parametrize("vcov", KINDS)
@pytest.mark.parametrize(
    ("term", "weights"),
    [
        ("us(AVISIT | USUBJID)", "W"),
        ("ar1h(AVISIT | ARMCD / USUBJID)", None),
        ("csh(AVISIT | ARMCD / USUBJID)", "W"),
        ("sp_exp(DAY | USUBJID)", None),
        ("sp_exp(DAY | USUBJID)", "W"),
    ],
)
def test_weights_groups_and_times_of_each_subject_equal_the_oracle(vcov, term, weights):
    rng = np.random.default_rng(17)
    frame = random_trial(17, n_subjects=40, n_visits=4).frame
    frame = frame.assign(
        W=rng.uniform(0.3, 3.0, len(frame)),
        DAY=frame["AVISIT"].str[1:].astype(float) + rng.uniform(-0.4, 0.4, len(frame)),
    )
    formula = f"CHG ~ BASE + PULSE + ARMCD * AVISIT + {term}"
    fit = mmrm(formula, frame, weights=weights, vcov=vcov)
    assert fit.convergence.converged
    X = fit.coding.matrix(fit.variables, len(frame))
    subject = pd.factorize(frame["USUBJID"])[0]
    V = np.where(subject[:, None] == subject[None, :], covariance_of_rows(fit, frame), 0.0)
    if weights:
        root = np.sqrt(frame["W"].to_numpy())
        V = V / np.outer(root, root)
    oracle = DenseSandwich(X, frame["CHG"].to_numpy(), subject, V, vcov)
    table = fit.coefficients()
    np.testing.assert_allclose(table["estimate"], oracle.beta, rtol=1e-7)
    errors = np.sqrt(np.diag(oracle.vcov()))
    np.testing.assert_allclose(table["std_error"], errors, rtol=TOLERANCE)
    df = [oracle.df(row) for row in np.eye(len(errors))]
    np.testing.assert_allclose(table["df"], df, rtol=TOLERANCE)


def one_visit():
    frame = random_trial(7, n_subjects=40, n_arms=3, missing=0.0).frame
    return frame.query("AVISIT == 'V1'").reset_index(drop=True)


def test_one_visit_gives_the_heteroscedasticity_consistent_covariances_of_least_squares():
    frame = one_visit()
    X = np.column_stack(
        [np.ones(len(frame)), frame["BASE"], *(frame["ARMCD"] == arm for arm in "BC")]
    ).astype(float)
    bread = np.linalg.inv(X.T @ X)
    e = frame["CHG"].to_numpy() - X @ (bread @ X.T @ frame["CHG"].to_numpy())
    h = ((X @ bread) * X).sum(axis=1)
    n = len(frame)
    weights = {"CR0": 1, "CR1": n / (n - 1), "CR2": 1 / (1 - h), "CR3": 1 / (1 - h) ** 2}
    for kind, weight in weights.items():
        fit = mmrm(f"CHG ~ BASE + ARMCD + {US}", frame, vcov=kind)
        wanted = bread @ (X * (weight * e**2)[:, None]).T @ X @ bread
        np.testing.assert_allclose(fit.vcov, wanted, rtol=1e-9, atol=1e-12 * wanted.max())


def test_two_groups_of_one_visit_are_welch_s_with_the_df_of_bell_and_mccaffrey():
    frame = one_visit().query("ARMCD != 'C'")
    frame = frame.drop(frame.index[frame["ARMCD"] == "A"][:3])
    fit = mmrm(f"CHG ~ ARMCD + {US}", frame, vcov="CR2")
    a, b = (frame.loc[frame["ARMCD"] == arm, "CHG"] for arm in "AB")
    effect = fit.coefficients().iloc[1]
    assert effect["std_error"] == pytest.approx(
        np.sqrt(a.var() / a.size + b.var() / b.size), rel=1e-9
    )
    # Imbens and Kolesár (2016), section II.C, for groups of n and m
    n, m = a.size, b.size
    df = (n + m) ** 2 * (n - 1) * (m - 1) / (n**2 * (n - 1) + m**2 * (m - 1))
    assert n != m
    assert effect["df"] == pytest.approx(df, rel=1e-9)


@pytest.mark.parametrize("vcov", KINDS)
def test_blocks_of_subjects_add_up(vcov, monkeypatch):
    trial = random_trial(3, n_subjects=50)
    whole = mmrm(trial.formula, trial.frame, vcov=vcov)
    table, test = whole.coefficients(), whole.anova()
    monkeypatch.setattr(whitened, "BLOCK", 1000)
    pieces = mmrm(trial.formula, trial.frame, vcov=vcov)
    assert len(pieces.method.rule.covariance._parts) > 5
    pd.testing.assert_frame_equal(pieces.coefficients(), table, check_exact=False, rtol=1e-11)
    pd.testing.assert_frame_equal(pieces.anova(), test, check_exact=False, rtol=1e-10)


def test_many_rows_have_the_df_of_each():
    trial = random_trial(4)
    fit = mmrm(trial.formula, trial.frame, vcov="CR2")
    rows = np.random.default_rng(0).normal(size=(75, len(fit.coding.names)))
    alone = [estimates(fit.method, row[None]).df[0] for row in rows]
    np.testing.assert_allclose(estimates(fit.method, rows).df, alone, rtol=1e-12)


@pytest.mark.parametrize("vcov", ["CR2", "CR3"])
def test_a_subject_with_a_coefficient_of_its_own_says_nothing_of_the_others(vcov):
    # its leverage is one: (I − H)⁻¹ does not exist, its residual is zero
    trial = random_trial(5, missing=0.0)
    frame = trial.frame.assign(OWN=0.0)
    last = frame["USUBJID"].max()
    at = (frame["USUBJID"] == last) & (frame["AVISIT"] == "V1")
    frame.loc[at, "OWN"] = 1.0
    frame, at = frame[(frame["USUBJID"] != last) | at], at[(frame["USUBJID"] != last) | at]
    formula = f"CHG ~ BASE + ARMCD * AVISIT + {{}}{US}"
    with_it = mmrm(formula.format("OWN + "), frame, vcov=vcov).coefficients()
    without = mmrm(formula.format(""), frame[~at], vcov=vcov).coefficients()
    shared = with_it[with_it["term"] != "OWN"].reset_index(drop=True)
    pd.testing.assert_frame_equal(shared, without, check_exact=False, rtol=1e-6)


def test_the_kinds_are_ordered_and_cr1_is_cr0_times_its_factor():
    trial = random_trial(6)
    errors = {kind: mmrm(trial.formula, trial.frame, vcov=kind).coefficients() for kind in KINDS}
    for low, high in (("CR0", "CR2"), ("CR2", "CR3")):
        assert (errors[low]["std_error"] < errors[high]["std_error"]).all()
    n = trial.frame["USUBJID"].nunique()
    ratio = errors["CR1"]["std_error"] / errors["CR0"]["std_error"]
    np.testing.assert_allclose(ratio, np.sqrt(n / (n - 1)), rtol=1e-12)
    np.testing.assert_allclose(errors["CR1"]["df"], errors["CR0"]["df"], rtol=1e-12)


def test_units_and_the_place_of_zero_do_not_matter():
    trial = random_trial(8)
    one = mmrm(trial.formula, trial.frame, vcov="CR2").coefficients()
    moved = trial.frame.assign(CHG=1e6 + 1e6 * trial.frame["CHG"])
    two = mmrm(trial.formula, moved, vcov="CR2").coefficients()
    np.testing.assert_allclose(two["std_error"], 1e6 * one["std_error"], rtol=1e-8)
    np.testing.assert_allclose(two["df"], one["df"], rtol=1e-8)


def test_the_order_of_the_rows_changes_not_one_bit():
    trial = random_trial(9)
    one = mmrm(trial.formula, trial.frame, vcov="CR3").coefficients()
    two = mmrm(trial.formula, trial.frame.iloc[::-1], vcov="CR3").coefficients()
    pd.testing.assert_frame_equal(one, two, check_exact=True)


def test_aliased_columns_change_nothing():
    trial = random_trial(10)
    twin = trial.frame.assign(TWIN=2.0 * trial.frame["BASE"])
    one = mmrm(f"CHG ~ BASE + ARMCD * AVISIT + {US}", twin, vcov="CR2").coefficients()
    two = mmrm(f"CHG ~ BASE + TWIN + ARMCD * AVISIT + {US}", twin, vcov="CR2").coefficients()
    assert two.loc[two["term"] == "TWIN"].drop(columns="term").isna().all(axis=None)
    shared = two[two["term"] != "TWIN"].reset_index(drop=True)
    pd.testing.assert_frame_equal(shared, one, check_exact=False, rtol=1e-9)


def test_more_rows_than_subjects_carry_give_no_test():
    # the scores of three subjects span three dimensions at most
    frame = random_trial(12, n_subjects=3, n_visits=5, missing=0.0).frame
    fit = mmrm("CHG ~ AVISIT + cs(AVISIT | USUBJID)", frame, vcov="CR0", df="between-within")
    test = f_test(fit.method, np.eye(5))
    assert (test.num_df, np.isnan(test.statistic), np.isnan(test.p_value)) == (5, True, True)
    assert np.isfinite(f_test(fit.method, np.eye(5)[1:2]).statistic)


def test_one_subject_is_refused():
    frame = random_trial(13, n_subjects=1, n_visits=6, missing=0.0).frame
    with pytest.raises(FitError, match="differences between subjects"):
        mmrm("CHG ~ PULSE + diag(AVISIT | USUBJID)".replace("diag", "cs"), frame, vcov="CR0")
