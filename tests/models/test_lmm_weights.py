"""Rows of different weight beside random effects, against matrices of all rows and lme4."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pytest
from dense_linear import DenseLinear, Term
from dense_sandwich import DenseSandwich
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.models.levels import levels_of
from trialmlm.models.lmm import lmm
from trialmlm.models.parametric_bootstrap import parametric_bootstrap
from trialmlm.models.random_effects_test import random_effects_test

MODELS = {
    "one factor": "y ~ t + x + (1 + t | id)",
    "nested": "y ~ t + x + (1 | site) + (1 + t | id)",
    "crossed": "y ~ t + x + (1 | id) + (1 | rater)",
}


@dataclass(frozen=True)
class Weighted(DenseLinear):
    """R = σ² diag(1/w)."""

    w: np.ndarray = field(default_factory=lambda: np.ones(0))

    @property
    def tangent(self) -> list[np.ndarray]:
        return [*super().tangent[:-1], np.diag(1.0 / self.w)]


def trial(seed: int, n: int = 30) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    id_, visit = np.divmod(np.arange(5 * n), 5)
    frame = pd.DataFrame({"id": id_, "site": id_ // 5, "rater": rng.integers(0, 6, 5 * n)})
    frame["t"], frame["x"] = visit + rng.uniform(-0.2, 0.2, 5 * n), rng.normal(size=5 * n)
    frame["w"] = rng.uniform(0.3, 4.0, 5 * n)
    b = rng.normal(size=(n, 2)) * [2.0, 0.7]
    noise = rng.normal(size=5 * n) / np.sqrt(frame["w"])
    y = 3.0 + b[id_, 0] + b[id_, 1] * frame["t"] + rng.normal(size=6)[frame["rater"]] + noise
    frame["y"] = y + rng.normal(size=6)[frame["site"]]
    return frame[rng.random(len(frame)) > 0.1].reset_index(drop=True)


def oracle(fit, data: pd.DataFrame, *, reml: bool = True) -> Weighted:
    X = np.column_stack([np.ones(len(data)), data["t"], data["x"]])
    terms = [
        Term(np.column_stack([X[:, k] for k in range(len(level.terms))]), level.codes, level.G)
        for level in levels_of(fit)
    ]
    sigma2 = float(fit.residual_variances.iloc[0])
    return Weighted(X, data["y"].to_numpy(), terms, sigma2, reml, data["w"].to_numpy())


@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=4, derandomize=True)
@given(seed=st.integers(0, 10_000), reml=st.booleans())
def test_the_fit_is_the_oracle_s_optimum_with_its_inference(model, seed, reml):
    data = trial(seed)
    fit = lmm(MODELS[model], data, weights="w", reml=reml)
    if fit.notes:
        return  # at the boundary W has no meaning in one direction
    dense = oracle(fit, data, reml=reml)
    assert fit.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    g, H = dense.gradient, dense.hessian()
    assert np.sqrt(abs(g @ np.linalg.solve(H, g)) / 2) < 1e-5  # in standard errors of θ
    table = fit.coefficients()
    # the optimum is reached to 1e-8 standard errors; the Hessian amplifies the rest
    np.testing.assert_allclose(table["estimate"], dense.parts[2], rtol=1e-6)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(dense.parts[1])), rtol=1e-7)
    np.testing.assert_allclose(table["df"], dense.df(dense.W()), rtol=1e-5)
    blup, variance = dense.effects(dense.terms[-1])
    effects = fit.random_effects()
    own = effects[effects["group"] == fit.parts[-1].name]
    np.testing.assert_allclose(own["estimate"], blup.ravel(), atol=1e-6)
    np.testing.assert_allclose(own["std_error"], np.sqrt(np.diag(variance)), rtol=1e-6)


def test_kenward_roger_and_a_sandwich_are_the_oracle_s():
    data = trial(4)
    fit = lmm(MODELS["one factor"], data, weights="w", df="kenward-roger")
    assert not fit.notes
    dense = oracle(fit, data)
    adjusted = np.sqrt(np.diag(dense.kenward_roger(dense.W())))
    np.testing.assert_allclose(fit.coefficients()["std_error"], adjusted, rtol=1e-7)
    robust = lmm(MODELS["one factor"], data, weights="w", vcov="CR2")
    same = DenseSandwich(dense.X, dense.y, data["id"].to_numpy(), dense.V, "CR2")
    np.testing.assert_allclose(robust.vcov, same.vcov(), rtol=1e-7, atol=1e-10)


def test_estimates_are_lme4_s(study_data):
    data = pd.read_csv(study_data / "sleepstudy.csv").assign(w=lambda d: 1 + (d["Days"] % 3) / 2)
    fit = lmm("Reaction ~ Days + (Days | Subject)", data, weights="w")
    # lme4 1.1-31; its search ends 4e-7 above this optimum
    assert fit.minus2_loglik == pytest.approx(1733.6835625879, abs=1e-6)
    table = fit.coefficients()
    np.testing.assert_allclose(table["estimate"], [250.48833663, 10.59781481], rtol=1e-7)
    np.testing.assert_allclose(table["std_error"], [6.952682362, 1.622106328], rtol=2e-4)
    found = fit.variance_components()["variance"]
    np.testing.assert_allclose(found.iloc[[0, 1, 3]], [655.2956, 39.78329, 838.1140], rtol=5e-4)


def test_weights_of_one_change_nothing_and_a_common_factor_the_residual_alone():
    data = trial(2).assign(one=1.0, four=4.0)
    plain, one, four = (lmm(MODELS["nested"], data, weights=w) for w in (None, "one", "four"))
    pd.testing.assert_frame_equal(one.coefficients(), plain.coefficients())
    assert one.minus2_loglik == plain.minus2_loglik
    assert four.minus2_loglik == pytest.approx(plain.minus2_loglik, abs=1e-8)
    ratio = four.residual_variances.iloc[0] / plain.residual_variances.iloc[0]
    assert ratio == pytest.approx(4.0, rel=1e-6)
    pd.testing.assert_frame_equal(four.random_effects(), plain.random_effects(), rtol=1e-6)


def test_the_response_of_a_new_row_is_as_certain_as_its_weight():
    data = trial(2)
    fit = lmm(MODELS["one factor"], data, weights="w")
    new = pd.DataFrame({"t": [1.0, 1.0], "x": 0.0, "w": [1.0, 4.0]})
    found = fit.predict(new, interval="prediction")["residual_variance"]
    sigma2 = fit.residual_variances.iloc[0]
    np.testing.assert_allclose(found, [sigma2, sigma2 / 4.0], rtol=1e-12)
    with pytest.raises(UsageError, match="need w, the weights"):
        fit.predict(new.drop(columns="w"), interval="prediction")


def test_normalized_residuals_have_unit_form():
    data = trial(3)
    fit = lmm(MODELS["nested"], data, weights="w", reml=False)
    dense = oracle(fit, data, reml=False)
    r = dense.y - dense.X @ dense.parts[2]
    form = float(r @ dense.parts[0] @ r)
    lead = fit.residuals("normalized").to_numpy()
    # of several factors the others' predicted effects are taken out: V is that of the leading one
    one = lmm(MODELS["one factor"], data, weights="w", reml=False)
    single = oracle(one, data, reml=False)
    e = single.y - single.X @ single.parts[2]
    assert (one.residuals("normalized") ** 2).sum() == pytest.approx(
        e @ single.parts[0] @ e, rel=1e-9
    )
    assert np.isfinite(lead).all()
    assert form == pytest.approx(len(data), rel=1e-6)  # at the ML optimum r'V⁻¹r = N


def test_smaller_models_and_draws_have_the_same_weights():
    data = trial(5)
    fit = lmm("y ~ t + x + (1 | id)", data, weights="w")
    table = random_effects_test(fit)
    root = np.sqrt(data["w"].to_numpy())[:, None]
    X = np.column_stack([np.ones(len(data)), data["t"], data["x"]]) * root
    y = data["y"].to_numpy() * root[:, 0]
    n, q = X.shape
    rss = np.linalg.lstsq(X, y, rcond=None)[1].item()
    expected = (n - q) * (1 + np.log(2 * np.pi * rss / (n - q))) + np.linalg.slogdet(X.T @ X)[1]
    expected -= np.log(data["w"]).sum()
    assert table["minus2_loglik"].iloc[-1] == pytest.approx(expected, rel=1e-10)
    drawn = parametric_bootstrap(
        fit, lambda one: {"sigma": one.residual_variances.iloc[0]}, replicates=30, seed=1
    )
    sigma2 = fit.residual_variances.iloc[0]
    # 30 draws with a relative SD of √(2/100) each: within 4 of their standard errors
    assert drawn["mean"].iloc[0] == pytest.approx(sigma2, rel=4 * np.sqrt(2 / 100 / 30))


def test_weights_that_are_none_are_refused():
    data = trial(1)
    formula = MODELS["one factor"]
    with pytest.raises(FitError, match=r"weights: w is 0 in row 7 .*a weight is above zero"):
        lmm(formula, data.assign(w=data["w"].where(data.index != 7, 0.0)), weights="w")
    with pytest.raises(NotAvailableError, match="weights beside a residual covariance"):
        lmm("y ~ t + (1 | id) + ar1(visit | id)", data.assign(visit=data["t"]), weights="w")
    missing = data.assign(w=data["w"].mask(data.index < 3))
    assert lmm(formula, missing, weights="w").n_obs == len(data) - 3
