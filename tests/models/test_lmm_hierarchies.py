"""What several grouping factors let one say: shares of variance, new clusters, tests of a level."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from dense_linear import DenseLinear, Term

from trialmlm.errors import NotAvailableError
from trialmlm.models.calibration import calibration
from trialmlm.models.levels import component_covariance, levels_of
from trialmlm.models.likelihood_ratio import likelihood_ratio
from trialmlm.models.lmm import lmm


def crossed(seed: int = 1) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    data = pd.DataFrame({"a": rng.integers(0, 12, 200), "b": rng.integers(0, 8, 200)})
    data["t"] = rng.uniform(0.0, 2.0, 200)
    own, slope, other = rng.normal(size=12), rng.normal(size=12), rng.normal(size=8)
    y = 3.0 + own[data["a"]] + slope[data["a"]] * data["t"] + other[data["b"]]
    return data.assign(y=y + rng.normal(size=200))


def test_the_covariance_of_the_components_is_that_of_the_oracle():
    data = crossed()
    # b has fewer columns: the search has a's first, the table has the formula's order
    fit = lmm("y ~ t + (1 | b) + (1 + t | a)", data)
    assert not fit.notes
    (b, a) = levels_of(fit)
    X = np.column_stack([np.ones(200), data["t"]])
    terms = [
        Term(np.ones((200, 1)), data["b"].to_numpy(), b.G),
        Term(X, data["a"].to_numpy(), a.G),
    ]
    sigma2 = float(fit.residual_variances.iloc[0])
    W = DenseLinear(X, data["y"].to_numpy(), terms, sigma2).W()
    order = [0, 1, 3, 2, 4]  # b; a's variances, then its covariance; the residual
    # the optimum is reached to about 1e-8 standard errors, which the Hessian amplifies
    np.testing.assert_allclose(component_covariance(fit), W[np.ix_(order, order)], rtol=1e-5)


def test_shares_of_variance_at_three_levels(study_data):
    data = pd.read_csv(study_data / "chem97.csv")
    found = lmm("score ~ 1 + (1 | lea / school)", data).icc().set_index("group")
    # 24.1 % between schools, 1.3 % between authorities: lme4's components, REML
    expected = np.array([0.153483780328593, 2.74872313759151, 8.51608687197766])
    shares = found.loc[["lea", "lea:school", "Residual"], "share"]
    np.testing.assert_allclose(shares, expected / expected.sum(), rtol=1e-6)
    icc = found.loc["lea:school", "icc"]
    assert icc == pytest.approx(expected[:2].sum() / expected.sum(), rel=1e-6)


@pytest.mark.parametrize(
    ("name", "formula"),
    [
        ("pastes_nested", "strength ~ 1 + (1 | batch / cask)"),
        ("penicillin_crossed", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    ],
)
def test_a_new_cluster_adds_the_variance_of_every_factor(name, formula, study_data, reference):
    stored = json.loads((reference / "lmm" / f"lmm_{name}.json").read_text())["reml"]
    parts = stored["predict_new_cluster"]
    data = pd.read_csv(study_data / f"{name.split('_')[0]}.csv")
    fit = lmm(formula, data)
    new = pd.DataFrame({"dummy": [1]})
    cluster = fit.predict(new, interval="cluster").iloc[0]
    found = fit.predict(new, interval="prediction").iloc[0]
    assert found["estimate"] == pytest.approx(parts["mean"], rel=1e-8)
    between = sum(parts["var_random"][0].values())
    assert found["between_variance"] == pytest.approx(between, rel=1e-6)
    assert found["pi_std_error"] == pytest.approx(parts["sd_new_observation"], rel=1e-6)
    assert cluster["pi_std_error"] == pytest.approx(parts["sd_new_cluster_mean"], rel=1e-6)


def test_dropping_a_factor_is_a_test_at_the_boundary(study_data, reference):
    stored = json.loads((reference / "lmm" / "lmm_pastes_nested.json").read_text())
    data = pd.read_csv(study_data / "pastes.csv")
    larger = lmm("strength ~ 1 + (1 | batch) + (1 | sample)", data)
    smaller = lmm("strength ~ 1 + (1 | sample)", data)
    expected = stored["lrt"]["drop_batch"]
    found = likelihood_ratio(smaller, larger).iloc[1]
    assert found["statistic"] == pytest.approx(expected["chisq"], abs=1e-7)
    assert found["p_value"] == pytest.approx(expected["p_naive"], rel=1e-6)


def test_the_parts_of_r_squared_are_those_of_the_rows():
    data = crossed(2)
    fit = lmm("y ~ t + (1 | b) + (1 + t | a)", data)
    table = fit.r_squared().set_index("quantity")["variance"]
    (b, a) = levels_of(fit)
    t = data["t"].to_numpy()
    slopes = a.G[0, 0] + 2.0 * a.G[0, 1] * t + a.G[1, 1] * t**2
    assert table["b"] == pytest.approx(b.G[0, 0])
    assert table["a"] == pytest.approx(slopes.mean())


def test_partial_pooling_lists_every_factor():
    fit = lmm("y ~ t + (1 | b) + (1 + t | a)", crossed(3))
    table = fit.partial_pooling()
    assert table["group"].value_counts().to_dict() == {"a": 24, "b": 8}
    effects = fit.random_effects()
    both = table["partial"] - table["pooled"]
    np.testing.assert_allclose(both, effects["estimate"], atol=1e-12)


def test_calibration_leaves_no_crossed_factor_out():
    with pytest.raises(NotAvailableError, match="crossed with b"):
        calibration(lmm("y ~ t + (1 | b) + (1 | a)", crossed(4)))
