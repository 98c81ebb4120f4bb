"""A covariance of random effects for every arm, and combinations of columns alone as groups."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_linear import DenseLinear, Term
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import ExpressionError, FitError, NotAvailableError
from trialmlm.models.levels import component_covariance
from trialmlm.models.lmm import lmm
from trialmlm.models.profile_intervals import profile_intervals

FORMULA = "y ~ t * arm + (1 + t | gr(id, by=arm))"


def trial(seed: int, n: int = 40) -> pd.DataFrame:
    """Two arms of which one varies more, visits lost at random."""
    rng = np.random.default_rng(seed)
    id_, visit = np.divmod(np.arange(5 * n), 5)
    arm, t = id_ % 2, visit + rng.uniform(-0.2, 0.2, 5 * n)
    b = rng.normal(size=(n, 2)) * np.where(np.arange(n) % 2, 2.5, 1.0)[:, None]
    y = 10.0 + b[id_, 0] + (1.0 + b[id_, 1] + 0.5 * arm) * t + rng.normal(size=5 * n)
    frame = pd.DataFrame({"id": [f"S{k:02d}" for k in id_], "t": t, "y": y})
    frame["arm"] = np.array(["A", "B"])[arm]
    return frame[rng.random(len(frame)) > 0.15].reset_index(drop=True)


def oracle(fit, data: pd.DataFrame, *, reml: bool = True) -> DenseLinear:
    """Effects of each arm as terms of their own, zero in the other arm's rows."""
    t, b = data["t"].to_numpy(), (data["arm"] == "B").to_numpy(float)
    X = np.column_stack([np.ones(len(t)), t, b, t * b])
    Z, code = X[:, :2], pd.factorize(data["id"], sort=True)[0]
    table = fit.variance_components()["variance"].to_numpy()
    G = [
        np.array([[one, cov], [cov, two]]) for one, two, cov in (table[[0, 1, 4]], table[[2, 3, 5]])
    ]
    terms = [Term(Z * (1 - b)[:, None], code, G[0]), Term(Z * b[:, None], code, G[1])]
    return DenseLinear(X, data["y"].to_numpy(), terms, float(table[6]), reml)


@settings(deadline=None, max_examples=8, derandomize=True)
@given(st.integers(0, 10_000), st.booleans())
def test_the_fit_is_the_oracle_s_optimum_with_its_inference(seed, reml):
    data = trial(seed)
    fit = lmm(FORMULA, data, reml=reml)
    if fit.notes or not fit.convergence.converged:
        return  # at the boundary W has no meaning in one direction
    dense = oracle(fit, data, reml=reml)
    assert fit.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    g, H = dense.gradient, dense.hessian()
    assert np.sqrt(abs(g @ np.linalg.solve(H, g)) / 2) < 1e-5  # in standard errors of θ
    _, Phi, beta = dense.parts
    table = fit.coefficients()
    # the optimum is reached to 1e-8 standard errors; the Hessian amplifies the rest
    np.testing.assert_allclose(table["estimate"], beta, rtol=1e-7)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(Phi)), rtol=1e-7)
    np.testing.assert_allclose(table["df"], dense.df(dense.W()), rtol=1e-5)
    order = [0, 2, 3, 5, 1, 4, 6]  # variances before covariances, arm by arm
    np.testing.assert_allclose(
        component_covariance(fit), dense.W()[np.ix_(order, order)], rtol=1e-5, atol=1e-12
    )


def test_kenward_roger_and_predicted_effects_are_the_oracle_s():
    data = trial(5)
    fit = lmm(FORMULA, data, df="kenward-roger")
    assert not fit.notes
    dense = oracle(fit, data)
    adjusted = np.sqrt(np.diag(dense.kenward_roger(dense.W())))
    np.testing.assert_allclose(fit.coefficients()["std_error"], adjusted, rtol=1e-7)
    effects = fit.random_effects()
    for term, arm in zip(dense.terms, "AB", strict=True):
        blup, variance = dense.effects(term)
        own = effects[effects["term"].str.startswith(f"arm{arm}:")]
        here = np.sort(data.loc[data["arm"] == arm, "id"].unique())
        assert own["level"].tolist() == np.repeat(here, 2).tolist()  # an arm's own subjects alone
        at = np.isin(np.sort(data["id"].unique()), here)
        np.testing.assert_allclose(own["estimate"], blup[at].ravel(), atol=1e-7)
        errors = np.sqrt(np.diag(variance)).reshape(blup.shape)[at].ravel()
        np.testing.assert_allclose(own["std_error"], errors, rtol=1e-7)


def test_a_covariance_for_each_sex_is_lme4_s(study_data):
    data = pd.read_csv(study_data / "pbcseq.csv")
    fit = lmm("albumin ~ year * sex + (1 + year | gr(id, by=sex))", data)
    # lme4 1.1-31, (0 + F + F:year | id) + (0 + M + M:year | id) with indicators F and M; its search
    # ends 1.9e-6 above this optimum, which is 1e-3 standard errors and less
    assert fit.minus2_loglik == pytest.approx(1937.9943977018, abs=3e-6)
    assert fit.minus2_loglik < 1937.9943977018
    found = fit.coefficients()
    estimates = [3.53728416604, -0.08602869995, 0.03368666740, -0.02960751664]
    errors = np.array([0.023971354177, 0.005648369822, 0.076702032647, 0.019686453587])
    assert (np.abs(found["estimate"] - estimates) / errors).max() < 1e-3
    np.testing.assert_allclose(found["std_error"], errors, rtol=1e-3)
    variances = [0.1172314775294, 0.0028056885820, 0.1485669631691, 0.0052456156292]
    np.testing.assert_allclose(fit.variance_components()["variance"][:4], variances, rtol=1e-3)


def test_one_covariance_is_the_model_that_is_nested_in_it():
    data = trial(8)
    one, two = lmm("y ~ t * arm + (1 + t | id)", data), lmm(FORMULA, data)
    assert two.n_covariance == one.n_covariance + 3
    assert two.minus2_loglik < one.minus2_loglik


def test_a_new_subject_has_the_variance_of_its_arm():
    data = trial(5)
    fit = lmm(FORMULA, data)
    new = pd.DataFrame({"t": [0.0, 2.0, 0.0, 2.0], "arm": ["A", "A", "B", "B"]})
    found = fit.predict(new, interval="cluster")["between_variance"]
    dense = oracle(fit, data)
    z = np.array([[1.0, 0.0], [1.0, 2.0]])
    expected = [row @ term.G @ row for term in dense.terms for row in z]
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_profiles_are_of_each_arm_s_parameters():
    found = profile_intervals(lmm(FORMULA, trial(5)))
    names = ["armA:(Intercept)", "armA:t", "armA:(Intercept)"]
    assert found["term"].tolist()[:3] == names
    assert (found["ci_low"] < found["estimate"]).all()


@pytest.mark.parametrize(
    ("formula", "error", "said"),
    [
        ("y ~ t + (1 | gr(id))", ExpressionError, "by= names the column"),
        ("y ~ t + (1 | gr(id, by=2))", ExpressionError, "a column is expected"),
        ("y ~ t + gr(id, by=arm)", ExpressionError, r"gr\(…\) stands after '\|'"),
        ("y ~ t + (1 | gr(id, by=half))", FitError, "id S00 has rows of half 0 and 1"),
        ("y ~ t + (1 | gr(id, by=lone))", FitError, "lone Y has one id"),
        (f"{FORMULA} + ar1(v | id)", NotAvailableError, "for each arm beside a residual"),
        (f"{FORMULA} + diag(v | id)", NotAvailableError, "for each arm beside a residual|several"),
    ],
)
def test_what_makes_no_sense_or_is_not_built_is_refused(formula, error, said):
    data = trial(1).assign(half=lambda d: (d["t"] > 2).astype(int))
    data = data.assign(
        lone=np.where(data["id"] == "S03", "Y", "N"), v=data.groupby("id").cumcount()
    )
    with pytest.raises(error, match=said):
        lmm(formula, data)


def test_tables_of_one_covariance_are_refused():
    fit = lmm(FORMULA, trial(5))
    for asked in (fit.icc, fit.partial_pooling):
        with pytest.raises(NotAvailableError, match="differs by arm"):
            asked()


def test_programs_group_the_random_statement_in_sas_and_have_none_in_r():
    fit = lmm(FORMULA, trial(5))
    assert "random int t / subject=id type=un group=arm g;" in fit.to_sas("d")
    with pytest.raises(NotAvailableError, match="covariance of G for each level"):
        fit.to_r("d")


def test_combinations_alone_are_a_grouping_factor(study_data):
    data = pd.read_csv(study_data / "machines.csv")
    fit = lmm("score ~ Machine + (1 | Worker:Machine)", data)
    assert [part.name for part in fit.parts] == ["Worker:Machine"]
    # lme4 1.1-31
    assert fit.minus2_loglik == pytest.approx(221.25559004957, abs=1e-8)
    components = fit.variance_components()["variance"]
    np.testing.assert_allclose(components, [36.7679017672, 0.9246296241], rtol=1e-6)
    errors = [2.485830232, 3.515494827, 3.515494827]
    np.testing.assert_allclose(fit.coefficients()["std_error"], errors, rtol=1e-7)
    assert "subject=Machine(Worker)" in fit.to_sas("d")
    assert "(1 | Worker:Machine)" in fit.to_r("d")


def test_a_nesting_written_out_is_the_nesting(study_data):
    data = pd.read_csv(study_data / "machines.csv")
    one = lmm("score ~ Machine + (1 | Worker/Machine)", data)
    two = lmm("score ~ Machine + (1 | Worker) + (1 | Worker:Machine)", data)
    pd.testing.assert_frame_equal(one.random_effects(), two.random_effects())
    assert one.minus2_loglik == two.minus2_loglik
