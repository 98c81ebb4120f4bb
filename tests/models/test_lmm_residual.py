"""Random effects beside a residual covariance: the oracle, published fits, what is redundant."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from dense_random import DenseRandom, entries
from hypothesis import given, settings
from hypothesis import strategies as st

import trialmlm as tm
from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.models.lmm import lmm
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from trialmlm.models.lmm_residual_fit import ResidualLmmFit

FIXED = "y ~ time * arm"
#: our order of coefficients against the oracle's columns
ORDER = ["(Intercept)", "time", "armB", "time:armB"]


def trial(seed: int, n: int = 30) -> pd.DataFrame:
    """Two arms, four visits, some missing, at days of the subject's own."""
    rng = np.random.default_rng(seed)
    drawn = []
    for i in range(n):
        b = rng.normal(size=2) * [1.5, 0.8]
        for visit in range(4):
            if visit and rng.random() < 0.15:
                continue
            t = visit + rng.uniform(-0.35, 0.35)
            arm = "AB"[i % 2]
            y = 10 + b[0] + (1 + b[1]) * t + rng.normal() * (1.0 + 0.4 * (arm == "B"))
            drawn.append((f"S{i:02d}", arm, visit, t, y))
    return pd.DataFrame(drawn, columns=["id", "arm", "visit", "time", "y"])


def oracle(fit: ResidualLmmFit, data: pd.DataFrame, structure: str, *, slope_only: bool):
    """At the fit's own estimates, in the data's units."""
    b, t = (data["arm"] == "B").to_numpy(float), data["time"].to_numpy()
    X = np.column_stack([np.ones(len(t)), t, b, t * b])
    Z = t[:, None] if slope_only else np.column_stack([np.ones(len(t)), t])
    G, unit = fit.effects_covariance, fit.likelihood.scale**2
    theta = [G[np.tril_indices(len(G))]]
    for part, family, _ in fit.likelihood.groups(fit.gaussian.theta):
        natural = family.natural(part).copy()
        squared = len(natural) if structure == "us" else family.n_visits
        squared = {"ar1": 1, "id": 1, "sp_exp": 1}.get(structure, squared)
        natural[:squared] *= unit
        theta.append(natural)
    grouped = fit.part.group is not None
    return DenseRandom(
        X=X,
        y=data["y"].to_numpy(),
        subject=pd.factorize(data["id"], sort=True)[0],
        visit=data["visit"].to_numpy(),
        structure=structure,
        theta=np.concatenate(theta),
        group=b.astype(int) if grouped else None,
        reml=fit.options.reml,
        Z=Z,
        directions=entries(Z.shape[1]),
        row_times=t if structure == "sp_exp" else None,
    )


RESIDUALS = {
    "ar1": ("ar1(visit | id)", "(1 + time | id)"),
    "arh1": ("ar1h(visit | id)", "(0 + time | id)"),
    "by arm": ("id(visit | arm / id)", "(1 + time | id)"),
    "by visit and arm": ("diag(visit | arm / id)", "(1 + time | id)"),
    "exponential": ("sp_exp(time | id)", "(1 + time | id)"),
    "unstructured": ("us(visit | id)", "(0 + time | id)"),
}


@settings(deadline=None, max_examples=30, derandomize=True)
@given(st.integers(0, 10_000), st.booleans(), st.sampled_from(sorted(RESIDUALS)))
def test_the_fit_is_the_oracle_s_optimum_with_its_inference(seed, reml, named):
    data = trial(seed)
    residual, effects = RESIDUALS[named]
    df = "kenward-roger" if reml else "satterthwaite"
    fit = lmm(f"{FIXED} + {effects} + {residual}", data, reml=reml, df=df)
    found = fit.likelihood
    if not fit.convergence.converged or any(found.at_bound(fit.gaussian.theta)):
        return  # at a bound W has no meaning in one direction
    if np.linalg.eigvalsh(fit.point.G)[0] < 1e-3:
        return  # so near to it that the oracle's Hessian is not to be inverted
    dense = oracle(fit, data, residual.split("(")[0], slope_only=effects.startswith("(0"))
    if np.linalg.eigvalsh(dense.hessian())[0] <= 0.0 or (
        named == "exponential" and (dense.theta[-1] < 0.05)
    ):
        return  # a range of nothing: no two rows are correlated, and the range is anything
    assert fit.minus2_loglik == pytest.approx(dense.deviance, rel=1e-10)
    g, W = dense.gradient, dense.W()
    assert np.sqrt(abs(g @ W @ g) / 4) < 1e-4  # in standard errors of θ
    table = fit.coefficients().set_index("term").loc[ORDER]
    covariance = dense.adjusted() if reml else dense.Phi
    # the optimum is reached to 1e-6 standard errors; the oracle's second derivatives are
    # differences, good to 1e-9, which W and the adjustment multiply by its condition
    np.testing.assert_allclose(table["estimate"], dense.beta, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(table["std_error"], np.sqrt(np.diag(covariance)), rtol=1e-6)
    expected = [dense.df(row) for row in np.eye(4)]
    np.testing.assert_allclose(table["df"], expected, rtol=1e-4)
    if not fit.identified.weak:
        errors = fit.variance_components()["std_error"].to_numpy()[: len(entries(dense.Z.shape[1]))]
        own = np.sqrt(np.diag(W))[: len(errors)]
        own = own[[0, 2, 1]] if len(own) == 3 else own  # variances first
        np.testing.assert_allclose(errors, own, rtol=1e-4)


#: stored fits of nlme -> random effects and residual here
NLME = {
    "ortho_slope_varident_age": "(age_c | Subject) + diag(age | Subject)",
    "ortho_slope_varident_sex": "(age_c | Subject) + id(age | Sex / Subject)",
    "ortho_int_ar1": "(1 | Subject) + ar1(age | Subject)",
    "ortho_slope_ar1": "(age_c | Subject) + ar1(age | Subject)",
    "ortho_slope": "(age_c | Subject)",
    "pbc_slope": "(year | id)",
    "pbc_slope_car1": "(year | id) + sp_pow(year | id)",
    "pbc_int_car1": "(1 | id) + sp_pow(year | id)",
    "pbcv_slope_varident": "(year | id) + diag(visit | id)",
}
#: not reproduced -> why
NOT_REPRODUCED = {
    "pbc_slope_exp_nugget": "a spatial residual with a nugget is not built",
    "pbcv_slope": "nlme stopped short of the optimum",
    "pbcv_slope_ar1": "nlme stopped short; its corAR1 counts rows, not visits",
}


@pytest.fixture(scope="module")
def stored(reference):
    return json.loads((reference / "lmm" / "lme_residual_structures.json").read_text())


def nlme_fit(found, study_data, effects):
    data = pd.read_csv(study_data / found["dataset"])
    if found["dataset"] == "orthodont.csv":
        data["age_c"] = data["age"] - 11
        data["Sex"] = pd.Categorical(data["Sex"], ["Male", "Female"])
    return lmm(f"{found['fixed']} + {effects}", data)


def test_every_stored_fit_is_named(stored):
    assert set(stored) == {*NLME, *NOT_REPRODUCED}


@pytest.mark.parametrize("name", NLME)
def test_fits_equal_nlme_s(name, stored, study_data):
    found = stored[name]
    fit = nlme_fit(found, study_data, NLME[name])
    table, fixed = fit.coefficients(), found["fixef"]
    assert list(table["term"]) == fixed["names"]
    # nlme's optimum is good to 1e-5 in the estimates: its −2l lies up to 4e-9 above ours
    assert fit.minus2_loglik == pytest.approx(found["minus2logLik"], abs=1e-7)
    # a fixed effect near to zero is held against its standard error
    near = np.abs(table["estimate"] - fixed["estimate"]) / np.array(fixed["se"])
    assert near.max() < 1e-5
    np.testing.assert_allclose(table["std_error"], fixed["se"], rtol=1e-5)
    own = fit.variance_components()
    G = np.array(found["G"]["cov"])
    order = [(0, 0)] if len(G) == 1 else [(0, 0), (1, 1), (0, 1)]
    expected = [G[place] for place in order]
    # 1e-4 of the README; a covariance near zero against the variances
    size = np.sqrt(np.diag(G).prod()) if len(G) > 1 else 1.0
    np.testing.assert_allclose(own["variance"][: len(order)], expected, rtol=1e-4, atol=1e-4 * size)
    ratios = found["var_ratios"]
    scales = [1.0] if ratios is None else list(ratios.values())
    variances = np.unique(fit.residual_variances.round(12)) if "varident_sex" in name else None
    got = fit.residual_variances.to_numpy() if variances is None else variances[::-1]
    expected = found["sigma"] * np.array(scales)
    # 1e-4 of the README, of the largest for the small one that the data hardly know
    atol = 1e-4 * expected.max()
    np.testing.assert_allclose(np.sqrt(got[: len(scales)]), expected, rtol=1e-4, atol=atol)
    if found["cor_params"]:
        value = own.loc[own["term"].str.startswith("correlation"), "sd"].iloc[0]
        assert value == pytest.approx(found["cor_params"]["Phi"], rel=1e-4, abs=1e-6)
    if "ranef" in found:
        effects = fit.random_effects()
        level = effects["level"].map(lambda v: f"{v:g}" if isinstance(v, float) else str(v))
        own = [effects.loc[level == one, "estimate"] for one in found["ranef"]["levels"]]
        np.testing.assert_allclose(own, found["ranef"]["blup"], atol=1e-4 * np.sqrt(G[0, 0]))


@pytest.mark.parametrize("name", ["pbcv_slope", "pbcv_slope_ar1"])
def test_at_a_bound_the_likelihood_is_no_lower_than_nlme_s(name, stored, study_data):
    found = stored[name]
    data = pd.read_csv(study_data / found["dataset"]).sort_values(["id", "visit"])
    data["row"] = data.groupby("id").cumcount()  # nlme's AR(1) counts rows
    residual = " + ar1(row | id)" if "ar1" in name else " + id(row | id)"
    fit = lmm(f"{found['fixed']} + (year | id){residual}", data)
    assert fit.minus2_loglik < found["minus2logLik"] + 1e-6
    assert any("at its bound" in note for note in fit.notes)
    assert fit.variance_components()["sd"][2] == pytest.approx(1.0, abs=1e-6)  # the correlation


@pytest.fixture(scope="module")
def visits(study_data):
    return pd.read_csv(study_data / "pbcseq_visits.csv")


MEAN = "albumin ~ year * trt"


@pytest.mark.parametrize(
    ("effects", "key", "rank", "n", "aliased"),
    [
        ("(1 + nominal_year | id)", "nominal_time_G11_G12_G22", 15, 18, [True, True, True]),
        ("(1 + year | id)", "actual_time_G11_G12_G22", 17, 18, [True, False, False]),
        ("(0 + year | id)", "actual_time_G22", 16, 16, [False]),
        ("(1 | id)", "actual_time_G11", 15, 16, [True]),
    ],
)
def test_what_is_redundant_is_found_before_fitting(
    effects, key, rank, n, aliased, visits, reference
):
    path = reference / "lmm" / "un_identifiability_pbcseq_visits.json"
    stored = json.loads(path.read_text())[key]
    assert (stored["rank"], stored["n_parameters"]) == (rank, n)
    fit = lmm(f"{MEAN} + us(visit | id) + {effects}", visits)
    found = fit.identified.found
    assert (found.rank, len(found.gram), fit.n_covariance) == (rank, n, rank)
    own = fit.variance_components()
    alone = own["separately_estimable"].to_numpy()
    assert (~alone[: len(aliased)]).tolist() == aliased
    assert alone[len(aliased) :].all() == (not any(aliased))
    assert own["variance"][: len(aliased)].isna().tolist() == aliased
    assert fit.aic == pytest.approx(fit.minus2_loglik + 2 * rank)


def test_the_condition_is_that_of_the_stored_gram_matrices(visits, reference):
    path = reference / "lmm" / "un_identifiability_pbcseq_visits.json"
    stored = json.loads(path.read_text())
    for effects, key in (("(1 + year | id)", "actual_time_G12_G22"), ("(0 + year | id)",) * 2):
        key = "actual_time_G22" if key == effects else key
        fit = lmm(f"{MEAN} + us(visit | id) + {effects}", visits)
        # eigenvalues of the same matrix, of which the smallest is known to 1e-12
        assert fit.identified.condition == pytest.approx(stored[key]["condition_number"], rel=1e-8)
        weak = key == "actual_time_G12_G22"
        assert fit.identified.weak == weak
        assert any("only weakly" in note for note in fit.notes) == weak


def test_null_directions_are_named_and_can_be_refused(visits):
    formula = f"{MEAN} + us(visit | id) + (1 + year | id)"
    fit = lmm(formula, visits)
    said = (
        "the random-intercept variance can be moved into every entry of the unstructured residual"
    )
    assert any(note.startswith(said) for note in fit.notes)
    with pytest.raises(FitError, match=said):
        lmm(formula, visits, on_redundant="error")
    with pytest.raises(FitError, match="variances and covariances of the random intercept and"):
        lmm(f"{MEAN} + us(visit | id) + (nominal_year | id)", visits, on_redundant="error")
    lmm(f"{MEAN} + us(visit | id) + (0 + year | id)", visits, on_redundant="error")
    with pytest.raises(UsageError, match="on_redundant"):
        lmm(formula, visits, on_redundant="drop")
    assert fit.random_effects()["estimate"].isna().all()
    with pytest.raises(UsageError, match="icc"):
        fit.icc()


@pytest.mark.parametrize("effects", ["(1 | id)", "(1 + nominal_year | id)", "(nominal_year || id)"])
@pytest.mark.parametrize("df", ["satterthwaite", "kenward-roger"])
def test_what_the_residual_takes_over_wholly_leaves_the_mmrm(effects, df, visits):
    fixed = "albumin ~ nominal_year * trt"
    fit = lmm(f"{fixed} + us(visit | id) + {effects}", visits, df=df)
    same = mmrm(f"{fixed} + us(visit | id)", visits, df=df)
    # two searches that end within 1e-6 standard errors of the same optimum
    assert fit.minus2_loglik == pytest.approx(same.minus2_loglik, abs=1e-8)
    assert fit.aic == pytest.approx(same.aic, abs=1e-8)
    ours, theirs = fit.coefficients(), same.coefficients()
    for column in ("estimate", "std_error", "df"):
        np.testing.assert_allclose(ours[column], theirs[column], rtol=1e-6)
    np.testing.assert_allclose(fit.covariance, same.covariance, rtol=1e-5)


#: programs' fits of un_residual_random_slope_fits.json -> the model here
PROGRAMS = {
    "gls_UN_reml": ("us", "(1 | id)"),
    "lme_RI_UN_reml": ("us", "(1 | id)"),
    "lme_RSonly_UN_reml": ("us", "(0 + year | id)"),
    "glmmTMB_RSonly_UN_reml": ("us", "(0 + year | id)"),
    "lme_RIRS_UN_reml": ("us", "(1 + year | id)"),
    "glmmTMB_RIRS_UN_reml": ("us", "(1 + year | id)"),
    "lme_RIRS_varIdent_reml": ("diag", "(1 + year | id)"),
    "lme_RIRS_iid_reml": ("id", "(1 + year | id)"),
    "glmmTMB_RIRS_UN_nominal_reml": ("us", "(1 + nominal_year | id)"),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_likelihood_is_no_lower_than_other_programs_and_slopes_agree(name, visits, reference):
    path = reference / "lmm" / "un_residual_random_slope_fits.json"
    stored = json.loads(path.read_text())["fits"][name]
    structure, effects = PROGRAMS[name]
    mean = MEAN.replace("year", "nominal_year") if "nominal" in name else MEAN
    fit = lmm(f"{mean} + {structure}(visit | id) + {effects}", visits)
    assert fit.convergence.converged
    assert fit.minus2_loglik < stored["minus2logLik"] + 1e-5
    table = fit.coefficients().set_index("term")
    slope = table.loc[next(term for term in table.index if ":" in term)]
    found, error = list(stored["fixef"].values())[3], stored["se"][3]
    # the estimate of V may be on another point of a flat ridge: a tenth of a standard error;
    # the standard error within 3 percent, glmmTMB's being for known V with a fixed-effects part
    assert slope["estimate"] == pytest.approx(found, abs=0.1 * error)
    assert slope["std_error"] == pytest.approx(error, rel=0.03)


def test_a_variance_of_zero_beside_an_unstructured_residual_leaves_w(visits):
    fit = lmm(f"{MEAN} + us(visit | id) + (0 + year | id)", visits)
    own = fit.variance_components()
    assert own["variance"][0] == pytest.approx(0.0, abs=1e-10)
    assert np.isnan(own["std_error"][0])
    assert any("left out of the covariance behind the degrees" in note for note in fit.notes)
    # without the direction of the zero the df are those of the model without the slope
    same = mmrm(f"{MEAN} + us(visit | id)", visits)
    np.testing.assert_allclose(fit.coefficients()["df"], same.coefficients()["df"], rtol=1e-6)


def test_v_is_the_sum_of_its_parts_and_normalized_residuals_have_unit_form():
    data = trial(4)
    fit = lmm(f"{FIXED} + (1 + time | id) + ar1(visit | id)", data, reml=False)
    subject = data["id"].iloc[0]
    own = data[data["id"] == subject]
    Z = np.column_stack([np.ones(len(own)), own["time"]])
    R = fit.residual_covariances[None].loc[own["visit"].map("{:g}".format)]
    R = R[[f"{v:g}" for v in own["visit"]]].to_numpy()
    V = Z @ fit.effects_covariance @ Z.T + R
    np.testing.assert_allclose(fit.subject_covariance(subject), V, rtol=1e-9)
    with pytest.raises(FitError, match="nobody"):
        fit.subject_covariance("nobody")
    normalized = fit.residuals("normalized").to_numpy()
    # at the ML optimum r'V⁻¹r = N
    assert normalized @ normalized == pytest.approx(len(data), rel=1e-7)
    np.testing.assert_allclose(
        fit.residuals("response") - fit.residuals("conditional"), fit.predicted - fit.fitted
    )
    assert list(fit.slopes("time", by="arm").frame["arm"]) == ["A", "B"]
    assert "V:" in fit.summary()


def test_times_of_their_own_have_no_covariance_in_common():
    fit = lmm(f"{FIXED} + (1 | id) + sp_exp(time | id)", trial(4))
    with pytest.raises(UsageError, match="subject_covariance"):
        _ = fit.covariance
    assert fit.residual_variances.size == 1
    assert fit.subject_covariance("S00").shape[0] > 1


def test_the_order_of_rows_does_not_matter():
    data, formula = trial(5), f"{FIXED} + (1 + time | id) + ar1(visit | id)"
    one, two = lmm(formula, data), lmm(formula, data.sample(frac=1.0, random_state=1))
    pd.testing.assert_frame_equal(one.coefficients(), two.coefficients(), rtol=1e-7)
    first = one.residuals("normalized").sort_index()
    np.testing.assert_allclose(two.residuals("normalized").sort_index(), first, rtol=1e-6)


@pytest.mark.parametrize(
    ("special", "error", "said"),
    [
        ("(1 | id) + (1 | arm) + ar1(visit | id)", NotAvailableError, "several groupings"),
        ("(1 | arm/id) + ar1(visit | id)", NotAvailableError, "several groupings"),
        ("(1 | id) + ar1(visit | arm)", UsageError, "same subject"),
        ("(1 + time + I(2 * time) | id) + ar1(visit | id)", FitError, "redundant"),
        ("(1 | id) + us(time | id)", FitError, "no subject has both"),
    ],
)
def test_what_makes_no_sense_is_refused(special, error, said):
    with pytest.raises(error, match=said):
        lmm(f"{FIXED} + {special}", trial(1))


def test_what_is_drawn_has_the_covariance_of_the_rows():
    rng = np.random.default_rng(8)
    subject, visit = np.divmod(np.arange(120), 4)
    data = pd.DataFrame(
        {
            "id": subject,
            "visit": [f"V{k}" for k in visit],
            "time": visit + rng.normal(0.0, 0.1, 120),
            "y": rng.normal(0.0, 2.0, 30)[subject] + rng.normal(0.0, 1.0, 120).cumsum() % 3,
        }
    )
    fit = lmm("y ~ time + (1 | id) + ar1(visit | id)", data)
    one = data["id"] == 0
    draws = np.stack([fit.simulate(seed)[one] for seed in range(4000)])
    V = fit.subject_covariance(0).to_numpy()
    # an SD of 1/√4000 of the variances, six of them at most
    np.testing.assert_allclose(np.cov(draws.T), V, atol=6 * V.max() / np.sqrt(4000))
    np.testing.assert_array_equal(fit.simulate(3), fit.simulate(3))


@pytest.mark.parametrize(
    "ask",
    [
        lambda fit, data: fit.predict(data, interval="prediction"),
        lambda fit, data: tm.profile_intervals(fit),
        lambda fit, data: tm.calibration(fit),
    ],
)
def test_what_needs_independent_rows_is_refused(ask):
    rng = np.random.default_rng(9)
    subject, visit = np.divmod(np.arange(80), 4)
    data = pd.DataFrame(
        {"id": subject, "visit": visit, "y": rng.normal(size=20)[subject] + rng.normal(size=80)}
    )
    fit = lmm("y ~ 1 + (1 | id) + ar1(visit | id)", data)
    with pytest.raises(NotAvailableError, match="beside a residual covariance"):
        ask(fit, data)
