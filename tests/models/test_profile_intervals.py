"""Profile-likelihood intervals, against lme4's and at the edge of the parameters."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

from trialmlm.covariance.partial import correlation_root, partial_correlations
from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.models.lmm import lmm
from trialmlm.models.profile_intervals import profile_intervals

REFERENCES = {
    "lmm_sleepstudy_slope": ("sleepstudy.csv", "Reaction ~ Days + (Days | Subject)"),
    "lmm_sleepstudy_intercept": ("sleepstudy.csv", "Reaction ~ Days + (1 | Subject)"),
    "lmm_dyestuff": ("dyestuff.csv", "Yield ~ 1 + (1 | Batch)"),
    "lmm_exam_null": ("exam.csv", "normexam ~ 1 + (1 | school)"),
    "lmm_orthodont_slope": ("orthodont.csv", "distance ~ age_c * Sex + (age_c | Subject)"),
    "lmm_pastes_nested": ("pastes.csv", "strength ~ 1 + (1 | sample) + (1 | batch)"),
    "lmm_penicillin_crossed": ("penicillin.csv", "diameter ~ 1 + (1 | plate) + (1 | sample)"),
    "lmm_sleepstudy_uncorrelated": (
        "sleepstudy.csv",
        "Reaction ~ Days + (1 | Subject) + (0 + Days | Subject)",
    ),
    "lmm_pbcseq_slope_profile_ci": ("pbcseq.csv", "albumin ~ year * trt + (year | id)"),
    "lmm_ep05_glucose": ("ep05_glucose.csv", "result ~ 1 + (1 | day/run)"),
    "lmm_machines_nested": ("machines.csv", "score ~ Machine + (1 | Worker/Machine)"),
    "icc_shrout_fleiss": ("shrout_fleiss.csv", "rating ~ 1 + (1 | target) + (1 | judge)"),
    "pseudobulk_vs_lmm": ("sim_cells.csv", "log_expr ~ arm + (1 | donor)"),
}
#: where the fit stands in files of several, and names of factors that differ there
WITHIN = {"icc_shrout_fleiss": "lmm", "pseudobulk_vs_lmm": "cell_level_lmm"}
FACTORS = {"day:run": "dr"}


def profiled(node, name: str) -> list[str]:
    """The names of all that have intervals by profile."""
    if not isinstance(node, dict):
        return []
    own = [name] if "profile_ci_ML_95" in node or name.endswith("profile_ci") else []
    return own + [one for value in node.values() for one in profiled(value, name)]


def test_every_stored_profile_is_compared(reference):
    stored = {
        one
        for path in (reference / "lmm").glob("*.json")
        for one in profiled(json.loads(path.read_text(encoding="utf-8")), path.stem)
    }
    assert stored == set(REFERENCES)


def lme4_s_name(row) -> str:
    if row["kind"] == "sd":
        return f"sd_{row['term']}|{FACTORS.get(row['group'], row['group'])}"
    if row["kind"] == "correlation":
        return f"cor_{row['term_2']}.{row['term']}|{row['group']}"
    return "sigma" if row["kind"] == "residual sd" else row["term"]


@pytest.mark.parametrize("name", REFERENCES)
def test_limits_are_lme4_s(study_data, reference, name):
    file, formula = REFERENCES[name]
    data = pd.read_csv(study_data / file)
    if file == "orthodont.csv":
        data["age_c"] = data["age"] - 11
        data["Sex"] = pd.Categorical(data["Sex"], ["Male", "Female"])
    theirs = json.loads((reference / "lmm" / f"{name}.json").read_text())
    theirs = theirs.get(WITHIN.get(name, ""), theirs)
    theirs = theirs.get("profile_ci_ML_95", theirs)
    found = profile_intervals(lmm(formula, data))
    ours = {lme4_s_name(row): row for row in found.to_dict("records")}
    assert set(ours) == set(theirs["parameters"])
    for k, parameter in enumerate(theirs["parameters"]):
        row, limits = ours[parameter], (theirs["lower"][k], theirs["upper"][k])
        width = limits[1] - limits[0]
        # lme4 interpolates by splines, 1e-3 relative as the reference says
        np.testing.assert_allclose(
            [row["ci_low"], row["ci_high"]], limits, rtol=1e-3, atol=1e-3 * width
        )


def test_a_fit_by_reml_or_ml_has_the_same_profile():
    rng = np.random.default_rng(1)
    y = rng.normal(size=(10, 1)) + rng.normal(size=(10, 4))
    data = pd.DataFrame({"id": np.repeat(np.arange(10), 4).astype(str), "y": y.ravel()})
    one, two = (
        profile_intervals(lmm("y ~ 1 + (1 | id)", data, reml=reml)) for reml in (True, False)
    )
    pd.testing.assert_frame_equal(one, two, rtol=1e-5)
    estimate = lmm("y ~ 1 + (1 | id)", data, reml=False).variance_components()["sd"]
    np.testing.assert_allclose(one["estimate"][:2], estimate, rtol=1e-4)


def test_a_variance_of_zero_has_the_lower_limit_zero_and_the_rest_is_least_squares(study_data):
    data = pd.read_csv(study_data / "dyestuff2.csv")
    found = profile_intervals(lmm("Yield ~ 1 + (1 | Batch)", data)).set_index("kind")
    assert found.loc["sd", "estimate"] == 0.0
    assert found.loc["sd", "ci_low"] == 0.0
    # with the variance of batches at zero throughout, σ has the likelihood of one sample
    n, ss = len(data), ((data["Yield"] - data["Yield"].mean()) ** 2).sum()
    assert found.loc["residual sd", "estimate"] == pytest.approx(np.sqrt(ss / n), rel=1e-6)
    drop = lambda sigma: n * np.log(sigma**2) + ss / sigma**2  # noqa: E731
    least = drop(np.sqrt(ss / n)) + stats.chi2.ppf(0.95, 1)
    high = optimize.brentq(lambda sigma: drop(sigma) - least, np.sqrt(ss / n), 20.0)
    assert found.loc["residual sd", "ci_high"] == pytest.approx(high, rel=1e-6)


def test_several_residual_variances_have_an_interval_each():
    rng = np.random.default_rng(2)
    y = rng.normal(size=(30, 1)) + rng.normal(size=(30, 3)) * [0.5, 1.0, 2.0]
    data = pd.DataFrame({"id": np.repeat(np.arange(30), 3).astype(str), "y": y.ravel()})
    data["visit"] = np.tile(["V1", "V2", "V3"], 30)
    found = profile_intervals(lmm("y ~ visit + (1 | id) + diag(visit | id)", data))
    own = found[found["kind"] == "residual sd"]
    assert own["term"].tolist() == ["V1", "V2", "V3"]
    assert (own["ci_low"] < own["estimate"]).all()
    assert (own["estimate"] < own["ci_high"]).all()


def test_a_share_that_is_none_is_refused_and_so_is_a_residual_covariance():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.normal(size=(60, 3)), columns=["y", "a", "b"])
    data["id"], data["visit"] = np.repeat(np.arange(10), 6).astype(str), np.tile(np.arange(6), 10)
    with pytest.raises(NotAvailableError, match="parametric_bootstrap takes them"):
        profile_intervals(lmm("y ~ a + (1 | id) + ar1(visit | id)", data))
    with pytest.raises(UsageError, match="confidence"):
        profile_intervals(lmm("y ~ a + (1 | id)", data), confidence=1.5)


@pytest.fixture(scope="module")
def machines(study_data):
    return pd.read_csv(study_data / "machines.csv")


@pytest.fixture(scope="module")
def three_effects(machines):
    """Three correlated effects: limits by kind and terms."""
    found = profile_intervals(lmm("score ~ Machine + (0 + Machine | Worker)", machines))
    return found.set_index(["kind", "term", "term_2"])[["ci_low", "ci_high"]]


def test_limits_of_three_correlated_effects_are_lme4_s(three_effects):
    # confint(lmer(score ~ Machine + (0 + Machine | Worker)), oldNames = FALSE), lme4 1.1-31
    stored = {
        ("sd", "MachineA", ""): (2.26631703, 7.51550811),
        ("sd", "MachineB", ""): (4.86814227, 15.81157256),
        ("sd", "MachineC", ""): (2.44555718, 8.08016718),
        ("residual sd", "", ""): (0.77594896, 1.23496462),
        ("coefficient", "(Intercept)", ""): (48.79640472, 55.91471191),
        ("coefficient", "MachineB", ""): (2.84016236, 13.09317850),
        ("coefficient", "MachineC", ""): (10.65528151, 17.17805744),
    }
    for key, limits in stored.items():
        # 1e-3 as elsewhere: lme4 interpolates by splines
        np.testing.assert_allclose(three_effects.loc[key], limits, rtol=1e-3)


class Balanced:
    """−2l of six workers' means and the spread within cells: G + σ²/3 I, and σ² on 36 df."""

    def __init__(self, data: pd.DataFrame) -> None:
        cells = data.groupby(["Worker", "Machine"])["score"]
        means = data.pivot_table(index="Worker", columns="Machine", values="score")
        centred = (means - means.mean()).to_numpy()
        self.S, self.n = centred.T @ centred, len(means)
        self.within = float(((data["score"] - cells.transform("mean")) ** 2).sum())

    def deviance(self, G: np.ndarray, sigma2: float) -> float:
        C = 3.0 * G + sigma2 * np.eye(3)
        of_means = self.n * np.linalg.slogdet(C)[1] + 3.0 * np.trace(np.linalg.solve(C, self.S))
        return of_means + 36.0 * np.log(sigma2) + self.within / sigma2

    def least(self, pair: tuple[int, int] | None, value: float = 0.0) -> float:
        """With one correlation held, by a search over the entries of G under that constraint."""

        def G(x: np.ndarray) -> np.ndarray:
            L = np.zeros((3, 3))
            L[np.tril_indices(3)] = x[:6]
            return L @ L.T

        def held(x: np.ndarray) -> float:
            V, (i, j) = G(x), pair
            return float(V[i, j] / np.sqrt(V[i, i] * V[j, j])) - value

        starts = ([4, 3, 6, 2, 2, 3, 0.0], [4, 5, 5, 3, 1, 2, 0.1], [3, -2, 6, 1, 4, 3, 0.0])
        bound = [] if pair is None else [{"type": "eq", "fun": held}]
        options = {"maxiter": 1000, "ftol": 1e-12}
        found = [
            optimize.minimize(
                lambda x: self.deviance(G(x), np.exp(2 * x[6])),
                np.array(start, dtype=float),
                method="SLSQP",
                constraints=bound,
                options=options,
            )
            for start in starts
        ]
        return min(one.fun for one in found if one.success)


@pytest.mark.parametrize("pair", [(0, 1), (0, 2), (1, 2)])
def test_limits_of_three_correlations_are_where_the_likelihood_says(machines, three_effects, pair):
    # lme4's own lie up to 0.017 off: at its upper limit for B and C −2l is not at the cutoff
    dense = Balanced(machines)
    cutoff = dense.least(None) + stats.chi2.ppf(0.95, 1)
    names = [f"Machine{'ABC'[k]}" for k in pair]
    for limit in three_effects.loc[("correlation", *names)]:
        # the search of the test stops within 1e-6; the limit is known to 1e-5 of a step of 0.2
        assert dense.least(pair, limit) == pytest.approx(cutoff, abs=1e-3)


def test_partial_correlations_make_every_correlation_matrix():
    rng = np.random.default_rng(1)
    for r in (2, 3, 5):
        R = np.corrcoef(rng.normal(size=(r, r + 2)))
        w = partial_correlations(R)
        np.testing.assert_allclose(correlation_root(w, r), np.linalg.cholesky(R), atol=1e-14)
        assert w[0] == pytest.approx(R[1, 0])
    singular = np.ones((3, 3))
    root = correlation_root(partial_correlations(singular), 3)
    np.testing.assert_allclose(root @ root.T, singular)
