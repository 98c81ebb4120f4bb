"""Intraclass correlations, against Shrout and Fleiss's example, psych's intervals and theory."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import FitError, UsageError
from trialmlm.models.agreement import agreement
from trialmlm.models.lmm import lmm

FACTS = Path(__file__).parents[2] / "validation" / "multilevel" / "facts.json"
#: Shrout and Fleiss (1979), table 2: six targets by four judges
RATINGS = ((9, 2, 5, 8), (6, 1, 3, 2), (8, 4, 6, 8), (7, 1, 2, 6), (10, 5, 6, 9), (6, 2, 4, 7))
FORMS = {"ICC(1)": "ICC1", "ICC(A,1)": "ICC2", "ICC(C,1)": "ICC3",
         "ICC(k)": "ICC1k", "ICC(A,k)": "ICC2k", "ICC(C,k)": "ICC3k"}  # fmt: skip


def long(table) -> pd.DataFrame:
    Y = np.asarray(table, dtype=float)
    n, k = Y.shape
    target, judge = np.repeat(np.arange(n), k), np.tile(np.arange(k), n)
    return pd.DataFrame({"target": target, "judge": judge, "rating": Y.ravel()})


def test_the_published_example():
    frame = agreement(long(RATINGS), "rating", "target", "judge").frame
    assert frame["icc"].round(2).tolist() == [0.17, 0.29, 0.71, 0.44, 0.62, 0.91]
    assert frame["shrout_fleiss"].tolist()[:3] == ["ICC(1,1)", "ICC(2,1)", "ICC(3,1)"]


@pytest.mark.parametrize("confidence", [0.90, 0.95])
def test_estimates_tests_and_intervals_are_psych_s(confidence):
    facts = json.loads(FACTS.read_text(encoding="utf-8"))[f"shrout_fleiss_{100 * confidence:.0f}"]
    table = agreement(long(RATINGS), "rating", "target", "judge", confidence)
    rows = table.frame.set_index("form")
    columns = ["icc", "statistic", "num_df", "den_df", "p_value", "ci_low", "ci_high"]
    for form, name in FORMS.items():
        # closed forms; quantiles of F to about 1e-12
        own = rows.loc[form, columns].astype(float)
        np.testing.assert_allclose(own, list(facts[name].values()), rtol=1e-9)


def test_the_reference_s_mean_squares_and_correlations(study_data, reference):
    theirs = json.loads((reference / "lmm" / "icc_shrout_fleiss.json").read_text())
    data = pd.read_csv(study_data / "shrout_fleiss.csv")
    found = agreement(data, "rating", "target", "judge")
    squares, ms = found.mean_squares, theirs["ms"]
    own = [squares.targets, squares.raters, squares.error, squares.within]
    names = ("between_targets", "between_judges", "residual", "within_targets")
    np.testing.assert_allclose(own, [ms[name] for name in names], rtol=1e-12)
    np.testing.assert_allclose(found.frame["icc"], list(theirs["icc"].values()), rtol=1e-12)


def test_the_one_way_correlation_is_the_mixed_model_s():
    data = long(np.random.default_rng(2).normal(size=(15, 1)) * 2 + RATINGS[0])
    data["rating"] += np.random.default_rng(3).normal(size=len(data))
    icc = agreement(data, "rating", "target", "judge").frame.set_index("form")["icc"]
    components = lmm("rating ~ 1 + (1 | target)", data.astype({"target": str}))
    between, residual = components.variance_components()["variance"]
    assert icc["ICC(1)"] == pytest.approx(between / (between + residual), rel=1e-6)
    fixed = lmm("rating ~ C(judge) + (1 | target)", data.astype({"target": str}))
    between, residual = fixed.variance_components()["variance"]
    assert icc["ICC(C,1)"] == pytest.approx(between / (between + residual), rel=1e-6)


def test_raters_who_only_differ_in_harshness_are_consistent_but_do_not_agree():
    data = long(RATINGS)
    harsher = data.assign(rating=data["rating"] - 3.0 * data["judge"])
    one, two = (agreement(d, "rating", "target", "judge").frame for d in (data, harsher))
    one, two = one.set_index("form"), two.set_index("form")
    assert two.loc["ICC(C,1)", "icc"] == pytest.approx(one.loc["ICC(C,1)", "icc"])
    assert two.loc["ICC(A,1)", "icc"] < one.loc["ICC(A,1)", "icc"]


@pytest.mark.parametrize("form", ["ICC(1)", "ICC(C,1)", "ICC(A,1)"])
def test_intervals_cover_as_often_as_they_say(form):
    rng = np.random.default_rng(8)
    judges = 0.0 if form == "ICC(1)" else 0.7
    true = 2.0 / (2.0 + 1.0 + (judges**2 if form == "ICC(A,1)" else 0.0))
    hits = 0
    for _ in range(400):
        Y = np.sqrt(2.0) * rng.normal(size=(20, 1)) + judges * rng.normal(size=4)
        row = agreement(long(Y + rng.normal(size=(20, 4))), "rating", "target", "judge").frame
        low, high = row.set_index("form").loc[form, ["ci_low", "ci_high"]]
        hits += low <= true <= high
    # three Monte Carlo errors about 0.95; that of ICC(A,1) is approximate
    assert 0.915 < hits / 400 < 0.985


def test_incomplete_targets_are_dropped_and_nonsense_is_refused():
    data = long(RATINGS)
    found = agreement(data.drop(index=5), "rating", "target", "judge")
    assert found.mean_squares.n == 5
    assert found.notes == ("1 of 6 targets dropped: a rating is missing",)
    with pytest.raises(FitError, match="no variation is left"):
        agreement(long(np.add.outer(range(5), [0, 1, 2])), "rating", "target", "judge")
    with pytest.raises(FitError, match="target 0 has 2 values at judge 0"):
        agreement(pd.concat([data, data.head(1)]), "rating", "target", "judge")
    with pytest.raises(UsageError, match="confidence"):
        agreement(data, "rating", "target", "judge", confidence=95)
