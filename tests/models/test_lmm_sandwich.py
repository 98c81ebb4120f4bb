"""Sandwich covariances beside random effects, against matrices of all rows and closed forms."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from dense_sandwich import DenseSandwich
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.inference.contrasts import f_test
from trialmlm.models.lmm import lmm

KINDS = ("CR0", "CR1", "CR2", "CR3")
FIXED = "y ~ t * arm + age"
#: random effects (and a residual) -> the column of the clusters
MODELS = {
    "(1 + t | id)": "id",
    "(1 + t || id)": "id",
    "(1 | site) + (1 + t | id)": "site",
    "(1 + t | site/id)": "site",
    "(1 + t | id) + diag(visit | id)": "id",
    "(1 | id) + ar1(visit | id)": "id",
    "(1 + t | id) + sp_exp(t | id)": "id",
}


def trial(seed: int, sites: int = 9, per_site: int = 5) -> pd.DataFrame:
    """Subjects in sites, visits lost at random, times of each subject's own."""
    rng = np.random.default_rng(seed)
    n = sites * per_site
    id_, visit = np.divmod(np.arange(4 * n), 4)
    t = visit + rng.uniform(-0.2, 0.2, 4 * n)
    b, s = rng.normal(size=(n, 2)) * [2.0, 0.8], rng.normal(size=sites) * 1.5
    y = 10 + s[id_ // per_site] + b[id_, 0] + (1 + b[id_, 1]) * t + rng.normal(size=4 * n)
    frame = pd.DataFrame(
        {
            "site": [f"C{k // per_site}" for k in id_],
            "id": [f"S{k:03d}" for k in id_],
            "visit": [f"V{k}" for k in visit],
            "arm": np.array(["A", "B"])[id_ % 2],
            "age": (40.0 + 3.0 * (id_ % 11)),
            "t": t,
            "y": y,
        }
    )
    kept = frame[(rng.random(len(frame)) > 0.15) | (frame["visit"] == "V0")]
    return kept.sample(frac=1.0, random_state=seed).reset_index(drop=True)


def dense_V(fit, data: pd.DataFrame) -> np.ndarray:
    """V of all rows, from the tables of the fit alone."""
    if "ar1" in fit.formula or "sp_exp" in fit.formula:
        V = np.zeros((len(data), len(data)))
        for subject in data["id"].unique():
            at = np.flatnonzero(data["id"] == subject)
            at = at[np.argsort(data["t"].to_numpy()[at])]
            V[np.ix_(at, at)] = fit.subject_covariance(subject)
        return V
    table = fit.variance_components()
    sigma2 = table.loc[table["group"] == "Residual"].set_index("term")["variance"]
    level = data["visit"] if len(sigma2) > 1 else pd.Series([""] * len(data))
    V = np.diag(sigma2[level].to_numpy())
    Z = {"(Intercept)": np.ones(len(data)), "t": data["t"].to_numpy()}
    for row in table[table["group"] != "Residual"].itertuples():
        code = data[row.group.split(":")].agg(":".join, axis=1).to_numpy()
        same = code[:, None] == code[None, :]
        one, two = Z[row.term], Z[row.term_2 or row.term]
        own = np.outer(one, two) if not row.term_2 else np.outer(one, two) + np.outer(two, one)
        V = V + same * row.variance * own
    return V


def oracle(fit, data: pd.DataFrame, cluster: str, kind: str) -> DenseSandwich:
    t, b = data["t"].to_numpy(), (data["arm"] == "B").to_numpy(float)
    X = np.column_stack([np.ones(len(t)), t, b, data["age"], t * b])
    codes = pd.factorize(data[cluster], sort=True)[0]
    return DenseSandwich(X, data["y"].to_numpy(), codes, dense_V(fit, data), kind)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("model", MODELS)
@settings(deadline=None, max_examples=3, derandomize=True)
@given(seed=st.integers(0, 10_000))
def test_covariance_df_and_f_test_are_the_oracle_s(model, kind, seed):
    data = trial(seed)
    fit = lmm(f"{FIXED} + {model}", data, vcov=kind)
    dense = oracle(fit, data, MODELS[model], kind)
    assert fit.method.covariance == kind
    # one V in both; roots and inverses of I − H, of condition 1e3 at most, take some digits
    np.testing.assert_allclose(fit.vcov, dense.vcov(), rtol=1e-7, atol=1e-9)
    df = [dense.df(row) for row in np.eye(5)]
    np.testing.assert_allclose(fit.coefficients()["df"], df, rtol=1e-7)
    L = np.eye(5)[[1, 4]]
    found, (F, den) = f_test(fit.method, L), dense.test(L)
    assert found.statistic == pytest.approx(F, rel=1e-6)
    assert found.den_df == pytest.approx(den, rel=1e-6)


def test_balanced_slopes_are_compared_as_welch_compares_them(study_data):
    data = pd.read_csv(study_data / "orthodont.csv")
    fit = lmm("distance ~ age * Sex + (1 + age | Subject)", data, vcov="CR2")
    table = fit.coefficients().set_index("term").loc["age:SexMale"]
    x = data["age"].unique() - 11.0
    wide = data.pivot_table(index=["Sex", "Subject"], columns="age", values="distance")
    slopes = (wide @ x) / (x @ x)
    welch = stats.ttest_ind(slopes["Male"], slopes["Female"], equal_var=False)
    # CR2 of balanced data is the unbiased variance of each arm's slopes, whatever the model's is
    assert table["estimate"] == pytest.approx(slopes["Male"].mean() - slopes["Female"].mean())
    assert table["statistic"] == pytest.approx(welch.statistic, rel=1e-9)


def test_only_standard_errors_and_what_rests_on_them_change():
    data = trial(3)
    plain, robust = (lmm(f"{FIXED} + (1 + t | id)", data, vcov=kind) for kind in (None, "CR2"))
    assert robust.minus2_loglik == plain.minus2_loglik
    pd.testing.assert_frame_equal(robust.variance_components(), plain.variance_components())
    pd.testing.assert_frame_equal(robust.random_effects(), plain.random_effects())
    ours, theirs = (fit.predict(data.head(4)) for fit in (robust, plain))
    np.testing.assert_allclose(ours["predicted_std_error"], theirs["predicted_std_error"])
    assert (ours["std_error"] != theirs["std_error"]).all()
    slopes = robust.slopes("t", by="arm").frame
    row = np.zeros(5)
    row[1] = 1.0
    assert slopes["std_error"][0] == pytest.approx(np.sqrt(row @ robust.vcov @ row))


def test_crossed_factors_have_no_independent_clusters(study_data):
    data = pd.read_csv(study_data / "penicillin.csv")
    with pytest.raises(NotAvailableError, match="plate is crossed with sample"):
        lmm("diameter ~ 1 + (1 | plate) + (1 | sample)", data, vcov="CR0")


def test_a_covariance_that_does_not_go_with_the_df_or_is_unknown_is_refused():
    data = trial(3)
    with pytest.raises(UsageError, match="does not go with df='kenward-roger'"):
        lmm(f"{FIXED} + (1 | id)", data, vcov="CR0", df="kenward-roger")
    with pytest.raises(UsageError, match=r"vcov: found 'HC3', expected one of CR0, CR1, CR2, CR3"):
        lmm(f"{FIXED} + (1 | id)", data, vcov="HC3")
    with pytest.raises(FitError, match="one level"):
        lmm("y ~ t + (1 | one)", data.assign(one="x"), vcov="CR0")
