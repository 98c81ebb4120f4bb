"""What an analysis of imputed data answers, and what it refuses."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from dropout_trial import MODEL, VISITS, dropout_trial, dropouts

from trialmlm.engine.convergence import Reason
from trialmlm.errors import FitError, UsageError
from trialmlm.missing import model_analysis, plan
from trialmlm.missing.delta import AccumulatedDelta, Delta, DeltaFactor
from trialmlm.missing.impute import impute
from trialmlm.missing.pooling import rubin
from trialmlm.models.ancova import ancova
from trialmlm.models.lmm import lmm
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from trialmlm.missing.analysed import AnalysedImputation
    from trialmlm.missing.imputed import Imputed
    from trialmlm.models.mmrm import MmrmFit

ANALYSIS = "CHG ~ BASE + ARM"
TRIAL = dropout_trial()


def imputed(**more: Any) -> Imputed:
    events = dropouts(TRIAL, "jump-to-reference").assign(reason="LACK OF EFFICACY")
    asked = {"events": events, "reference": {"DRUG": "PLACEBO"}, **more}
    return impute(TRIAL, model=MODEL, arm="ARM", **asked)


MEANS = imputed()
DRAWS = imputed(method="approximate-bayes", imputations=6, seed=3)


def test_rubins_rules_pool_the_analyses_of_each_imputation() -> None:
    found = DRAWS.analyse(ANALYSIS, at="Week 8").frame
    each = []
    for number in range(1, 7):
        rows = DRAWS.completed(number)
        means = ancova(ANALYSIS, rows[rows["AVISIT"] == "Week 8"]).ls_means("ARM")
        each.append(pd.concat([means.frame, means.contrasts([("DRUG", "PLACEBO")]).frame]))
    wanted = rubin(
        np.stack([table["estimate"] for table in each]),
        np.stack([table["std_error"] for table in each]),
        df_complete=np.stack([table["df"] for table in each]),
    )
    for name in ("estimate", "std_error", "df", "fmi", "relative_efficiency"):
        # two ways to the same least-squares numbers
        np.testing.assert_allclose(found[name], getattr(wanted, name), rtol=1e-9)


def test_a_dash_in_the_label_of_an_arm_does_not_change_what_is_counted_as_imputed() -> None:
    dashed = TRIAL.assign(ARM=TRIAL["ARM"].replace("DRUG", "DRUG - 10 mg"))
    found = impute(dashed, model=MODEL, arm="ARM").analyse(ANALYSIS, at="Week 8").frame
    plain = MEANS.analyse(ANALYSIS, at="Week 8").frame
    assert found["arms"].tolist() == ["DRUG - 10 mg", "PLACEBO", "PLACEBO - DRUG - 10 mg"]
    assert found["n_imputed"].tolist() == plain["n_imputed"].tolist()


def test_the_frame_says_what_each_row_is_and_how_much_of_it_was_imputed() -> None:
    found = DRAWS.analyse(ANALYSIS).frame
    assert found["quantity"].tolist() == ["LS mean", "LS mean", "contrast"] * 3
    assert found["arms"].tolist() == ["DRUG", "PLACEBO", "DRUG - PLACEBO"] * 3
    assert found["visit"].tolist() == [visit for visit in VISITS for _ in range(3)]
    last = found[found["visit"] == "Week 8"].set_index("arms")
    lost = TRIAL[TRIAL["AVISIT"] == "Week 8"]["ARM"].value_counts()
    assert last.loc["DRUG", "n_imputed"] == 30 - lost["DRUG"]
    assert last.loc["DRUG - PLACEBO", "n_imputed"] == 60 - lost.sum()
    assert last.loc["DRUG", "share_imputed"] == pytest.approx((30 - lost["DRUG"]) / 30)


def test_random_draws_are_decided_by_rubin_and_conditional_means_by_the_jackknife() -> None:
    for made, variance, target in (
        (DRAWS, "rubin", "information-anchored"),
        (MEANS, "jackknife", "repeated-sampling"),
    ):
        found = made.analyse(ANALYSIS, at="Week 8").frame
        assert set(found["variance"]) == {variance}
        assert set(found["target"]) == {target}
        assert found["decides"].all()


def test_one_frame_holds_the_variance_that_decides_and_those_that_are_shown() -> None:
    both = {"show": ["jackknife", "bootstrap-percentile"]}
    found = DRAWS.analyse(ANALYSIS, at="Week 8", variance=both, replicates=40, seed=1)
    assert found.frame.groupby("variance", sort=False)["decides"].first().to_dict() == {
        "rubin": True,
        "jackknife": False,
        "bootstrap-percentile": False,
    }
    alone = MEANS.analyse(ANALYSIS, at="Week 8").frame
    shown = found.frame[found.frame["variance"] == "jackknife"]
    np.testing.assert_array_equal(shown["std_error"], alone["std_error"])
    assert "(decides)" in str(found)
    assert "repeated-sampling" in str(found)


def test_without_a_variance_the_estimate_stands_alone() -> None:
    found = MEANS.analyse(ANALYSIS, variance=None).frame
    assert found["estimate"].notna().all()
    assert found[["std_error", "ci_low", "p_value"]].isna().all(axis=None)
    assert set(found["variance"]) == {"none"}


def test_an_mmrm_of_completed_data_is_the_ancova_of_the_last_visit() -> None:
    """Complete data and a mean model saturated by visit: no visit carries anything for another."""
    found = DRAWS.analyse(MODEL, at="Week 8", control="PLACEBO").frame
    wanted = DRAWS.analyse(ANALYSIS, at="Week 8").frame
    np.testing.assert_allclose(found["estimate"], wanted["estimate"], rtol=0, atol=1e-8)
    np.testing.assert_allclose(found["std_error"], wanted["std_error"], rtol=1e-6)


def test_an_mmrm_of_each_resample_counts_a_subject_drawn_twice_as_two() -> None:
    asked = {"variance": "bootstrap", "replicates": 6, "seed": 4, "at": "Week 8"}
    found = MEANS.analyse(MODEL, control="PLACEBO", **asked)
    wanted = MEANS.analyse(ANALYSIS, **asked)
    np.testing.assert_allclose(
        found.answers["bootstrap"].estimate, wanted.answers["bootstrap"].estimate, atol=1e-7
    )


def test_slopes_take_the_target_time_of_an_imputed_visit() -> None:
    weeks = dict(zip(VISITS, (2.0, 4.0, 8.0), strict=True))
    jitter = np.random.default_rng(2).normal(0.0, 0.1, len(TRIAL))
    timed = TRIAL.assign(TIME=TRIAL["AVISIT"].map(weeks).astype(float) + jitter)
    made = impute(timed, model=MODEL, arm="ARM", method="approximate-bayes", imputations=2, seed=1)
    model = "CHG ~ BASE + ARM * TIME + (1 + TIME | USUBJID)"
    found = made.analyse(model, slope="TIME", targets=weeks, control="PLACEBO")
    assert found.frame["quantity"].tolist() == ["slope"] * 2 + ["contrast of slopes"]
    for d in (1, 2):
        rows = made.completed(d)
        due = rows["AVISIT"].map(weeks).astype(float)
        fit = lmm(model, rows.assign(TIME=rows["TIME"].fillna(due)))
        slopes = fit.slopes("TIME", by="ARM")
        wanted = [
            *slopes.frame["estimate"],
            *slopes.contrasts([("DRUG", "PLACEBO")]).frame["estimate"],
        ]
        np.testing.assert_allclose(found.answers["imputed"].estimate[d - 1], wanted, rtol=1e-6)


def test_slopes_of_resamples_are_those_of_fits_of_their_rows() -> None:
    """The jackknife fits all resamples side by side; each by itself gives the same."""
    timed = TRIAL.assign(TIME=TRIAL["AVISIT"].map(dict(zip(VISITS, (2.0, 4.0, 8.0), strict=True))))
    timed = timed.assign(TIME=timed["TIME"].astype(float))
    made = impute(timed, model=MODEL, arm="ARM")
    model = "CHG ~ BASE + ARM * TIME + (1 + TIME | USUBJID)"
    weeks = dict(zip(VISITS, (2.0, 4.0, 8.0), strict=True))
    asked = {"slope": "TIME", "control": "PLACEBO"}
    found = made.analyse(model, **asked).answers["jackknife"]
    fillings = made.resampled("jackknife")
    assert fillings.counts is not None
    for d in (0, 7, len(fillings) - 1):
        kept = made.layout.subjects[fillings.counts[d] > 0]
        rows = made.layout.frame.assign(CHG=fillings.tables(made.layout.Y)[d].ravel())
        rows = rows.assign(TIME=rows["AVISIT"].map(weeks).astype(float))
        fit = lmm(model, rows[rows["USUBJID"].isin(kept)])
        contrast = fit.slopes("TIME", by="ARM").contrasts([("DRUG", "PLACEBO")]).frame.iloc[0]
        # either ends within 1e-5 standard errors of θ before a last Newton step
        assert found.estimate[d, 2] == pytest.approx(contrast["estimate"], rel=1e-7)
        assert found.std_error[d, 2] == pytest.approx(contrast["std_error"], rel=1e-7)


def test_a_time_that_imputed_rows_lack_is_asked_for() -> None:
    timed = TRIAL.assign(TIME=np.arange(len(TRIAL), dtype=float))
    made = impute(timed, model=MODEL, arm="ARM")
    with pytest.raises(Exception, match="TIME missing where the response was imputed") as error:
        made.analyse("CHG ~ ARM * TIME + (1 | USUBJID)", slope="TIME")
    assert "targets={visit: time}" in str(error.value)
    with pytest.raises(UsageError, match="slope and targets are for a mixed model"):
        made.analyse(ANALYSIS, slope="TIME")


def test_a_function_of_the_users_own_is_pooled() -> None:
    def last_visit(rows: pd.DataFrame) -> dict[str, tuple[float, float, float]]:
        means = ancova(ANALYSIS, rows[rows["AVISIT"] == "Week 8"]).ls_means("ARM")
        row = means.contrasts([("DRUG", "PLACEBO")]).frame.iloc[0]
        return {"effect": (row["estimate"], row["std_error"], row["df"])}

    found = DRAWS.analyse(last_visit).frame.iloc[0]
    wanted = DRAWS.analyse(ANALYSIS, at="Week 8").frame.iloc[2]
    assert found["quantity"] == "effect"
    for name in ("estimate", "std_error", "df", "p_value"):
        assert found[name] == pytest.approx(wanted[name], rel=1e-9)


def test_a_function_without_standard_errors_is_resampled_and_not_pooled_by_rubin() -> None:
    def responders(rows: pd.DataFrame) -> float:
        return float((rows.loc[rows["AVISIT"] == "Week 8", "CHG"] < -5.0).mean())

    found = MEANS.analyse(responders, variance="bootstrap", replicates=50, seed=2).frame.iloc[0]
    assert 0.0 < found["std_error"] < 0.2
    with pytest.raises(UsageError, match="rubin needs a standard error"):
        DRAWS.analyse(responders)


def test_a_function_that_answers_something_else_is_refused() -> None:
    with pytest.raises(UsageError, match="returned 'high'; expected an estimate"):
        MEANS.analyse(lambda rows: "high")


def test_a_model_that_fails_for_a_few_fillings_is_counted_and_for_many_refused() -> None:
    calls = iter(range(10_000))

    def fails_once(rows: pd.DataFrame) -> tuple[float, float]:
        return (np.nan, np.nan) if next(calls) == 5 else (float(rows["CHG"].mean()), 1.0)

    many = imputed(method="approximate-bayes", imputations=40, seed=3)
    found = many.analyse(fails_once)
    assert found.frame["imputations"].tolist() == [39]
    assert any("1 of 40 times the function gave no number" in note for note in found.notes)
    with pytest.raises(FitError, match=r"6 of 6 fillings \(imputed\) gave no answer"):
        DRAWS.analyse(lambda rows: float("nan"))


def test_a_fit_that_does_not_converge_gives_no_answer_and_is_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    many = imputed(method="approximate-bayes", imputations=30, seed=3)
    calls = iter(range(10_000))

    def sometimes(formula: str, rows: pd.DataFrame) -> MmrmFit:
        number = next(calls)
        if number == 3:
            raise FitError("nothing varies")
        fit = mmrm(formula, rows)
        if number != 7:
            return fit
        ended = replace(fit.gaussian.convergence, reason=Reason.FLAT)
        return replace(fit, gaussian=replace(fit.gaussian, convergence=ended))

    monkeypatch.setattr(model_analysis, "FITTERS", {"MMRM": sometimes})
    with pytest.raises(FitError, match=r"2 of 30 fillings .* gave no answer, at most 5% may"):
        many.analyse(MODEL, at="Week 8")
    monkeypatch.setattr(plan, "TOLERATED", 0.1)
    calls = iter(range(10_000))
    found = many.analyse(MODEL, at="Week 8")
    assert set(found.frame["imputations"]) == {28}
    told = " ".join(found.notes)
    assert "1 of 30 fits: nothing varies" in told
    assert "1 of 30 fits: −2l hardly changes" in told


def test_deltas_are_a_number_by_arm_a_frame_or_rules() -> None:
    base = MEANS.analyse(ANALYSIS, at="Week 8", variance=None)
    layout, cells = MEANS.layout, MEANS.completions
    places = pd.DataFrame(
        {"USUBJID": layout.subjects[cells.subject], "AVISIT": layout.visits[cells.visit]}
    )
    alike = [
        2.0,
        {"DRUG": 2.0, "PLACEBO": 2.0},
        places.assign(delta=2.0),
        Delta(2.0),
        [Delta(1.0)] * 2,
    ]
    found = [
        _estimates(MEANS.analyse(ANALYSIS, at="Week 8", variance=None, delta=d)) for d in alike
    ]
    for one in found:
        np.testing.assert_allclose(one, found[0], rtol=0, atol=1e-12)
    assert not np.allclose(found[0], _estimates(base))


def test_deltas_may_count_from_the_event_and_ask_for_reasons() -> None:
    rule = AccumulatedDelta((1.0, 1.0, 1.0), (1.0, 1.0, 1.0), reasons=("LACK OF EFFICACY",))
    found = MEANS.analyse(ANALYSIS, variance=None, delta=rule)
    assert "AccumulatedDelta" in str(found)
    plain = _estimates(MEANS.analyse(ANALYSIS, variance=None))
    assert (_estimates(found)[[3, 4]] > plain[[3, 4]]).all()
    with pytest.raises(UsageError, match="no reason 'DEATH'"):
        MEANS.analyse(ANALYSIS, delta=Delta(1.0, reasons=("DEATH",)))


def test_a_factor_multiplies_the_values_of_every_filling_by_itself() -> None:
    found = MEANS.analyse(ANALYSIS, delta=DeltaFactor(0.5))
    values = MEANS.resampled("jackknife")
    halved = MEANS.analyse(ANALYSIS).plan.analysis.answers(values.shifted(-0.5 * values.values))
    np.testing.assert_allclose(found.answers["jackknife"].estimate, halved.estimate, atol=1e-12)


def _estimates(found: AnalysedImputation) -> np.ndarray[Any, Any]:
    return found.frame["estimate"].to_numpy()


def test_one_sided_intervals_point_the_way_of_the_alternative() -> None:
    found = MEANS.analyse(ANALYSIS, at="Week 8", alternative="less").frame.iloc[2]
    two = MEANS.analyse(ANALYSIS, at="Week 8").frame.iloc[2]
    assert np.isneginf(found["ci_low"])
    if found["estimate"] < 0:
        assert found["p_value"] == pytest.approx(two["p_value"] / 2)
    else:
        assert found["p_value"] == pytest.approx(1 - two["p_value"] / 2)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"variance": "rubins"}, "found 'rubins'; did you mean rubin"),
        ({"variance": "rubin"}, "a conditional mean has none; impute with"),
        ({"variance": {"decides": "jackknife"}}, "expected {'decide': name, 'show'"),
        ({"variance": "bootstrap"}, "needs replicates="),
        ({"variance": "bootstrap", "replicates": 10}, "needs seed="),
        ({"seed": 1}, "seed=1: the variance asked for takes none"),
        ({"confidence": 95}, "confidence: found 95"),
        ({"control": "PBO"}, "'PBO' is not among the levels"),
        ({"delta": "two"}, "delta: found 'two', expected a number"),
        ({"delta": {"DRUGS": 1.0}}, "no arm 'DRUGS'"),
        ({"delta": Delta(1.0, visits=["Week 9"])}, "no visit 'Week 9'"),
        ({"delta": {"DRUG": "one"}}, "found 'one', expected a number"),
        ({"delta": Delta("one")}, "found 'one', expected a number"),
        ({"confidence": "95"}, "confidence: found '95'"),
        ({"null": "0"}, "null: found '0', expected a number"),
    ],
)
def test_what_is_not_understood_is_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MEANS.analyse(ANALYSIS, **asked)


def test_a_model_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match="found int, expected a formula or a function"):
        MEANS.analyse(3)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="the model has no ARM"):
        MEANS.analyse("CHG ~ AVISIT + us(AVISIT | USUBJID)")
    with pytest.raises(UsageError, match="the data have no column 'YEARS'"):
        MEANS.analyse("CHG ~ BASE + ARM * YEARS + (1 + YEARS | USUBJID)", slope="YEARS")
    with pytest.raises(UsageError, match="the function returned no answer"):
        MEANS.analyse(lambda frame: {}, variance=None)


def test_the_same_analysis_gives_the_same_bytes_whatever_the_order_of_rows() -> None:
    shuffled = TRIAL.sample(frac=1.0, random_state=1)
    events = dropouts(TRIAL, "jump-to-reference")
    again = impute(shuffled, model=MODEL, arm="ARM", events=events, reference={"DRUG": "PLACEBO"})
    pd.testing.assert_frame_equal(
        again.analyse(ANALYSIS).frame, MEANS.analyse(ANALYSIS).frame, check_exact=True
    )


def test_the_mmrm_of_observed_data_is_the_conditional_mean_under_missing_at_random() -> None:
    made = impute(TRIAL, model=MODEL, arm="ARM")
    found = made.analyse(ANALYSIS, at="Week 8", variance=None, control="PLACEBO").frame.iloc[2]
    fit = mmrm(MODEL, TRIAL).ls_means("ARM", by="AVISIT").contrasts([("DRUG", "PLACEBO")]).frame
    wanted = fit.loc[fit["AVISIT"] == "Week 8", "estimate"].item()
    # the same BLUP by two roads; means are at the mean BASE of subjects there, of rows here, which
    # a contrast without an interaction of arm and BASE does not see
    assert found["estimate"] == pytest.approx(wanted, abs=1e-7)


def test_rubins_rules_need_two_imputations() -> None:
    once = imputed(method="approximate-bayes", imputations=1, seed=3)
    with pytest.raises(UsageError, match="needs two imputations or more"):
        once.analyse(ANALYSIS)
    assert once.analyse(ANALYSIS, at="Week 8", variance=None).frame["estimate"].notna().all()


@pytest.mark.parametrize("name", ["replicates", "imputations"])
def test_one_resample_or_one_imputation_of_each_is_too_few(name: str) -> None:
    asked = {"replicates": 10, "imputations": 3, name: 1}
    with pytest.raises(UsageError, match=f"{name}: found 1, expected a whole number, 2 or more"):
        MEANS.analyse(ANALYSIS, variance="von-hippel-bartlett", seed=1, **asked)


def test_a_delta_that_shifts_nothing_says_so() -> None:
    rule = AccumulatedDelta((1.0, 1.0, 1.0), (1.0, 1.0, 1.0))
    nobody = imputed(events=None).analyse(ANALYSIS, delta=rule)
    assert any("none of the imputed values is shifted" in note for note in nobody.notes)
    assert not any("shifted" in note for note in MEANS.analyse(ANALYSIS, delta=rule).notes)
