"""Profile-likelihood intervals, against lme4's and at the edge of the parameters."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, stats

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


def test_what_is_not_built_is_refused():
    rng = np.random.default_rng(3)
    data = pd.DataFrame(rng.normal(size=(60, 3)), columns=["y", "a", "b"])
    data["id"] = np.repeat(np.arange(10), 6).astype(str)
    fit = lmm("y ~ a + b + (1 + a + b | id)", data)
    with pytest.raises(NotAvailableError, match="parametric_bootstrap takes any"):
        profile_intervals(fit)
    with pytest.raises(UsageError, match="confidence"):
        profile_intervals(fit, confidence=1.5)
