"""The constrained longitudinal analysis: ANCOVA on complete data, hand-made columns, simulation."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import trialmlm as tm
from trialmlm.errors import FitError, UsageError

KEYS = {"arm": "ARM", "visit": "AVISIT", "baseline": "Baseline", "subject": "ID", "control": "P"}
EFFECT = np.array([0.0, 1.0, 2.0])


def simulated(seed, n=60, missing=0.2, arms="PAB", baseline_gaps=True):
    """A randomised trial: arms equal at baseline, effects after it; visits lost at random."""
    rng = np.random.default_rng(seed)
    factor = np.linalg.cholesky([[4.0, 2.5, 1.5], [2.5, 5.0, 3.0], [1.5, 3.0, 6.0]])
    y = 20.0 + rng.standard_normal((n, 3)) @ factor.T
    arm = np.array(list(arms))[np.arange(n) % len(arms)]
    y += np.outer(arm == "A", EFFECT)
    frame = pd.DataFrame(
        {
            "ID": np.repeat([f"S{k:03d}" for k in range(n)], 3),
            "ARM": np.repeat(arm, 3),
            "SEX": np.repeat(np.where(rng.random(n) < 0.5, "F", "M"), 3),
            "AVISIT": ["Baseline", "Week 4", "Week 8"] * n,
            "Y": y.ravel(),
        }
    )
    lost = rng.random(len(frame)) < missing
    if not baseline_gaps:
        lost &= frame["AVISIT"] != "Baseline"
    return frame[~lost].reset_index(drop=True)


def effects(fit, visit="Week 8"):
    frame = fit.ls_means("ARM", by="AVISIT").contrasts("vs-control", control="P").frame
    return frame[frame["AVISIT"] == visit].set_index("contrast")


def test_on_complete_data_maximum_likelihood_gives_the_effect_of_ancova():
    """f(y0) f(y1, y2 | y0, arm): the effects are those of the regression on the baseline."""
    data = simulated(1, missing=0.0)
    fit = tm.clda("Y", data, reml=False, **KEYS)
    wide = data.pivot_table(index=["ID", "ARM"], columns="AVISIT", values="Y").reset_index()
    for visit in ("Week 4", "Week 8"):
        X = np.column_stack(
            [np.ones(len(wide)), wide["ARM"] == "A", wide["ARM"] == "B", wide["Baseline"]]
        )
        beta = np.linalg.lstsq(X, wide[visit], rcond=None)[0]
        found = effects(fit, visit)["estimate"]
        # not more than the search: 1e-6 standard errors at the least
        assert found["A - P"] == pytest.approx(beta[1], rel=1e-7)
        assert found["B - P"] == pytest.approx(beta[2], rel=1e-7)
    # the common mean at baseline is that of all subjects
    means = fit.ls_means("ARM", by="AVISIT").frame
    at_baseline = means[means["AVISIT"] == "Baseline"]["estimate"]
    np.testing.assert_allclose(at_baseline, wide["Baseline"].mean(), rtol=1e-9)


def test_the_constraint_is_that_of_columns_made_by_hand():
    data = simulated(2)
    data["A4"] = 1.0 * ((data["ARM"] == "A") & (data["AVISIT"] == "Week 4"))
    data["A8"] = 1.0 * ((data["ARM"] == "A") & (data["AVISIT"] == "Week 8"))
    data["B4"] = 1.0 * ((data["ARM"] == "B") & (data["AVISIT"] == "Week 4"))
    data["B8"] = 1.0 * ((data["ARM"] == "B") & (data["AVISIT"] == "Week 8"))
    formula = "Y ~ AVISIT + SEX + A4 + B4 + A8 + B8 + us(AVISIT | ID)"
    hand = tm.mmrm(formula, data, df="kenward-roger")
    fit = tm.clda("Y", data, covariates="SEX", df="kenward-roger", **KEYS)
    assert fit.minus2_loglik == pytest.approx(hand.minus2_loglik, abs=1e-9)
    table = hand.coefficients().set_index("term")
    found = fit.ls_means("ARM", by="AVISIT").contrasts("vs-control", control="P").frame
    for column, contrast, visit in (
        ("A4", "A - P", "Week 4"),
        ("B4", "B - P", "Week 4"),
        ("A8", "A - P", "Week 8"),
        ("B8", "B - P", "Week 8"),
    ):
        row = found[(found["contrast"] == contrast) & (found["AVISIT"] == visit)].iloc[0]
        for name in ("estimate", "std_error", "df", "p_value", "ci_low"):
            assert row[name] == pytest.approx(table.loc[column, name], rel=1e-6)
    mean = fit.ls_means("ARM", by="AVISIT").frame
    expected = hand.contrast({"(Intercept)": 1, "SEXM": 0.5, "AVISITWeek 8": 1, "A8": 1})
    row = mean[(mean["ARM"] == "A") & (mean["AVISIT"] == "Week 8")].iloc[0]
    for name in ("estimate", "std_error", "df"):
        assert row[name] == pytest.approx(expected[name][0], rel=1e-6)
    assert fit.coefficients()["term"].tolist()[-4:] == [
        "ARMA:AVISITWeek 4",
        "ARMB:AVISITWeek 4",
        "ARMA:AVISITWeek 8",
        "ARMB:AVISITWeek 8",
    ]
    joint = fit.treatment_test().iloc[0]
    assert joint["num_df"] == 4


def test_at_baseline_the_arms_are_one():
    fit = tm.clda("Y", simulated(3), **KEYS)
    frame = fit.ls_means("ARM", by="AVISIT").frame
    assert np.ptp(frame.loc[frame["AVISIT"] == "Baseline", "estimate"]) == 0.0
    at = effects(fit, "Baseline")
    assert (at["estimate"] == 0.0).all()
    assert (at["std_error"] == 0.0).all()


def test_means_that_average_over_visits_or_arms():
    fit = tm.clda("Y", simulated(4), covariates="SEX", **KEYS)
    by_visit = fit.ls_means("ARM", by="AVISIT").frame
    later = by_visit[by_visit["AVISIT"] != "Baseline"]
    averaged = fit.ls_means("ARM").frame.set_index("ARM")["estimate"]
    np.testing.assert_allclose(
        later.groupby("ARM")["estimate"].mean().loc[averaged.index], averaged
    )
    visits = fit.ls_means("AVISIT").frame.set_index("AVISIT")["estimate"]
    of_all = by_visit.groupby("AVISIT")["estimate"].mean()
    np.testing.assert_allclose(of_all.loc[visits.index], visits)
    at = fit.ls_means("ARM", at={"AVISIT": "Week 8"}).frame["estimate"]
    np.testing.assert_allclose(at, by_visit[by_visit["AVISIT"] == "Week 8"]["estimate"])
    sexes = fit.ls_means(("ARM", "SEX"), by="AVISIT").frame
    assert len(sexes) == 18
    both = sexes.groupby(["AVISIT", "ARM"])["estimate"].mean().to_numpy()
    np.testing.assert_allclose(both, by_visit.sort_values(["AVISIT", "ARM"])["estimate"])
    margins = fit.ls_means("ARM", by="AVISIT", weights="observed-margins").frame
    assert (margins["estimate"] != by_visit["estimate"]).all()
    with pytest.raises(UsageError, match="needs AVISIT among the names"):
        fit.ls_means("ARM", weights="observed-margins")
    with pytest.raises(UsageError, match="AVISIT is named twice"):
        fit.ls_means("ARM", by="AVISIT", at={"AVISIT": "Week 8"})
    with pytest.raises(UsageError, match="'Week 9' is not a level"):
        fit.ls_means("ARM", at={"AVISIT": "Week 9"})
    with pytest.raises(UsageError, match="REGION is not a factor"):
        fit.ls_means("REGION", by="AVISIT")


def test_subjects_with_a_baseline_alone_or_without_one_count():
    data = simulated(5, missing=0.3)
    fit = tm.clda("Y", data, **KEYS)
    assert fit.n_subjects == data["ID"].nunique()
    alone = data.groupby("ID")["AVISIT"].transform(lambda s: set(s) == {"Baseline"})
    assert alone.any()
    without = tm.clda("Y", data[~alone], **KEYS)
    assert without.n_obs == fit.n_obs - alone.sum()


def test_predictions_take_arm_and_visit():
    data = simulated(6)
    fit = tm.clda("Y", data, **KEYS)
    new = data.head(9)
    found = fit.predict(new)
    means = fit.ls_means("ARM", by="AVISIT").frame.set_index(["ARM", "AVISIT"])["estimate"]
    expected = means.loc[list(zip(new["ARM"], new["AVISIT"], strict=True))]
    np.testing.assert_allclose(found["estimate"], expected, rtol=1e-10)
    own = fit.predict(new, interval="prediction", conditional=True)
    np.testing.assert_allclose(own["estimate"], new["Y"], rtol=1e-10)
    with pytest.raises(FitError, match="'X'"):
        fit.predict(new.assign(ARM="X"))
    with pytest.raises(UsageError, match="ARM is missing"):
        fit.predict(new.drop(columns="ARM"))


def test_what_was_not_observed_is_simulated_with_the_effect_of_the_arm():
    fit = tm.clda("Y", simulated(12), **KEYS)
    draws = np.stack([fit.simulate(k, conditional=True) for k in range(400)])
    index = fit.simulate(0, conditional=True).index
    arm = simulated(12).groupby("ID")["ARM"].first()
    new = index.to_frame(index=False).assign(ARM=lambda d: d["ID"].map(arm))
    found = fit.predict(new, interval="prediction", conditional=True)
    error = found["std_error"] / np.sqrt(400)
    assert (np.abs(draws.mean(axis=0) - found["estimate"]) < 4.5 * error).all()


def test_the_baseline_comes_first_whatever_its_name():
    """The order matters for AR(1): a baseline called VIS9 is still the first visit."""
    data = simulated(7)
    renamed = data.assign(AVISIT=data["AVISIT"].replace("Baseline", "Xtra"))
    one = tm.clda("Y", data, structure="ar1h", **KEYS)
    two = tm.clda("Y", renamed, structure="ar1h", **{**KEYS, "baseline": "Xtra"})
    assert one.minus2_loglik == pytest.approx(two.minus2_loglik, rel=1e-12)
    assert two.covariance.index.tolist() == ["Xtra", "Week 4", "Week 8"]


def test_a_saved_analysis_comes_back(tmp_path):
    fit = tm.clda("Y", simulated(8), covariates="SEX", df="kenward-roger", **KEYS)
    fit.save(tmp_path / "a.fit")
    again = tm.load_fit(tmp_path / "a.fit")
    pd.testing.assert_frame_equal(
        again.ls_means("ARM", by="AVISIT").contrasts().frame,
        fit.ls_means("ARM", by="AVISIT").contrasts().frame,
        check_exact=True,
    )


def test_an_arm_without_values_at_a_visit_is_not_estimable():
    data = simulated(9)
    gone = (data["ARM"] == "B") & (data["AVISIT"] == "Week 8")
    fit = tm.clda("Y", data[~gone], **KEYS)
    found = effects(fit)["estimate"]
    assert np.isnan(found["B - P"])
    assert np.isfinite(found["A - P"])


@pytest.mark.parametrize(
    ("changes", "error", "said"),
    [
        ({"baseline": "Day 1"}, UsageError, "'Day 1' is not a level of AVISIT"),
        ({"control": "X"}, UsageError, "'X' is not a level of ARM"),
        ({"arm": "NONE"}, FitError, "no column NONE"),
        ({"covariates": "ARM"}, UsageError, "the covariates involve ARM"),
    ],
)
def test_bad_requests_say_what_is_wrong(changes, error, said):
    with pytest.raises(error, match=said):
        tm.clda("Y", simulated(10), **{**KEYS, **changes})


def test_a_visit_or_arm_without_a_response_is_left_out():
    """The constraint is on what was fitted, so that means by visit are those of the visits left."""
    data = simulated(10)
    without = data[data["AVISIT"] != "Week 4"].query("ARM != 'B'")
    gone = (data["AVISIT"] == "Week 4") | (data["ARM"] == "B")
    fit = tm.clda("Y", data.assign(Y=data["Y"].mask(gone)), **KEYS)
    expected = tm.clda("Y", without, **KEYS).ls_means("ARM", by="AVISIT").frame
    pd.testing.assert_frame_equal(fit.ls_means("ARM", by="AVISIT").frame, expected)
    assert fit.constraint.visits == ("Baseline", "Week 8")
    assert not any("AVISIT missing" in note for note in fit.notes)


@pytest.mark.parametrize(("column", "level"), [("AVISIT", "Baseline"), ("ARM", "P")])
def test_a_baseline_or_control_without_a_response_is_refused(column, level):
    data = simulated(10)
    lost = data.assign(Y=data["Y"].mask(data[column] == level))
    with pytest.raises(FitError, match=f"clda: {column} '{level}' has no row used"):
        tm.clda("Y", lost, **KEYS)


def test_a_weighting_or_factor_that_is_not_known_is_refused():
    fit = tm.clda("Y", simulated(10), **KEYS)
    for name in ("ARMA", "NONE"):
        with pytest.raises(UsageError, match=rf"{name} is not a factor .* are ARM, AVISIT$"):
            fit.ls_means(name, by="AVISIT")
    with pytest.raises(UsageError, match="found 'margins', expected one of equal, observed"):
        fit.ls_means("ARM", by="AVISIT", weights="margins")


def test_an_arm_that_changes_is_refused():
    data = simulated(11)
    last = data["ID"].eq("S007").to_numpy().nonzero()[0][-1]
    data.loc[last, "ARM"] = "P"
    with pytest.raises(FitError, match="changes within S007"):
        tm.clda("Y", data, **KEYS)


def test_effects_are_unbiased_and_intervals_cover():
    """200 trials with 20 % of the values lost: estimate within 4 SE of the truth, coverage too."""
    estimates, covered = [], []
    for seed in range(200):
        row = effects(tm.clda("Y", simulated(1000 + seed), df="kenward-roger", **KEYS)).loc["A - P"]
        estimates.append(row["estimate"])
        covered.append(row["ci_low"] < EFFECT[2] < row["ci_high"])
    error = np.std(estimates) / np.sqrt(200)
    assert abs(np.mean(estimates) - EFFECT[2]) < 4 * error
    low, high = stats.binom.interval(0.9995, 200, 0.95)
    assert low <= np.sum(covered) <= high
