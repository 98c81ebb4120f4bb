"""LS means averaged over subjects: by hand, and against R mmrm's G-computation."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.errors import FitError, UsageError

FIXED = "BASE*ARMCD + SEX*ARMCD + ARMCD*AVISIT + PULSE"


def trial(seed: int = 5, dropouts: int = 0):
    """A trial with a covariate that varies with time; and subjects who never have a response."""
    frame = random_trial(seed, n_subjects=40, fixed=FIXED).frame
    formula = f"CHG ~ {FIXED} + us(AVISIT | USUBJID)"
    if dropouts:
        gone = sorted(frame["USUBJID"].unique())[:dropouts]
        lost = frame["USUBJID"].isin(gone)
        frame = frame.assign(CHG=frame["CHG"].mask(lost), BASE=frame["BASE"].mask(lost, 80.0))
    return tm.mmrm(formula, frame), frame


def by_hand(fit, frame: pd.DataFrame, arm: str, visit: str) -> float:
    """Predictions for one record per subject with arm and visit set, PULSE at its mean."""
    people = frame.drop_duplicates("USUBJID")
    pulse = frame.loc[frame["CHG"].notna(), "PULSE"].mean()
    return fit.predict(people.assign(ARMCD=arm, AVISIT=visit, PULSE=pulse))["estimate"].mean()


@pytest.mark.parametrize("over", ["analysed", "randomised"])
def test_a_mean_is_the_average_of_the_subjects_predictions(over):
    fit, frame = trial(dropouts=6)
    used = frame if over == "randomised" else frame[frame["CHG"].notna()]
    means = fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual", over=over)
    expected = [by_hand(fit, used, a, v) for v in ("V1", "V2", "V3") for a in "AB"]
    np.testing.assert_allclose(means.frame["estimate"], expected, rtol=1e-10)
    assert means.notes == (f"averaged over {used['USUBJID'].nunique()} subjects {over}",)
    assert frame["USUBJID"].nunique() == frame[frame["CHG"].notna()]["USUBJID"].nunique() + 6


def test_averages_over_visits_take_every_visit_alike():
    fit, _ = trial()
    by_visit = fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual").frame
    overall = fit.ls_means("ARMCD", weights="counterfactual").frame
    expected = by_visit.groupby("ARMCD")["estimate"].mean()
    np.testing.assert_allclose(overall["estimate"], expected, rtol=1e-11)


def test_the_number_of_visits_of_a_subject_does_not_matter():
    # a subject's rows beyond the first change what rows are used, never the weights of subjects
    fit, frame = trial()
    people = frame.drop_duplicates("USUBJID")
    share = (people["SEX"] == "F").mean()
    female, male = (
        fit.ls_means("ARMCD", by="AVISIT", at={"SEX": s, "BASE": 50.0}).frame["estimate"]
        for s in "FM"
    )
    mixed = fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual", at={"BASE": 50.0}).frame
    np.testing.assert_allclose(mixed["estimate"], share * female + (1 - share) * male, rtol=1e-11)


def test_a_difference_of_counterfactual_means_is_the_average_treatment_effect():
    fit, frame = trial()
    ate = fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual").contrasts([("B", "A")])
    expected = [by_hand(fit, frame, "B", v) - by_hand(fit, frame, "A", v) for v in ("V1", "V3")]
    np.testing.assert_allclose(ate.frame["estimate"].iloc[[0, 2]], expected, rtol=1e-8)


def test_sampled_covariates_add_the_variance_of_the_subjects_means():
    fit, frame = trial()
    ask = {"weights": "counterfactual", "by": "AVISIT"}
    given, sampled = (fit.ls_means("ARMCD", covariates=c, **ask) for c in ("fixed", "sampled"))
    people = frame.drop_duplicates("USUBJID")
    own = {
        arm: fit.predict(people.assign(ARMCD=arm, AVISIT="V2", PULSE=frame["PULSE"].mean()))
        for arm in "AB"
    }
    extra = own["B"]["estimate"].var(ddof=1) / len(people)
    row = given.frame.query("ARMCD == 'B' and AVISIT == 'V2'").iloc[0]
    new = sampled.frame.query("ARMCD == 'B' and AVISIT == 'V2'").iloc[0]
    assert new["std_error"] ** 2 == pytest.approx(row["std_error"] ** 2 + extra, rel=1e-10)
    assert new["df"] == pytest.approx(row["df"] * (1 + extra / row["std_error"] ** 2) ** 2)
    # of a difference, the variance of the subjects' own differences
    both = [m.contrasts([("B", "A")], adjust="dunnett").frame.iloc[1] for m in (given, sampled)]
    apart = (own["B"]["estimate"] - own["A"]["estimate"]).var(ddof=1) / len(people)
    assert both[1]["std_error"] ** 2 == pytest.approx(both[0]["std_error"] ** 2 + apart, rel=1e-9)
    with pytest.raises(UsageError, match="covariates as given"):
        sampled.contrasts().joint()


@pytest.mark.parametrize("covariates", ["fixed", "sampled"])
def test_subgroups_are_averaged_over_their_own_subjects(covariates):
    fit, frame = trial()
    ask = {"weights": "counterfactual", "covariates": covariates, "by": "AVISIT"}
    means = fit.ls_means("ARMCD", among="SEX", **ask)
    assert means.frame.columns[:3].tolist() == ["ARMCD", "SEX", "AVISIT"]
    table = means.frame.set_index(["SEX", "AVISIT", "ARMCD"])
    for sex in "FM":
        part = frame[frame["SEX"] == sex]
        pulse = frame["PULSE"].mean()
        people = part.drop_duplicates("USUBJID").assign(ARMCD="B", AVISIT="V2", PULSE=pulse)
        own = fit.predict(people)["estimate"]
        row = table.loc[(sex, "V2", "B")]
        assert row["estimate"] == pytest.approx(own.mean(), rel=1e-10)
        at = {"BASE": people["BASE"].mean(), "SEX": sex, "PULSE": pulse}
        given = fit.ls_means("ARMCD", by="AVISIT", at=at).frame.set_index(["AVISIT", "ARMCD"])
        extra = own.var(ddof=1) / len(people) if covariates == "sampled" else 0.0
        expected = given.loc[("V2", "B"), "std_error"] ** 2 + extra
        assert row["std_error"] ** 2 == pytest.approx(expected, rel=1e-9)
    # the subgroups, by their size, make up the whole
    whole = fit.ls_means("ARMCD", **ask).frame["estimate"]
    share = frame.drop_duplicates("USUBJID")["SEX"].value_counts(normalize=True)
    pooled = sum(share[sex] * table.loc[sex]["estimate"] for sex in "FM")
    np.testing.assert_allclose(pooled, whole, rtol=1e-10)
    assert means.contrasts().frame["contrast"].tolist() == ["A - B"] * 6


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"among": "BASE"}, "one level per subject; those are ARMCD, SEX"),
        ({"among": "AVISIT"}, "one level per subject"),
        ({"among": "ARMCD"}, "ARMCD is named twice"),
        ({"among": ("SEX", "SEX")}, "SEX is named twice"),
        ({"among": "SEX", "at": {"SEX": "M"}}, "SEX is named twice"),
        ({"at": [("SEX", "M")]}, "at: found .* expected a mapping"),
        ({"among": "SEX", "weights": "equal"}, "weights='counterfactual'"),
        ({"covariates": "random"}, "expected one of fixed, sampled"),
    ],
)
def test_a_wrong_question_is_answered(options, message):
    fit, _ = trial()
    with pytest.raises(UsageError, match=message):
        fit.ls_means("ARMCD", **{"by": "AVISIT", "weights": "counterfactual", **options})


@pytest.mark.parametrize("name", ["fev_us_reml_sat", "fev_us_basecov_reml_sat"])
def test_means_and_differences_of_r_mmrm(study_data, reference, name):
    file = json.loads((reference / "mmrm" / f"{name}.json").read_text(encoding="utf-8"))
    frame = pd.read_csv(study_data / "fev_data.csv")
    for column, levels in file["spec"]["factor_levels"].items():
        frame[column] = pd.Categorical(frame[column], levels)
    fit = tm.mmrm(file["spec"]["formula"]["r"], frame)
    # mmrm averages over all 200 subjects, three of whom have no response
    means = fit.ls_means(
        "ARMCD", by="AVISIT", weights="counterfactual", over="randomised", covariates="sampled"
    )
    expected = file["emmeans_counterfactual"]
    np.testing.assert_allclose(means.grid.L, expected["L_lsmeans"], rtol=1e-12, atol=1e-13)
    differences = means.contrasts("vs-control", control="PBO").frame
    pairs = ((means.frame, expected["lsmeans"]), (differences, expected["contrasts_by_visit"]))
    for ours, theirs in pairs:
        # theirs stand at the default optimum: up to 6e-4 standard errors in estimates, 1e-4
        # relative in standard errors and 5e-4 in df away from the exact one
        error = np.array(theirs["SE"])
        assert (abs(ours["estimate"] - theirs["estimate"]) / error).max() < 6e-4
        np.testing.assert_allclose(ours["std_error"], error, rtol=1e-4)
        np.testing.assert_allclose(ours["df"], theirs["df"], rtol=5e-4)


def test_several_values_of_a_covariate_make_cells_of_their_own():
    fit, _ = trial()
    means = fit.ls_means("ARMCD", by="AVISIT", at={"BASE": [20, 30], "SEX": "F"})
    assert means.by == ("BASE", "AVISIT")
    assert means.frame.columns[:3].tolist() == ["ARMCD", "BASE", "AVISIT"]
    for value in (20, 30):
        alone = fit.ls_means("ARMCD", by="AVISIT", at={"BASE": value, "SEX": "F"})
        for ours, other in (
            (means.frame, alone.frame),
            (means.contrasts().frame, alone.contrasts().frame),
        ):
            part = ours[ours["BASE"] == value].drop(columns="BASE").reset_index(drop=True)
            pd.testing.assert_frame_equal(part, other, rtol=1e-10)
    slopes = fit.slopes("BASE", by="ARMCD", at={"SEX": ["F", "M"]})
    assert slopes.frame.columns[:2].tolist() == ["ARMCD", "SEX"]


def test_an_analysis_of_covariance_averages_over_its_rows():
    rng = np.random.default_rng(2)
    frame = pd.DataFrame({"arm": rng.permutation(list("AB") * 20), "x": rng.normal(5, 2, 40)})
    frame["y"] = frame["x"] * (1 + (frame["arm"] == "B")) + rng.normal(size=40)
    frame.loc[:4, "y"] = np.nan
    frame.loc[7, "x"] = np.nan
    fit = tm.ancova("y ~ arm * x", frame)
    both = {
        over: fit.ls_means("arm", weights="counterfactual", over=over)
        for over in ("analysed", "randomised")
    }
    for over, rows in (("analysed", frame.dropna()), ("randomised", frame.dropna(subset="x"))):
        expected = [fit.predict(rows.assign(arm=a))["estimate"].mean() for a in "AB"]
        np.testing.assert_allclose(both[over].frame["estimate"], expected, rtol=1e-11)
    assert both["randomised"].notes[1] == "1 subjects lack a covariate and are left out"


def test_a_level_that_the_fit_did_not_see_cannot_be_averaged_over():
    _, frame = trial()
    first = frame["USUBJID"] == frame["USUBJID"].iloc[0]
    frame = frame.assign(SEX=frame["SEX"].mask(first, "X"), CHG=frame["CHG"].mask(first))
    fit = tm.mmrm(f"CHG ~ {FIXED} + us(AVISIT | USUBJID)", frame)
    assert fit.ls_means("ARMCD", weights="counterfactual").frame.notna().all(axis=None)
    with pytest.raises(FitError, match="SEX has a level that the model was not fitted on"):
        fit.ls_means("ARMCD", weights="counterfactual", over="randomised")


def test_a_mean_that_is_not_estimable_is_said_to_be():
    frame = random_trial(3, n_subjects=36, n_arms=3, missing=0.1).frame
    frame = frame[(frame.ARMCD != "B") | (frame.AVISIT != "V2")]
    fit = tm.mmrm("CHG ~ BASE + ARMCD*AVISIT + us(AVISIT | USUBJID)", frame)
    means = fit.ls_means("ARMCD", by="AVISIT", weights="counterfactual")
    assert means.frame["estimate"].isna().tolist() == [k == 4 for k in range(9)]
    assert means.notes[1] == "the mean of AVISIT V2, ARMCD B is not estimable from the rows used"
