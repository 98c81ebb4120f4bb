"""Slopes within and between groups, against published fits and their identities."""

from __future__ import annotations

import json
import warnings

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import FitError, OppositeSlopesWarning, UsageError
from trialmlm.models.ancova import ancova
from trialmlm.models.within_between import within_between


def published(reference, name):
    return json.loads((reference / "lmm" / f"{name}.json").read_text())


def coefficient(fit, term, what="estimate"):
    fixed = fit["reml"]["fixef"]
    return fixed[what][fixed["names"].index(term)]


def test_achievement_on_ses_within_and_between_schools(study_data, reference):
    theirs = published(reference, "within_between_hsb82")
    found = within_between(pd.read_csv(study_data / "hsb82.csv"), "mAch", "ses", "school")
    slopes = found.frame.set_index("slope")
    # of the reference: estimates and SE 1e-6 relative, df 1e-5
    closed = {
        "pooled": theirs["pooled_ols"],
        "ecological": theirs["between_ols_on_school_means"],
    }
    for name, fit in closed.items():
        own = slopes.loc[name, ["estimate", "std_error"]].astype(float)
        np.testing.assert_allclose(own, [fit["estimate"][1], fit["se"][1]], rtol=1e-9)
    mixed = {
        "mixed": ("naive_lmm", "ses"),
        "within": ("within_between", "dev_ses"),
        "between": ("within_between", "mean_ses"),
        "contextual": ("mundlak", "mean_ses"),
    }
    for name, (model, term) in mixed.items():
        own = slopes.loc[name, ["estimate", "std_error", "df"]].astype(float)
        expected = [
            coefficient(theirs[model], term, what)
            for what in ("estimate", "se", "satterthwaite_df")
        ]
        np.testing.assert_allclose(own[:2], expected[:2], rtol=1e-6)
        np.testing.assert_allclose(own.iloc[2], expected[2], rtol=1e-5)
    assert slopes.loc["within", "estimate"] == pytest.approx(
        theirs["fixed_effects_within"]["estimate"], rel=1e-9
    )
    assert found.notes == ()


def test_simpson_s_paradox_is_warned_of(study_data, reference):
    theirs = published(reference, "within_between_simpson")
    data = pd.read_csv(study_data / "sim_simpson.csv")
    with pytest.warns(OppositeSlopesWarning, match="disagree in sign: pooled 2.442, within -1.588"):
        found = within_between(data, "y", "dose", "site", df="kenward-roger")
    slopes = found.frame.set_index("slope")["estimate"]
    assert slopes["pooled"] == pytest.approx(theirs["pooled_ols"]["dose"], rel=1e-9)
    assert slopes["ecological"] == pytest.approx(theirs["site_means_ols"]["m"], rel=1e-9)
    assert slopes["mixed"] == pytest.approx(coefficient(theirs["naive_lmm"], "dose"), rel=1e-6)
    assert slopes["within"] == pytest.approx(coefficient(theirs["within_between"], "d"), rel=1e-6)
    assert slopes["between"] == pytest.approx(coefficient(theirs["within_between"], "m"), rel=1e-6)
    assert slopes["contextual"] == pytest.approx(coefficient(theirs["mundlak"], "m"), rel=1e-6)
    assert "disagree in sign" in found.notes[0]


def grouped(seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g = np.repeat(np.arange(15), rng.integers(2, 9, 15))
    x = rng.normal(size=15)[g] + rng.normal(size=g.size)
    z = rng.normal(size=g.size)
    y = 2 + 0.5 * x + rng.normal(size=15)[g] + z + rng.normal(size=g.size)
    return pd.DataFrame({"a group": g.astype(str), "a dose": x, "z": z, "y": y})


def test_the_within_slope_is_that_of_fixed_effects_of_the_groups():
    data = grouped(1)
    found = within_between(data, "y", "a dose", "a group").frame.set_index("slope")
    named = data.rename(columns={"a group": "g", "a dose": "x"})
    fixed = ancova("y ~ x + g", named).coefficients().set_index("term")
    # the group means carry nothing of what is within, whatever the variances
    assert found.loc["within", "estimate"] == pytest.approx(fixed.loc["x", "estimate"], rel=1e-9)
    between, within, contextual = found.loc[["between", "within", "contextual"], "estimate"]
    assert contextual == pytest.approx(between - within, rel=1e-8)


def test_covariates_are_in_the_models_and_a_constant_shift_changes_nothing():
    data = grouped(2)
    one = within_between(data, "y", "a dose", "a group", ["z"]).frame
    assert (
        one["std_error"][:1] < within_between(data, "y", "a dose", "a group").frame["std_error"][:1]
    ).all()
    moved = data.assign(**{"a dose": data["a dose"] + 100.0})
    two = within_between(moved, "y", "a dose", "a group", ["z"]).frame
    np.testing.assert_allclose(one["estimate"], two["estimate"], rtol=1e-6)


def test_agreement_in_sign_is_not_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        within_between(grouped(3), "y", "a dose", "a group")


def test_a_column_that_does_not_vary_as_needed_is_refused():
    data = grouped(4)
    means = data.groupby("a group")["a dose"].transform("mean")
    with pytest.raises(FitError, match="a dose does not vary within any a group"):
        within_between(data.assign(**{"a dose": means}), "y", "a dose", "a group")
    with pytest.raises(FitError, match="no slope between"):
        within_between(
            data.assign(**{"a dose": data["a dose"] - means}).iloc[:], "y", "a dose", "a group"
        )
    with pytest.raises(UsageError, match="name it once"):
        within_between(data, "y", "a dose", "a group", ["a dose"])
