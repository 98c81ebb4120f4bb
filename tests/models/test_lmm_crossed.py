"""Several terms of random effects: random combinations against the oracle, and bad input."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_linear import DenseLinear, Term
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import FitError, NotAvailableError
from trialmlm.models.lmm import lmm

#: terms as written -> for each block of correlated effects its grouping columns and its effects
TERMS = {
    "(1 | site/id)": [(["site"], ["1"]), (["site", "id"], ["1"])],
    "(1 | site/id/wave)": [
        (["site"], ["1"]),
        (["site", "id"], ["1"]),
        (["site", "id", "wave"], ["1"]),
    ],
    "(1 + time | id) + (1 | item)": [(["id"], ["1", "time"]), (["item"], ["1"])],
    "(time || id) + (1 | site)": [(["id"], ["1"]), (["id"], ["time"]), (["site"], ["1"])],
    "(time || id)": [(["id"], ["1"]), (["id"], ["time"])],
    "(1 | id) + (0 + time | id) + (1 | item)": [
        (["id"], ["1"]),
        (["id"], ["time"]),
        (["item"], ["1"]),
    ],
    "(1 | site/id) + (1 | item)": [
        (["site"], ["1"]),
        (["site", "id"], ["1"]),
        (["item"], ["1"]),
    ],
    "(0 + time | site) + (1 + time | item)": [(["site"], ["time"]), (["item"], ["1", "time"])],
}
FIXED = ["(Intercept)", "time", "armB", "time:armB"]


def trial(seed: int, rows: int = 300, kept: float = 0.85) -> pd.DataFrame:
    """Subjects in sites, items rated by all, rows missing at random."""
    rng = np.random.default_rng(seed)
    number = rng.integers(0, 30, rows)
    site, item, wave = number % 6, rng.integers(0, 9, rows), rng.integers(0, 3, rows)
    time = rng.uniform(0.0, 3.0, rows)
    effects = {size: rng.normal(size=(size, 2)) for size in (6, 9, 30, 90)}
    y = 10.0 + time + effects[6][site, 0] + effects[9][item, 0] + effects[30][number, 0]
    y = y + time * (effects[30][number, 1] + 0.7 * effects[6][site, 1] + 0.7 * effects[9][item, 1])
    y = y + 0.9 * effects[90][number * 3 + wave, 0] + rng.normal(size=rows)
    data = pd.DataFrame(
        {
            "id": [f"S{k:02d}" for k in number],
            "site": [f"site {k}" for k in site],
            "item": item,
            "wave": wave,
            "arm": np.where(number % 2 == 1, "B", "A"),
            "time": time,
            "y": y,
        }
    )
    return data[rng.uniform(size=rows) < kept].reset_index(drop=True)


def oracle(fit, data: pd.DataFrame, terms: str, *, reml: bool) -> DenseLinear:
    """The model at the fit's variance components."""
    b, t = (data["arm"] == "B").to_numpy(float), data["time"].to_numpy()
    X = np.column_stack([np.ones(len(t)), t, b, t * b])
    columns = {"1": np.ones(len(t)), "time": t}
    table = fit.variance_components().set_index(["group", "term", "term_2"])["variance"]
    blocks = []
    for groups, effects in TERMS[terms]:
        code = data.groupby(groups).ngroup().to_numpy()
        names = ["(Intercept)" if k == "1" else k for k in effects]
        G = np.empty((len(names), len(names)))
        for i, one in enumerate(names):
            for j, other in enumerate(names[: i + 1]):
                key = (":".join(groups), other, "" if i == j else one)
                G[i, j] = G[j, i] = table[key]
        blocks.append(Term(np.column_stack([columns[k] for k in effects]), code, G))
    sigma2 = table["Residual", "", ""]
    return DenseLinear(X, data["y"].to_numpy(), blocks, sigma2, reml)


@settings(deadline=None, max_examples=24, derandomize=True)
@given(st.sampled_from(sorted(TERMS)), st.integers(0, 10_000), st.booleans())
def test_the_fit_is_the_oracle_s_optimum_with_its_inference(terms, seed, reml):
    data = trial(seed)
    fit = lmm(f"y ~ time * arm + {terms}", data, reml=reml)
    assert fit.convergence.converged
    dense = oracle(fit, data, terms, reml=reml)
    assert fit.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    table = fit.coefficients().set_index("term").loc[FIXED]
    _, Phi, beta = dense.parts
    np.testing.assert_allclose(table["estimate"], beta, rtol=1e-7)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(Phi)), rtol=1e-7)
    if any("boundary" in note for note in fit.notes):
        return  # W has fewer directions; tests of the engine look at it
    g, H = dense.gradient, dense.hessian()
    assert np.sqrt(abs(g @ np.linalg.solve(H, g)) / 2) < 1e-5  # in standard errors of θ
    # 1e-5: the optimum is reached to about 1e-8 standard errors, H⁻¹ amplifies the rest
    np.testing.assert_allclose(table["df"], dense.df(dense.W()), rtol=1e-5)
    if reml:
        adjusted = lmm(f"y ~ time * arm + {terms}", data, df="kenward-roger")
        errors = adjusted.coefficients().set_index("term").loc[FIXED, "std_error"]
        expected = np.sqrt(np.diag(dense.kenward_roger(dense.W())))
        np.testing.assert_allclose(errors, expected, rtol=1e-7)


@pytest.mark.parametrize("terms", sorted(TERMS))
def test_predicted_effects_and_their_errors_are_henderson_s(terms):
    data = trial(3)
    fit = lmm(f"y ~ time * arm + {terms}", data)
    dense = oracle(fit, data, terms, reml=True)
    table = fit.random_effects()
    for (groups, effects), term in zip(TERMS[terms], dense.terms, strict=True):
        blup, variance = dense.effects(term)
        for k, effect in enumerate(effects):
            name = "(Intercept)" if effect == "1" else effect
            own = table[(table["group"] == ":".join(groups)) & (table["term"] == name)]
            np.testing.assert_allclose(own["estimate"], blup[:, k], atol=1e-7)
            errors = np.sqrt(np.diag(variance)[k :: len(effects)])
            np.testing.assert_allclose(own["std_error"], errors, rtol=1e-6)


@pytest.mark.parametrize("terms", sorted(TERMS))
def test_fitted_values_predictions_and_residuals_agree(terms):
    data = trial(4)
    fit = lmm(f"y ~ time * arm + {terms}", data, reml=False)
    found = fit.predict(data)
    np.testing.assert_allclose(found["predicted"], fit.predicted, rtol=1e-9)
    np.testing.assert_allclose(found["estimate"], fit.fitted, rtol=1e-9)
    conditional = fit.residuals("conditional").to_numpy()
    np.testing.assert_allclose(conditional, data["y"] - fit.predicted, atol=1e-9)
    normalized = fit.residuals("normalized").to_numpy()
    # at the ML optimum r'V⁻¹r = N
    assert normalized @ normalized == pytest.approx(len(data), rel=1e-8)


def test_a_prediction_s_error_adds_the_covariance_between_factors():
    terms = "(1 | site/id) + (1 | item)"
    data = trial(5)
    fit = lmm(f"y ~ time * arm + {terms}", data)
    dense = oracle(fit, data, terms, reml=True)
    rows = data.head(5)
    z = np.concatenate([term.wide[:5] for term in dense.terms], axis=1)
    expected = np.sqrt(dense.prediction_variance(dense.X[:5], z))
    np.testing.assert_allclose(fit.predict(rows)["predicted_std_error"], expected, rtol=1e-7)


def test_a_new_level_of_one_factor_keeps_what_is_known_of_the_others():
    terms = "(1 | site/id) + (1 | item)"
    data = trial(6)
    fit = lmm(f"y ~ time * arm + {terms}", data)
    known = data.head(1)
    effects = fit.random_effects().set_index(["group", "level"])["estimate"]
    row = known.iloc[0]
    site, subject = effects["site", row["site"]], effects["site:id", f"{row['site']}:{row['id']}"]
    item = effects["item", row["item"]]
    base = fit.predict(known)["estimate"].iloc[0]
    tried = pd.concat([known, known.assign(id="nobody"), known.assign(item=99)])
    tried = pd.concat([tried, known.assign(site=None)])
    expected = [site + subject + item, site + item, site + subject, item]
    np.testing.assert_allclose(fit.predict(tried)["predicted"] - base, expected, atol=1e-9)
    without = fit.predict(known.drop(columns=["id"]))["predicted"].iloc[0]
    assert without - base == pytest.approx(site + item, abs=1e-9)
    with pytest.raises(FitError, match=r"site:id 'site .':'nobody' is not among"):
        fit.predict(known.assign(id="nobody"), new_levels="error")


def test_nested_groups_are_those_of_columns_made_by_hand():
    data = trial(7)
    data["made"] = data["site"] + "/" + data["id"]
    one = lmm("y ~ time + (1 | site/id)", data)
    two = lmm("y ~ time + (1 | site) + (1 | made)", data)
    pd.testing.assert_frame_equal(one.coefficients(), two.coefficients(), rtol=1e-9)
    assert one.variance_components()["group"].tolist() == ["site", "site:id", "Residual"]


def test_ids_that_repeat_between_sites_are_different_subjects():
    data = trial(8)
    data["own"] = data.groupby("site")["id"].transform(lambda ids: pd.factorize(ids)[0])
    one = lmm("y ~ time + (1 | site/id)", data)
    two = lmm("y ~ time + (1 | site/own)", data)
    assert two.parts[1].n_levels == one.parts[1].n_levels
    assert two.minus2_loglik == pytest.approx(one.minus2_loglik, abs=1e-9)


def test_units_of_time_and_response_scale_the_components():
    data = trial(9)
    formula = "y ~ time + (1 + time | id) + (1 | item)"
    one = lmm(formula, data).variance_components()["sd"]
    other = data.assign(time=data["time"] * 1e9, y=1e6 + 1000.0 * data["y"])
    two = lmm(formula, other).variance_components()["sd"]
    scale = np.array([1e3, 1e-6, 1.0, 1e3, 1e3])
    # 1e6 is six digits of y's ten that are left after its own rounding
    np.testing.assert_allclose(two, one * scale, rtol=1e-6)


def test_the_summary_lists_every_factor_and_its_levels():
    said = lmm("y ~ time + (1 | site/id) + (time || item)", trial(10)).summary()
    for part in ("6 site", "30 site:id", "9 item", "site:id (Intercept)", "item time"):
        assert part in said


def test_a_variance_of_zero_is_an_estimate_and_is_said_so():
    data, rng = trial(11), np.random.default_rng(11)
    noise = pd.Series(rng.normal(size=len(data)))
    noise = noise - noise.groupby(data["item"]).transform("mean")  # items differ less than chance
    own = dict(zip(sorted(data["id"].unique()), rng.normal(size=30), strict=False))
    data["y"] = 3.0 + data["id"].map(own) + noise
    fit = lmm("y ~ time + (1 | id) + (1 | item)", data)
    table = fit.variance_components().set_index("group")["variance"]
    assert fit.convergence.converged
    assert table["item"] < 1e-8 * table["Residual"]
    (note,) = fit.notes
    assert "variance of (Intercept) by item is estimated as zero" in note
    alone = lmm("y ~ time + (1 | id)", data)
    # as if the term were not there; the likelihood too
    assert fit.minus2_loglik == pytest.approx(alone.minus2_loglik, abs=1e-8)
    pd.testing.assert_frame_equal(fit.coefficients(), alone.coefficients(), rtol=1e-6)


def test_a_correlation_of_one_is_an_estimate_and_is_said_so():
    rng = np.random.default_rng(12)
    data = trial(12)
    own = dict(zip(sorted(data["id"].unique()), rng.normal(size=30), strict=False))
    b = data["id"].map(own)
    y = 3.0 + b * (1.0 + data["time"]) + 0.5 * rng.normal(size=len(data))
    fit = lmm("y ~ time + (1 + time | id)", data.assign(y=y))
    correlation = fit.variance_components().set_index(["term", "term_2"])["sd"][
        "(Intercept)", "time"
    ]
    assert fit.convergence.converged
    assert correlation == pytest.approx(1.0, abs=1e-6)
    assert any("is estimated as singular" in note for note in fit.notes)
    assert np.isfinite(fit.coefficients()["df"]).all()


@pytest.mark.parametrize(
    ("formula", "change", "error", "said"),
    [
        ("y ~ time + (1 | id) + (1 | one)", {"one": "x"}, FitError, "one has one level"),
        ("y ~ time + (1 | site/row)", {}, FitError, "every level of site:row has one row"),
        ("y ~ time + (1 | id) + (1 | twin)", {}, FitError, "id and twin cannot be told apart"),
        ("y ~ time + (1 | id) + (1 | id)", {}, FitError, "of the random effects .* redundant"),
        ("y ~ time + (1 | id) + (1 + time | id)", {}, FitError, "redundant"),
        ("y ~ site + (1 | site) + (1 | item)", {}, FitError, "variances of site are not estimable"),
        ("y ~ time + (1 + second | id)", {}, FitError, "centre it"),
        ("y ~ time + (1 | site/id) + diag(wave | id)", {}, NotAvailableError, "several terms"),
    ],
)
def test_what_the_data_do_not_carry_is_named(formula, change, error, said):
    data = trial(13).assign(**change)
    data["row"], data["twin"] = np.arange(len(data)), data["id"].str.lower()
    data["second"] = 1e9 + data["time"]
    with pytest.raises(error, match=said):
        lmm(formula, data)


def test_a_slope_of_what_does_not_vary_within_a_group_is_said_to_be_none():
    data = trial(14)
    data["age"] = 40.0 + data["id"].str[1:].astype(float)
    (note, *_) = lmm("y ~ time + age + (1 + age | id)", data).notes
    assert "age does not vary within any id" in note


def test_an_intercept_far_outside_the_data_is_said_to_be_one():
    data = trial(15)
    data["year"] = 2020.0 + data["time"] / 4.0
    notes = lmm("y ~ year + (1 + year | id) + (1 | item)", data).notes
    assert any("centre year" in note for note in notes)


def test_missing_groups_are_rows_not_used_and_counted():
    data = trial(16)
    data["item"] = data["item"].astype(object)
    data.loc[[2, 5, 9], "item"] = None
    fit = lmm("y ~ time + (1 | id) + (1 | item)", data)
    assert fit.n_obs == len(data) - 3
    assert fit.notes[0] == f"3 of {len(data)} rows not used: item missing in 3"
