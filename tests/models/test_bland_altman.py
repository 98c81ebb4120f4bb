"""Limits of agreement, against the published example, exact distributions and simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from trialmlm.errors import FitError, UsageError
from trialmlm.models.bland_altman import bland_altman
from trialmlm.models.lmm import lmm

#: Bland and Altman (1986), table 1: peak expiratory flow (l/min), first readings of two meters
WRIGHT = (494, 395, 516, 434, 476, 557, 413, 442, 650, 433, 417, 656, 267, 478, 178, 423, 427)
MINI = (512, 430, 520, 428, 500, 600, 364, 380, 658, 445, 432, 626, 260, 477, 259, 350, 451)
FLOW = pd.DataFrame({"wright": WRIGHT, "mini": MINI}, dtype=float)


def test_the_published_example():
    # the paper takes 2 SD and says: −2.1, SD 38.8, limits −79.7 and 75.5, bias −22.0 to 17.8
    frame = bland_altman(FLOW, "wright", "mini", coverage=0.9544997361).frame
    rows = frame.set_index("quantity")
    assert round(rows.loc["bias", "estimate"], 1) == -2.1
    assert round(rows.loc["sd", "estimate"], 1) == 38.8
    assert round(rows.loc["lower limit", "estimate"], 1) == -79.6  # from unrounded figures
    assert round(rows.loc["upper limit", "estimate"], 1) == 75.4
    assert rows.loc["bias", ["ci_low", "ci_high"]].astype(float).round(1).tolist() == [-22.0, 17.8]


def test_the_exact_interval_of_a_limit_is_that_of_a_normal_quantile():
    # a limit is a quantile of the normal distribution, whose interval is known: noncentral t
    rows = bland_altman(FLOW, "wright", "mini").frame.set_index("quantity")
    d = FLOW["wright"] - FLOW["mini"]
    n, sd = d.size, d.std(ddof=1)
    for name, z in (("lower limit", stats.norm.ppf(0.025)), ("upper limit", stats.norm.ppf(0.975))):
        ends = d.mean() + sd / np.sqrt(n) * stats.nct.ppf([0.025, 0.975], n - 1, z * np.sqrt(n))
        own = rows.loc[name, ["ci_low", "ci_high"]].astype(float)
        # 1e-5: the quantile is found by a search, here and there
        np.testing.assert_allclose(own, ends, rtol=1e-5)
    chi = np.sqrt((n - 1) * sd**2 / stats.chi2.ppf([0.975, 0.025], n - 1))
    np.testing.assert_allclose(rows.loc["sd", ["ci_low", "ci_high"]].astype(float), chi, rtol=1e-9)


def test_the_approximate_interval_is_bland_and_altman_s():
    rows = bland_altman(FLOW, "wright", "mini", interval="approximate").frame
    row = rows.set_index("quantity").loc["upper limit"]
    d = FLOW["wright"] - FLOW["mini"]
    z, t = stats.norm.ppf(0.975), stats.t.ppf(0.975, 16)
    error = d.std(ddof=1) * np.sqrt(1 / 17 + z**2 / 32)
    assert row["ci_high"] - row["estimate"] == pytest.approx(t * error, rel=1e-10)
    assert row["estimate"] - row["ci_low"] == pytest.approx(t * error, rel=1e-10)


def repeated(rng: np.random.Generator, n: int, m: int) -> pd.DataFrame:
    """Differences: bias 1, variance 4 between and 2 within subjects; the true value varies."""
    d = 1.0 + 2.0 * rng.normal(size=(n, 1)) + np.sqrt(2.0) * rng.normal(size=(n, m))
    level = rng.normal(50.0, 10.0, size=(n, m))
    who = np.repeat(np.arange(n), m)
    return pd.DataFrame({"who": who, "a": (level + d).ravel(), "b": level.ravel()})


def test_equally_many_pairs_give_the_components_of_the_mixed_model():
    data = repeated(np.random.default_rng(4), 25, 3)
    found = bland_altman(data, "a", "b", "who")
    fit = lmm(
        "d ~ 1 + (1 | who)", data.assign(d=data["a"] - data["b"], who=data["who"].astype(str))
    )
    between, within = fit.variance_components()["variance"]
    # the fit reaches its optimum to about 1e-9 standard errors
    assert found.summary.between == pytest.approx(between, rel=1e-6)
    assert found.summary.within == pytest.approx(within, rel=1e-6)
    mean = fit.coefficients().iloc[0]
    bias = found.frame.iloc[0]
    assert bias["estimate"] == pytest.approx(mean["estimate"])
    assert bias["ci_low"] == pytest.approx(mean["ci_low"], rel=1e-6)


def test_one_pair_per_subject_is_the_same_with_or_without_the_subject():
    data = FLOW.assign(who=np.arange(17))
    one, two = bland_altman(FLOW, "wright", "mini"), bland_altman(data, "wright", "mini", "who")
    pd.testing.assert_frame_equal(one.frame, two.frame)


@pytest.mark.parametrize(("kind", "m"), [("exact", 1), ("approximate", 1), ("mover", 1), (None, 3)])
def test_intervals_cover_as_often_as_they_say(kind, m):
    rng = np.random.default_rng(9)
    true = 1.0 + stats.norm.ppf(0.975) * np.sqrt(6.0)
    hits = np.zeros(2)
    for _ in range(500):
        frame = bland_altman(repeated(rng, 30, m), "a", "b", "who", interval=kind).frame
        rows = frame.set_index("quantity")
        for k, (name, value) in enumerate({"upper limit": true, "sd": np.sqrt(6.0)}.items()):
            hits[k] += rows.loc[name, "ci_low"] <= value <= rows.loc[name, "ci_high"]
    # three Monte Carlo errors of 0.0097 about 0.95
    assert (np.abs(hits / 500 - 0.95) < 0.03).all()


def test_ignoring_the_subject_understates_the_uncertainty():
    data = repeated(np.random.default_rng(6), 20, 4)
    careful = bland_altman(data, "a", "b", "who").frame
    naive = bland_altman(data, "a", "b").frame
    width = [(f["ci_high"] - f["ci_low"]).iloc[0] for f in (careful, naive)]
    assert width[0] > 1.3 * width[1]


def test_pairs_not_used_are_counted_and_nonsense_is_refused():
    gaps = FLOW.copy()
    gaps.loc[3, "mini"] = np.nan
    found = bland_altman(gaps, "wright", "mini")
    assert found.notes == ("1 of 17 pairs not used: mini missing in 1",)
    assert 3 not in found.points.index
    data = repeated(np.random.default_rng(7), 5, 2)
    with pytest.raises(UsageError, match="several pairs per subject expected one of mover"):
        bland_altman(data, "a", "b", "who", interval="exact")
    with pytest.raises(UsageError, match="expected one of exact, approximate, mover"):
        bland_altman(FLOW, "wright", "mini", interval="bootstrap")
    with pytest.raises(FitError, match="need three"):
        bland_altman(FLOW.head(2), "wright", "mini")
    with pytest.raises(UsageError, match="coverage"):
        bland_altman(FLOW, "wright", "mini", coverage=1.96)
