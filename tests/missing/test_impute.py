"""Imputation of a small trial: the grid, what the model sees, methods, resamples."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from dropout_trial import MODEL, VISITS, dropout_trial, dropouts

import trialmlm as tm
from trialmlm.errors import DataError, FitError, NotAvailableError, UsageError
from trialmlm.missing import filling
from trialmlm.missing.impute import impute
from trialmlm.missing.sampler import Sampler
from trialmlm.missing.strategies import Course, register_strategy

if TYPE_CHECKING:
    from trialmlm.missing.imputed import Imputed

TRIAL = dropout_trial()
JUMP = dropouts(TRIAL, "jump-to-reference")
BY_ARM = MODEL.replace("us(AVISIT |", "us(AVISIT | ARM /")


def imputed(data: pd.DataFrame = TRIAL, **given: Any) -> Imputed:
    asked = {"model": MODEL, "arm": "ARM", "reference": {"DRUG": "PLACEBO"}, **given}
    return impute(data, **asked)


def wide(imp: Imputed, imputation: int | None = None) -> pd.DataFrame:
    completed = imp.completed(imputation)
    return completed.pivot_table(index="USUBJID", columns="AVISIT", values="CHG", observed=False)


def by_formula(imp: Imputed, subject: str, reference_from: int | None = None) -> np.ndarray:
    """A subject's means by visit from `predict`, the reference arm's from a visit on."""
    grid = imp.layout.frame.query("USUBJID == @subject")
    own = imp.fit.predict(grid)["estimate"].to_numpy()
    if reference_from is None:
        return own
    other = imp.fit.predict(grid.assign(ARM="PLACEBO"))["estimate"].to_numpy()
    return np.where(np.arange(own.size) < reference_from, own, other)


def regressed(mean: np.ndarray, Sigma: np.ndarray, y: np.ndarray) -> np.ndarray:
    out = np.isnan(y)
    W = np.linalg.solve(Sigma[np.ix_(~out, ~out)], Sigma[np.ix_(~out, out)])
    filled = y.copy()
    filled[out] = mean[out] + (y[~out] - mean[~out]) @ W
    return filled


def test_the_grid_is_completed_and_observed_values_stay() -> None:
    completed = imputed(events=JUMP).completed()
    assert len(completed) == TRIAL["USUBJID"].nunique() * len(VISITS)
    assert completed[["USUBJID", "ARM", "AVISIT", "BASE", "CHG"]].notna().all().all()
    both = completed.merge(TRIAL, on=["USUBJID", "AVISIT"], suffixes=("", "_observed"))
    assert (both["CHG"] == both["CHG_observed"]).all()
    assert not both["imputed"].any()
    assert (completed["imputed"] == (completed["DTYPE"] == "CONDITIONAL MEAN")).all()
    assert set(completed.loc[completed["imputed"], "strategy"]) == {"mar", "jump-to-reference"}


def test_the_order_of_the_rows_changes_no_bit() -> None:
    shuffled = TRIAL.sample(frac=1.0, random_state=3)
    events = JUMP.sample(frac=1.0, random_state=4)
    drawing = {"imputations": 3, "seed": 1}
    for method in ({}, *({"method": m, **drawing} for m in ("approximate-bayes", "bayes"))):
        one, other = imputed(events=JUMP, **method), imputed(shuffled, events=events, **method)
        assert one.completions.values.tobytes() == other.completions.values.tobytes()


def test_text_and_categories_are_the_same_arms() -> None:
    categories = TRIAL.assign(ARM=TRIAL["ARM"].astype("category"))
    np.testing.assert_array_equal(
        imputed(events=JUMP).completions.values,
        imputed(categories, events=JUMP).completions.values,
    )


def test_arms_and_visits_may_be_numbers() -> None:
    numbers = TRIAL.assign(
        ARM=(TRIAL["ARM"] == "DRUG").astype(int),
        AVISIT=TRIAL["AVISIT"].astype(str).str[-1].astype(int),
    )
    events = JUMP.assign(AVISIT=JUMP["AVISIT"].str[-1].astype(int))
    model = "CHG ~ BASE * C(AVISIT) + ARM * C(AVISIT) + us(AVISIT | USUBJID)"
    found = imputed(numbers, model=model, events=events, reference={1: 0})
    # another coding of the same model: the optimum is the same to the search's gradient
    wanted = imputed(events=JUMP).completions.values
    np.testing.assert_allclose(found.completions.values, wanted, rtol=1e-6)
    assert found.layout.arms == ("0", "1")


def test_subjects_may_be_categories_with_unused_levels() -> None:
    levels = [*sorted(TRIAL["USUBJID"].unique()), "S999"]
    data = TRIAL.assign(USUBJID=pd.Categorical(TRIAL["USUBJID"], levels))
    found = imputed(data, events=JUMP)
    np.testing.assert_array_equal(found.completions.values, imputed(events=JUMP).completions.values)


def test_a_spatial_covariance_over_planned_days_imputes() -> None:
    days = TRIAL.assign(DAY=TRIAL["AVISIT"].map({"Week 2": 14, "Week 4": 28, "Week 8": 56}))
    days["DAY"] = days["DAY"].astype(float)
    model = MODEL.replace("us(AVISIT |", "sp_pow(DAY |").replace("AVISIT", "C(DAY)")
    found = imputed(days, model=model.replace("sp_pow(C(DAY)", "sp_pow(DAY"))
    assert found.layout.visits.tolist() == [14.0, 28.0, 56.0]
    subject = JUMP["USUBJID"].iloc[0]
    y = found.layout.Y[found.layout.subjects.get_loc(subject)]
    wanted = regressed(by_formula(found, subject), found.fit.covariance.to_numpy(), y)
    completed = found.completed().query("USUBJID == @subject")["CHG"]
    np.testing.assert_allclose(completed, wanted, rtol=1e-8)


def test_times_of_each_subjects_own_are_refused() -> None:
    own = TRIAL.assign(DAY=np.arange(len(TRIAL)) * 1.0)
    with pytest.raises(NotAvailableError, match="it is for planned times"):
        imputed(own, model="CHG ~ BASE + ARM + sp_exp(DAY | USUBJID)")


def test_visits_as_text_are_ordered_by_the_list() -> None:
    text = TRIAL.assign(AVISIT=TRIAL["AVISIT"].astype(str))
    found = imputed(text, events=JUMP, visits=VISITS)
    np.testing.assert_allclose(wide(found), wide(imputed(events=JUMP)), rtol=1e-9)


def test_a_value_after_the_event_is_kept_and_conditioned_on_but_not_fitted() -> None:
    stays = TRIAL.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index[0]
    gap = TRIAL[(TRIAL["USUBJID"] != stays) | (TRIAL["AVISIT"] != "Week 4")]
    event = pd.DataFrame({"subject": [stays], "visit": ["Week 4"], "strategy": ["copy-increments"]})
    seen = imputed(gap, events=event, reference="PLACEBO")
    without = gap[(gap["USUBJID"] != stays) | (gap["AVISIT"] != "Week 8")]
    fit = tm.mmrm(MODEL, without)
    np.testing.assert_allclose(seen.fit.covariance, fit.covariance, rtol=1e-8)
    assert any("did not enter the imputation model" in note for note in seen.notes)
    y = seen.layout.Y[seen.layout.subjects.get_loc(stays)]
    own, other = by_formula(seen, stays), by_formula(seen, stays, 0)
    moved = np.where(np.arange(3) < 1, own, other + own[0] - other[0])
    wanted = regressed(moved, fit.covariance.to_numpy(), y)
    np.testing.assert_allclose(wide(seen).loc[stays], wanted, rtol=1e-8)
    aside = imputed(gap, events=event, reference="PLACEBO", after_event="set-aside")
    assert wide(aside).loc[stays, "Week 8"] != y[2]
    assert any("1 values observed after an event were set aside" in n for n in aside.notes)


def test_the_first_event_in_time_rules() -> None:
    subject = JUMP["USUBJID"].iloc[0]
    later = pd.DataFrame(
        {"USUBJID": [subject], "AVISIT": ["Week 8"], "strategy": ["copy-reference"]}
    )
    first = JUMP.assign(AVISIT="Week 4")
    found = imputed(events=pd.concat([later, first]))
    np.testing.assert_array_equal(
        found.completions.values, imputed(events=first).completions.values
    )
    assert found.events.overruled["USUBJID"].tolist() == [subject]
    assert any("rule nothing" in note for note in found.notes)


@pytest.mark.parametrize("reml", [True, False])
def test_covariances_by_arm_are_joined_after_a_jump(reml: bool) -> None:
    found = imputed(model=BY_ARM, events=JUMP, reml=reml)
    subject = next(s for s in JUMP["USUBJID"] if by_arm(s) == "DRUG")
    y = found.layout.Y[found.layout.subjects.get_loc(subject)]
    first = int(np.isnan(y).argmax())
    own, other = (found.fit.covariances[arm].to_numpy() for arm in ("DRUG", "PLACEBO"))
    # of the reference, the regression on the past is all that is asked for after the event
    mean = by_formula(found, subject, first)
    slope = np.linalg.solve(other[:first, :first], other[:first, first:])
    wanted = mean[first:] + (y[:first] - mean[:first]) @ slope
    np.testing.assert_allclose(wide(found).loc[subject].to_numpy()[first:], wanted, rtol=1e-8)
    assert not np.allclose(own, other)


def by_arm(subject: str) -> str:
    return str(TRIAL.loc[TRIAL["USUBJID"] == subject, "ARM"].iloc[0])


@pytest.mark.parametrize("structure", ["toeph", "ar1", "cs"])
def test_any_structure_imputes_given_its_own_covariance(structure: str) -> None:
    found = imputed(model=MODEL.replace("us(", f"{structure}("))
    subject = JUMP["USUBJID"].iloc[0]
    y = found.layout.Y[found.layout.subjects.get_loc(subject)]
    wanted = regressed(by_formula(found, subject), found.fit.covariance.to_numpy(), y)
    np.testing.assert_allclose(wide(found).loc[subject], wanted, rtol=1e-8)


def test_three_arms_may_have_references_of_their_own() -> None:
    trial = dropout_trial(("HIGH", "LOW", "PLACEBO"))
    events = dropouts(trial, "copy-reference")
    one = imputed(trial, events=events, reference={"HIGH": "LOW", "LOW": "PLACEBO"})
    other = imputed(trial, events=events, reference="PLACEBO")
    arm = trial.groupby("USUBJID")["ARM"].first()
    same = np.isclose(wide(one), wide(other)).all(axis=1)
    moved = set(arm[wide(one).index[~same]])
    assert moved == {"HIGH"}


def test_one_visit_is_enough() -> None:
    one = TRIAL[TRIAL["AVISIT"] == "Week 8"]
    rest = TRIAL[~TRIAL["USUBJID"].isin(one["USUBJID"])].drop_duplicates("USUBJID")
    data = pd.concat([one, rest.assign(AVISIT="Week 8", CHG=np.nan)])
    data["AVISIT"] = pd.Categorical(data["AVISIT"], ["Week 8"])
    found = imputed(data, model="CHG ~ BASE + ARM + us(AVISIT | USUBJID)")
    fit = tm.ancova("CHG ~ BASE + ARM", one)
    filled = found.completed().query("imputed")
    np.testing.assert_allclose(filled["CHG"], fit.predict(filled)["estimate"], rtol=1e-9)
    assert any("without any observed value" in note for note in found.notes)


def test_without_missing_values_the_result_is_the_data() -> None:
    whole = TRIAL[TRIAL.groupby("USUBJID")["CHG"].transform("size") == len(VISITS)]
    found = imputed(whole)
    assert found.completions.values.shape == (1, 0)
    assert "no value is missing: the completed data are the data" in found.notes
    ordered = whole.sort_values(["USUBJID", "AVISIT"])
    np.testing.assert_array_equal(found.completed()["CHG"], ordered["CHG"])


def test_a_subject_without_values_is_imputed_from_its_covariates() -> None:
    nothing = TRIAL.head(1).assign(USUBJID="S900", CHG=np.nan, ARM="DRUG", BASE=25.0)
    found = imputed(pd.concat([TRIAL, nothing]))
    np.testing.assert_allclose(wide(found).loc["S900"], by_formula(found, "S900"), rtol=1e-9)
    assert len(found.resampled("jackknife")) == TRIAL["USUBJID"].nunique() + 1


def test_a_strategy_of_ones_own_is_used() -> None:
    def halfway(own: Course, reference: Course, first: int) -> Course:
        mean = own.mean.copy()
        mean[..., first:] = (own.mean[..., first:] + reference.mean[..., first:]) / 2.0
        return Course(mean, own.covariance)

    register_strategy("halfway", halfway, words="keeps half of the benefit")
    found = wide(imputed(events=JUMP.assign(strategy="halfway")))
    ends = [wide(imputed(events=JUMP.assign(strategy=s))) for s in ("mar", "jump-to-reference")]
    np.testing.assert_allclose(found, (ends[0] + ends[1]) / 2.0, rtol=1e-9)


def test_other_strategies_use_the_same_fits() -> None:
    base = imputed(events=JUMP)
    copied = base.with_strategies(JUMP.assign(strategy="copy-reference"))
    anew = imputed(events=JUMP.assign(strategy="copy-reference"))
    np.testing.assert_array_equal(copied.completions.values, anew.completions.values)
    assert copied.model is base.model
    at_random = base.with_strategies(None)
    assert (at_random.completed()["strategy"].isin(["", "mar"])).all()


def test_strategies_that_ask_for_another_fit_are_refused() -> None:
    subject = TRIAL["USUBJID"].iloc[0]
    event = pd.DataFrame(
        {"subject": [subject], "visit": ["Week 2"], "strategy": ["copy-reference"]}
    )
    with pytest.raises(UsageError, match=f"subject {subject} .* values observed after the event"):
        imputed(events=JUMP).with_strategies(event)


def test_scores_are_rounded_and_held_to_their_range_and_counted() -> None:
    free, held = imputed(), imputed(bounds=(-8, "BASE"), rounding=0.5)
    values = free.completions.values
    wanted = np.clip(np.round(values / 0.5) * 0.5, -8, None)
    np.testing.assert_array_equal(held.completions.values, wanted)
    assert (values < -8).sum() > 0
    assert any(f"{(values < -8).sum()} of {values.size}" in note for note in held.notes)


def test_retrieved_dropouts_stand_for_those_who_left() -> None:
    stays = TRIAL.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index[:12]
    more = pd.DataFrame({"USUBJID": stays, "AVISIT": "Week 4", "strategy": "retrieved-dropout"})
    events = pd.concat([JUMP.assign(strategy="retrieved-dropout"), more])
    found = imputed(events=events)
    grid = found.layout.frame
    assert found.fit.rows.rows.size == len(TRIAL)
    direct = tm.mmrm(f"{MODEL} + AFTER_EVENT:ARM", grid)
    np.testing.assert_allclose(found.fit.covariance, direct.covariance, rtol=1e-7)
    subject = JUMP["USUBJID"].iloc[0]
    mean = direct.predict(grid.query("USUBJID == @subject"))["estimate"].to_numpy()
    y = found.layout.Y[found.layout.subjects.get_loc(subject)]
    wanted = regressed(mean, direct.covariance.to_numpy(), y)
    np.testing.assert_allclose(wide(found).loc[subject], wanted, rtol=1e-7)
    with pytest.raises(UsageError, match="cannot be changed after the fit"):
        found.with_strategies(JUMP)


@pytest.mark.parametrize(("retrieved", "terms"), [("common", 1), ("arm", 2), ("arm-visit", 4)])
def test_what_the_event_shifts_may_differ_by_arm_and_visit(retrieved: str, terms: int) -> None:
    arm = TRIAL.groupby("USUBJID")["ARM"].first()
    whole = TRIAL.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index
    stays = [s for label in ("DRUG", "PLACEBO") for s in whole[arm[whole] == label][:5]]
    more = pd.DataFrame({"USUBJID": stays, "AVISIT": "Week 4", "strategy": "retrieved-dropout"})
    events = pd.concat([JUMP.assign(strategy="retrieved-dropout"), more])
    found = imputed(events=events, retrieved=retrieved)
    assert found.fit.gaussian.rank == imputed().fit.gaussian.rank + terms
    one_arm = events[~events["USUBJID"].isin(stays[:5])]
    if retrieved != "common":
        with pytest.raises(DataError, match=r"no subject of arm DRUG.* was observed after its"):
            imputed(events=one_arm, retrieved=retrieved)


def test_the_jackknife_leaves_each_subject_out_of_the_fit_and_the_counts() -> None:
    base = imputed(events=JUMP)
    found = base.resampled("jackknife")
    assert found.counts is not None
    left = 7
    subject = base.layout.subjects[left]
    assert found.counts[left].sum() == TRIAL["USUBJID"].nunique() - 1
    assert found.counts[left, left] == 0
    others = TRIAL[TRIAL["USUBJID"] != subject]
    anew = imputed(others, events=JUMP[JUMP["USUBJID"] != subject]).completions.values[0]
    kept = found.subject != left
    # both are optima of the same data, each to the fit's own gradient
    np.testing.assert_allclose(found.values[left][kept], anew, rtol=1e-6, atol=1e-7)


def test_the_bootstrap_draws_within_arms_and_repeats_with_its_seed() -> None:
    base = imputed(events=JUMP)
    found = base.resampled("bootstrap", replicates=6, seed=5)
    assert found.counts is not None
    for arm in range(2):
        assert (found.counts[:, base.layout.arm == arm].sum(axis=1) == 30).all()
    again = imputed(events=JUMP).resampled("bootstrap", replicates=6, seed=5)
    assert found.values.tobytes() == again.values.tobytes()
    more = base.resampled("bootstrap", replicates=8, seed=5)
    np.testing.assert_array_equal(more.counts[:6], found.counts)
    many = base.resampled("bootstrap", replicates=6, imputations=3, seed=5)
    np.testing.assert_array_equal(many.counts[::3], found.counts)
    assert many.values.shape == (18, found.values.shape[1])


def test_a_failing_resample_is_counted_and_replaced() -> None:
    thin = TRIAL[(TRIAL["ARM"] != "DRUG") | (TRIAL["AVISIT"] != "Week 8")]
    two = TRIAL[(TRIAL["ARM"] == "DRUG") & (TRIAL["AVISIT"] == "Week 8")].head(2)
    data = pd.concat([thin, two])
    with pytest.raises(FitError, match=r"more than the share 0\.01 of 20"):
        imputed(data).resampled("bootstrap", replicates=20, seed=1)
    tolerant = imputed(data, failures=0.9)
    found = tolerant.resampled("bootstrap", replicates=20, seed=1)
    assert len(found) == 20
    who = tolerant.layout.subjects.get_indexer(two["USUBJID"])
    assert (found.counts[:, who].sum(axis=1) > 0).all()
    assert any("could not be fitted to" in note for note in tolerant.notes)
    alone = pd.concat([thin, two.head(1)])
    with pytest.raises(FitError, match=f"without one of 1 subjects, {two['USUBJID'].iloc[0]}"):
        imputed(alone, failures=0.0).resampled("jackknife")


def test_a_site_that_a_resample_loses_is_missed_by_nobody_who_counts() -> None:
    alone = TRIAL["USUBJID"].iloc[0]
    sites = np.where(TRIAL["USUBJID"] == alone, "site 1", np.where(TRIAL["BASE"] > 20, "2", "3"))
    data = TRIAL.assign(SITE=sites)
    base = imputed(data, model=f"{MODEL} + SITE", failures=0.0)
    found = base.resampled("jackknife")
    left = base.layout.subjects.get_loc(alone)
    others = data[data["USUBJID"] != alone]
    anew = imputed(others, model=f"{MODEL} + SITE").completions.values[0]
    kept = found.subject != left
    # both are optima of the same data, each to the fit's own gradient
    np.testing.assert_allclose(found.values[left][kept], anew, rtol=1e-6, atol=1e-7)
    with pytest.raises(FitError, match=r"not estimable in some: .*SITE"):
        imputed(
            data,
            model=f"{MODEL} + SITE",
            method="approximate-bayes",
            imputations=50,
            seed=1,
        )


def test_memory_is_bounded_and_the_parts_make_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"events": JUMP, "method": "approximate-bayes", "imputations": 7, "seed": 1}
    whole = imputed(**asked).completions.values
    monkeypatch.setattr(filling, "_HELD", 400)
    # the products of matrices of another shape may round otherwise
    np.testing.assert_allclose(imputed(**asked).completions.values, whole, rtol=1e-12)


def test_resamples_of_drawn_values_are_those_of_conditional_means() -> None:
    drawn = imputed(method="approximate-bayes", imputations=3, seed=1)
    np.testing.assert_array_equal(
        drawn.resampled("jackknife").values, imputed().resampled("jackknife").values
    )
    with pytest.raises(UsageError, match="draws nothing at random"):
        imputed().resampled("jackknife", seed=1)


@pytest.mark.parametrize("method", ["approximate-bayes", "bayes"])
def test_imputations_are_numbered_and_their_mean_is_near_the_conditional_mean(method: str) -> None:
    drawn = imputed(events=JUMP, method=method, imputations=400, seed=2)
    frame = drawn.completed()
    assert frame["imputation"].unique().tolist() == list(range(1, 401))
    assert set(frame.loc[frame["imputed"], "DTYPE"]) == {"MI"}
    pd.testing.assert_frame_equal(
        drawn.completed(3), frame[frame["imputation"] == 3].reset_index(drop=True)
    )
    values = drawn.completions.values
    mean = imputed(events=JUMP).completions.values[0]
    error = values.std(axis=0, ddof=1) / np.sqrt(len(values))
    # 4.5 Monte-Carlo errors for the largest of some thirty values; the posterior mean and that of
    # a bootstrap are off the estimate by O(1/n), some tenths of an error
    assert (np.abs(values.mean(axis=0) - mean) / error).max() < 4.5


def test_regressions_of_a_monotone_pattern_agree_with_the_gibbs_sampler() -> None:
    gap = TRIAL[TRIAL["USUBJID"] != "S059"]
    asked = {"events": JUMP, "imputations": 2000, "seed": 4}
    one = imputed(gap, method="monotone", **asked)
    other = imputed(gap, method="bayes", **asked)
    means = [imp.draws.beta.mean(axis=0) for imp in (one, other)]
    errors = [imp.draws.beta.std(axis=0) / np.sqrt(2000) for imp in (one, other)]
    # priors differ in the degrees of freedom of Σ alone; 1.5 allows for the chains' dependence
    assert (np.abs(means[0] - means[1]) < 4.0 * 1.5 * np.hypot(*errors)).all()
    with pytest.raises(UsageError, match="cross each term of the model with the visit"):
        imputed(gap, model=MODEL.replace("BASE *", "BASE +"), method="monotone", **asked)
    with pytest.raises(NotAvailableError, match="one covariance for all"):
        imputed(gap, model=BY_ARM, method="monotone", **asked)


def test_the_posterior_tells_whether_its_chains_had_settled() -> None:
    drawn = imputed(method="bayes", imputations=40, seed=2, sampler=Sampler(burn_in=50))
    table = drawn.diagnostics()
    assert table["quantity"].iloc[0] == "(Intercept)"
    assert "var(Week 8)" in set(table["quantity"])
    assert set(drawn.trace().columns) >= {"quantity", "sweep", "chain", "value"}
    with pytest.raises(UsageError, match="belong to method='bayes'"):
        imputed().diagnostics()
    with pytest.raises(UsageError, match="runs no chains"):
        imputed(sampler=Sampler())


def test_an_arm_without_values_at_a_visit_is_named() -> None:
    thin = TRIAL[(TRIAL["ARM"] != "DRUG") | (TRIAL["AVISIT"] != "Week 8")]
    with pytest.raises(DataError, match="too little was observed of DRUG at Week 8"):
        imputed(thin)


def test_counts_say_how_much_was_imputed() -> None:
    found = imputed(events=JUMP)
    assert found.counts["imputed"].sum() == found.layout.missing.sum()
    assert list(found.counts.columns) == ["arm", "visit", "strategy", "subjects", "imputed"]
    assert repr(found).startswith("<Imputed by conditional-mean: 60 subjects × 3 visits")


def test_the_number_of_an_imputation_is_a_whole_one() -> None:
    with pytest.raises(UsageError, match=r"found imputation 1\.0, expected one of 1 to 1"):
        imputed().completed(1.0)  # type: ignore[arg-type]


def test_a_strategy_of_ones_own_needs_the_own_mean_after_the_event() -> None:
    def both(own: Course, reference: Course, first: int) -> Course:
        return Course((own.mean + reference.mean) / 2.0, own.covariance)

    register_strategy("both", both, words="between the arms")
    nobody = TRIAL[(TRIAL["ARM"] != "DRUG") | (TRIAL["AVISIT"] != "Week 8")]
    subjects = TRIAL.loc[TRIAL["ARM"] == "DRUG", "USUBJID"].unique()
    gone = pd.DataFrame({"subject": subjects, "visit": "Week 8", "strategy": "both"})
    with pytest.raises(DataError, match="too little was observed of DRUG at Week 8"):
        imputed(nobody, events=gone)
    assert len(imputed(nobody, events=gone.assign(strategy="jump-to-reference")).completed()) == 180


def test_a_gap_before_the_event_is_called_what_it_is_imputed_by() -> None:
    subject = JUMP.loc[JUMP["AVISIT"] == "Week 8", "USUBJID"].iloc[0]
    gap = TRIAL[(TRIAL["USUBJID"] != subject) | (TRIAL["AVISIT"] != "Week 2")]
    said = {}
    for strategy in ("copy-reference", "jump-to-reference"):
        completed = imputed(gap, events=JUMP.assign(strategy=strategy)).completed()
        said[strategy] = completed.query("USUBJID == @subject")["strategy"].tolist()
    # copying the reference moves the mean before the event too
    assert said["copy-reference"] == ["copy-reference", "", "copy-reference"]
    assert said["jump-to-reference"] == ["mar", "", "jump-to-reference"]


@pytest.mark.parametrize("kind", ["jackknife", "bootstrap"])
def test_an_arm_of_one_subject_cannot_be_resampled(kind: str) -> None:
    """Left out it leaves no contrast, drawn again it never varies: the error came out too small."""
    first = TRIAL.loc[TRIAL["ARM"] == "DRUG", "USUBJID"].iloc[0]
    found = imputed(TRIAL[(TRIAL["ARM"] != "DRUG") | (TRIAL["USUBJID"] == first)])
    with pytest.raises(FitError, match=f"{kind}: arm DRUG has one subject"):
        found.resampled(kind, **({} if kind == "jackknife" else {"replicates": 5, "seed": 1}))


def test_a_value_set_aside_is_not_imputed_before_a_later_event() -> None:
    subject = TRIAL.groupby("USUBJID").size().loc[lambda size: size == len(VISITS)].index[0]
    early = pd.DataFrame(
        {"USUBJID": [subject], "AVISIT": ["Week 4"], "strategy": ["jump-to-reference"]}
    )
    found = imputed(events=early, after_event="set-aside")
    with pytest.raises(UsageError, match=f"subject {subject} at Week 4 was set aside"):
        found.with_strategies(early.assign(AVISIT="Week 8"))
    assert found.with_strategies(None).layout.set_aside == 2
