"""Random intercepts and slopes, against the oracle, closed forms and published fits."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from dense_clusters import DenseClusters
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.models.lmm import lmm

FORMULA = "y ~ time * arm + age + (1 + time | id)"
BY_VISIT = FORMULA + " + diag(visit | id)"


def trial(seed: int, n: int = 24) -> pd.DataFrame:
    """Subjects with times of their own, two arms, 2 to 5 rows each."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        b = rng.normal(size=2) * [2.0, 1.0]
        kept = sorted(rng.choice(5, rng.integers(2, 6), replace=False))
        for visit in kept:
            t = visit + rng.uniform(-0.2, 0.2)
            y = 10 + b[0] + (1 + b[1]) * t + rng.normal() * (0.7 + 0.2 * visit)
            rows.append((f"S{i:02d}", "AB"[i % 2], 40 + i, f"V{visit}", t, y))
    return pd.DataFrame(rows, columns=["id", "arm", "age", "visit", "time", "y"])


def oracle(data: pd.DataFrame, *, reml: bool, by_visit: bool) -> DenseClusters:
    b = (data["arm"] == "B").to_numpy(float)
    t = data["time"].to_numpy()
    X = np.column_stack([np.ones(len(t)), t, b, data["age"], t * b])
    level = pd.factorize(data["visit"], sort=True)[0] if by_visit else np.zeros(len(t), dtype=int)
    group = pd.factorize(data["id"], sort=True)[0]
    Z = np.column_stack([np.ones(len(t)), t])
    return DenseClusters(X, Z, data["y"].to_numpy(), group, level, reml)


def components(fit) -> tuple[np.ndarray, np.ndarray]:
    table = fit.variance_components()
    own = table[table["group"] == "id"]["variance"].to_numpy()
    return np.array([[own[0], own[2]], [own[2], own[1]]]), fit.residual_variances.to_numpy()


#: our order of coefficients against the oracle's columns
ORDER = ["(Intercept)", "time", "armB", "age", "time:armB"]


@settings(deadline=None, max_examples=12, derandomize=True)
@given(st.integers(0, 10_000), st.booleans(), st.booleans())
def test_the_fit_is_the_oracle_s_optimum_with_its_inference(seed, reml, by_visit):
    data = trial(seed)
    fit = lmm(BY_VISIT if by_visit else FORMULA, data, reml=reml)
    if not fit.convergence.converged:
        return
    G, sigma2 = components(fit)
    if np.linalg.eigvalsh(G)[0] < 1e-3:
        return  # at the boundary W has no meaning in one direction
    dense = oracle(data, reml=reml, by_visit=by_visit)
    assert fit.minus2_loglik == pytest.approx(dense.deviance(G, sigma2), rel=1e-10)
    g, H = dense.gradient(G, sigma2), dense.hessian(G, sigma2)
    assert np.sqrt(abs(g @ np.linalg.solve(H, g)) / 2) < 1e-5  # in standard errors of θ
    Phi, _, W, P = dense.kenward_roger(G, sigma2)
    table = fit.coefficients().set_index("term").loc[ORDER]
    # 1e-6: the optimum is reached to about 1e-9 standard errors, H⁻¹ amplifies the rest
    np.testing.assert_allclose(table["estimate"], dense.parts(G, sigma2)[2], rtol=1e-7)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(Phi)), rtol=1e-7)
    df = [
        2 * Phi[k, k] ** 2 / (v @ W @ v)
        for k in range(5)
        for v in [np.array([-(Phi @ p @ Phi)[k, k] for p in P])]
    ]
    np.testing.assert_allclose(table["df"], df, rtol=1e-5)


@pytest.mark.parametrize("formula", [FORMULA, BY_VISIT])
@pytest.mark.parametrize("information", ["observed", "expected"])
def test_kenward_roger_standard_errors_are_the_oracle_s(formula, information):
    data = trial(3, n=40)
    fit = lmm(formula, data, df="kenward-roger", information=information)
    G, sigma2 = components(fit)
    dense = oracle(data, reml=True, by_visit=formula == BY_VISIT)
    adjusted = dense.kenward_roger(G, sigma2, information)[1]
    table = fit.coefficients().set_index("term").loc[ORDER]
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(adjusted)), rtol=1e-7)


@pytest.mark.parametrize("formula", [FORMULA, BY_VISIT])
def test_predicted_effects_and_their_errors_are_henderson_s(formula):
    data = trial(5, n=30)
    fit = lmm(formula, data)
    G, sigma2 = components(fit)
    blup, variance = oracle(data, reml=True, by_visit=formula == BY_VISIT).blup(G, sigma2)
    effects = fit.random_effects()
    np.testing.assert_allclose(effects["estimate"].to_numpy().reshape(-1, 2), blup, atol=1e-8)
    errors = np.sqrt(np.diagonal(variance, axis1=1, axis2=2))
    np.testing.assert_allclose(effects["std_error"].to_numpy().reshape(-1, 2), errors, rtol=1e-7)


REFERENCES = {
    "lmm_sleepstudy_slope": ("sleepstudy.csv", "Reaction ~ Days + (Days | Subject)"),
    "lmm_orthodont_slope": ("orthodont.csv", "distance ~ age_c * Sex + (age_c | Subject)"),
    "lmm_pbcseq_slope": ("pbcseq.csv", "albumin ~ year * trt + (year | id)"),
    "lmm_pbcseq_slope_adjusted": ("pbcseq.csv", "albumin ~ age + sex + year * trt + (year | id)"),
}


@pytest.fixture(params=REFERENCES, scope="module")
def published(request, study_data, reference):
    name, formula = REFERENCES[request.param]
    data = pd.read_csv(study_data / name)
    if name == "orthodont.csv":
        data["age_c"] = data["age"] - 11
        data["Sex"] = pd.Categorical(data["Sex"], ["Male", "Female"])
    found = json.loads((reference / "lmm" / f"{request.param}.json").read_text())["reml"]
    return formula, data, found


def test_estimates_equal_lme4_s_and_df_lmertest_s(published):
    formula, data, found = published
    fit, fixed = lmm(formula, data), found["fixef"]
    table = fit.coefficients()
    assert list(table["term"]) == fixed["names"]
    # tolerances of the reference: criterion 1e-8 absolute, estimates and SE 1e-6, df 1e-5
    assert fit.minus2_loglik == pytest.approx(found["reml_criterion"], abs=1e-8)
    np.testing.assert_allclose(table["estimate"], fixed["estimate"], rtol=1e-6)
    np.testing.assert_allclose(table["std_error"], fixed["se"], rtol=1e-6)
    np.testing.assert_allclose(table["df"], fixed["satterthwaite_df"], rtol=1e-5)
    (own,) = (part for group, part in found["varcomp"].items() if group != "Residual")
    residual = found["varcomp"]["Residual"]["sd"]
    # variance parameters 1e-5 relative
    expected = [*own["sd"], own["corr"][0][1], residual]
    np.testing.assert_allclose(fit.variance_components()["sd"], expected, rtol=1e-5)


def test_kenward_roger_equals_pbkrtest_s_under_expected_information(published):
    formula, data, found = published
    fixed = found["fixef"]
    table = lmm(formula, data, df="kenward-roger", information="expected").coefficients()
    np.testing.assert_allclose(table["std_error"], fixed["kr_se"], rtol=1e-6)
    np.testing.assert_allclose(table["df"], fixed["kr_df"], rtol=1e-5)
    np.testing.assert_allclose(table["p_value"], fixed["kr_p"], rtol=1e-4)  # p of 1e-245: d log p


def test_balanced_data_have_the_closed_form_of_the_slope():
    # y_ij = a + b t + u_i + v_i t + e on the same times: the slope is the mean of the subjects'
    # own least-squares slopes, and its squared standard error their variance over n
    rng = np.random.default_rng(4)
    n, t = 15, np.arange(6.0)
    own = rng.normal(size=(n, 2)) * [3.0, 1.0]
    y = own[:, :1] + own[:, 1:] * t + rng.normal(size=(n, 6))
    data = pd.DataFrame(
        {"id": np.repeat(np.arange(n), 6), "t": np.tile(t, n), "y": y.ravel()}
    ).astype({"id": str})
    slopes = (y @ (t - t.mean())) / ((t - t.mean()) ** 2).sum()
    table = lmm("y ~ t + (1 + t | id)", data, df="kenward-roger").coefficients()
    row = table[table["term"] == "t"].iloc[0]
    assert row["estimate"] == pytest.approx(slopes.mean(), rel=1e-10)
    assert row["std_error"] == pytest.approx(slopes.std(ddof=1) / np.sqrt(n), rel=1e-8)
    assert row["df"] == pytest.approx(n - 1, rel=1e-8)


def test_slopes_by_arm_and_their_difference_are_sums_of_coefficients():
    fit = lmm(FORMULA, trial(6, n=40), df="kenward-roger")
    slopes = fit.slopes("time", by="arm")
    terms = fit.coefficients().set_index("term")
    assert slopes.frame["estimate"].to_list() == pytest.approx(
        [terms.loc["time", "estimate"], terms.loc[["time", "time:armB"], "estimate"].sum()]
    )
    (difference,) = slopes.contrasts("vs-control").frame.to_dict("records")
    for name in ("estimate", "std_error", "df", "p_value"):
        assert difference[name] == pytest.approx(terms.loc["time:armB", name], rel=1e-9)
    with pytest.raises(UsageError, match="linearly"):
        lmm("y ~ I(time**2) * arm + time + (1 | id)", trial(6)).slopes("time", by="arm")
    with pytest.raises(UsageError, match="as a number"):
        fit.slopes("arm")


def test_the_order_of_rows_and_the_labels_of_subjects_do_not_matter():
    data = trial(7)
    one = lmm(FORMULA, data).coefficients()
    shuffled = data.sample(frac=1.0, random_state=1)
    shuffled["id"] = shuffled["id"].map(lambda name: f"X{name}")
    two = lmm(FORMULA, shuffled).coefficients()
    pd.testing.assert_frame_equal(one, two, rtol=1e-9)


def test_units_of_time_and_response_scale_the_slope():
    data = trial(8)
    weeks = data.assign(time=data["time"] * 52, y=1e6 + 1000 * data["y"])
    one = lmm(FORMULA, data).slopes("time", by="arm").frame
    two = lmm(FORMULA, weeks).slopes("time", by="arm").frame
    np.testing.assert_allclose(two["estimate"] * 52 / 1000, one["estimate"], rtol=1e-6)
    np.testing.assert_allclose(two["std_error"] * 52 / 1000, one["std_error"], rtol=1e-6)


def test_a_variance_of_zero_is_an_estimate():
    # between-subject differences smaller than chance: the intercept's variance is estimated as 0
    data = pd.DataFrame(
        {"id": list("aabbccdd"), "y": [1.0, -1.0, 1.1, -1.1, 0.9, -0.9, 1.05, -1.05]}
    )
    fit = lmm("y ~ 1 + (1 | id)", data)
    variance = fit.variance_components()["variance"]
    assert fit.convergence.converged
    assert variance[0] == pytest.approx(0.0, abs=1e-6)
    assert variance[1] == pytest.approx(data["y"].var(ddof=1), rel=1e-6)
    assert fit.icc()["icc"][0] == pytest.approx(0.0, abs=1e-6)


def test_prediction_adds_the_effects_of_known_groups_only():
    data = trial(9)
    fit = lmm(FORMULA, data)
    new = data.head(3).assign(id=["S00", "nobody", None])
    found = fit.predict(new)
    assert found["predicted"].iloc[0] == pytest.approx(fit.predicted[0])
    assert found["predicted"].iloc[1:].tolist() == found["estimate"].iloc[1:].tolist()
    with pytest.raises(FitError, match="nobody"):
        fit.predict(new, new_levels="error")


def test_normalized_residuals_have_unit_quadratic_form():
    data = trial(10, n=40)
    fit = lmm(FORMULA, data, reml=False)
    normalized = fit.residuals("normalized").to_numpy()
    # at the ML optimum r'V⁻¹r = N
    assert normalized @ normalized == pytest.approx(len(data), rel=1e-8)
    response = fit.residuals("response") - fit.residuals("conditional")
    np.testing.assert_allclose(response, fit.predicted - fit.fitted, atol=1e-10)


@pytest.mark.parametrize(
    ("formula", "error", "said"),
    [
        ("y ~ time", UsageError, "no random effects"),
        ("y ~ time + (1 | id) + (1 | arm) + diag(visit | id)", NotAvailableError, "several terms"),
        ("y ~ time + (1 | id) + diag(visit | arm)", UsageError, "same subject"),
        ("y ~ time + (1 + time + I(2 * time) | id)", FitError, "redundant"),
    ],
)
def test_what_is_not_built_or_makes_no_sense_is_refused(formula, error, said):
    with pytest.raises(error, match=said):
        lmm(formula, trial(1))


def test_one_row_per_group_cannot_tell_the_variances_apart():
    data = trial(1).groupby("id", as_index=False).head(1)
    with pytest.raises(FitError, match="one row"):
        lmm("y ~ time + (1 | id)", data)


@pytest.mark.parametrize(
    ("options", "error", "said"),
    [
        ({"vcov": "HC3"}, UsageError, "found 'HC3', expected one of CR0, CR1, CR2, CR3"),
        ({"df": "between-within"}, NotAvailableError, "between-within is not available for this"),
        ({"df": "kr"}, UsageError, "found 'kr', expected one of satterthwaite"),
    ],
)
def test_options_that_random_effects_do_not_have(options, error, said):
    with pytest.raises(error, match=said):
        lmm("y ~ time + (1 | id)", trial(1), **options)
