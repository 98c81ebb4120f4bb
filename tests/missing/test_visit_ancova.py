"""ANCOVA of all fillings at once against an ordinary ANCOVA of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from dropout_trial import MODEL, VISITS, dropout_trial, dropouts

from trialmlm.errors import DataError, FitError, UsageError
from trialmlm.formula.grammar import read_formula
from trialmlm.missing.comparison import comparison
from trialmlm.missing.completed_rows import completed_rows, completed_values
from trialmlm.missing.completions import Completions
from trialmlm.missing.impute import impute
from trialmlm.missing.visit_ancova import VisitAncova
from trialmlm.models.ancova import ancova

if TYPE_CHECKING:
    from trialmlm.missing.imputed import Imputed
    from trialmlm.missing.layout import Layout

#: two ways to the same least-squares numbers, of the size of 1 to 100
ROUNDING = 1e-10


def data(arms: tuple[str, ...] = ("DRUG", "PLACEBO"), **more: Any) -> pd.DataFrame:
    trial = dropout_trial(arms, **more)
    number = trial["USUBJID"].str[1:].astype(int)
    return trial.assign(
        SEX=np.where(number // 3 % 2 == 0, "F", "M"), SITE=np.where(number % 5 < 2, "A", "B")
    )


def trial_imputed(arms: tuple[str, ...] = ("DRUG", "PLACEBO"), **more: Any) -> Imputed:
    trial = data(arms)
    events = dropouts(trial, "jump-to-reference")
    return impute(trial, model=MODEL, arm="ARM", events=events, reference="PLACEBO", **more)


def analysis(layout: Layout, formula: str, **asked: Any) -> VisitAncova:
    given = {"at": None, "contrasts": "pairwise", "control": None, "weights": "equal", **asked}
    return VisitAncova.of(read_formula(formula), layout, comparison(layout, reference={}, **given))


@pytest.mark.parametrize("weights", ["equal", "observed-margins"])
@pytest.mark.parametrize(
    "formula", ["CHG ~ BASE + ARM", "CHG ~ BASE * ARM + SEX * SITE + ARM:SEX", "CHG ~ 0 + ARM"]
)
@pytest.mark.parametrize("resampled", [False, True])
def test_every_filling_and_resample_is_an_ordinary_ancova(
    formula: str, weights: str, resampled: bool
) -> None:
    layout = trial_imputed(("DRUG", "HIGH", "PLACEBO")).layout
    rng = np.random.default_rng(3)
    subject, visit = np.nonzero(layout.missing)
    n = len(layout.subjects)
    counts = rng.multinomial(n, np.full(n, 1 / n), size=4) if resampled else None
    made = Completions(subject, visit, rng.normal(-3.0, 4.0, (4, subject.size)), counts)
    found = analysis(layout, formula, weights=weights).answers(made)
    for d, table in enumerate(completed_values(layout, made)):
        rows = completed_rows(layout, table, None if counts is None else counts[d])
        one = [_ordinary(formula, rows[rows["AVISIT"] == at], weights) for at in VISITS]
        for name in ("estimate", "std_error", "df"):
            wanted = np.concatenate([table[name] for table in one])
            np.testing.assert_allclose(getattr(found, name)[d], wanted, rtol=0, atol=ROUNDING)


def _ordinary(formula: str, rows: pd.DataFrame, weights: str) -> pd.DataFrame:
    means = ancova(formula, rows).ls_means("ARM", weights=weights)
    return pd.concat([means.frame, means.contrasts("pairwise").frame])


def test_a_shift_along_directions_is_what_shifted_values_give() -> None:
    made = trial_imputed()
    completions, layout = made.resampled("jackknife"), made.layout
    arm = layout.arm[completions.subject]
    directions = np.stack([arm == 0, arm == 1]).astype(float)
    asked = analysis(layout, "CHG ~ BASE + ARM")
    along = asked.along(completions, directions)(np.array([2.5, -1.25]))
    again = asked.answers(completions.shifted(np.array([2.5, -1.25]) @ directions))
    np.testing.assert_allclose(along.estimate, again.estimate, rtol=0, atol=ROUNDING)
    np.testing.assert_allclose(along.std_error, again.std_error, rtol=0, atol=ROUNDING)


def test_a_resample_that_loses_a_level_gives_no_answer_and_says_so() -> None:
    layout = trial_imputed().layout
    subject, visit = np.nonzero(layout.missing)
    counts = np.ones((3, len(layout.subjects)), dtype=np.intp)
    counts[1, layout.arm == 0] = 0
    made = Completions(subject, visit, np.zeros((3, subject.size)), counts)
    found = analysis(layout, "CHG ~ BASE + ARM").answers(made)
    assert found.answered.tolist() == [True, False, True]
    assert found.failures == ("1 of 3 resamples lack a level of a factor",)


def test_a_covariate_that_changes_between_visits_is_taken_at_each() -> None:
    trial = data()
    full = impute(trial, model=MODEL, arm="ARM").layout
    rng = np.random.default_rng(1)
    frame = full.frame.assign(SCORE=rng.normal(size=len(full.frame)))
    made = impute(
        frame, model=MODEL.replace("BASE *", "SCORE + BASE *"), arm="ARM"
    )  # every visit has a score
    found = made.analyse("CHG ~ SCORE + ARM", variance=None, control="PLACEBO").frame
    rows = made.completed()
    for at in VISITS:
        one = ancova("CHG ~ SCORE + ARM", rows[rows["AVISIT"] == at]).ls_means("ARM").frame
        mine = found[(found["visit"] == at) & (found["quantity"] == "LS mean")]
        np.testing.assert_allclose(mine["estimate"], one["estimate"], rtol=0, atol=ROUNDING)


def test_what_cannot_be_analysed_is_refused_before_any_fitting() -> None:
    layout = trial_imputed().layout
    refused = {
        "AVISIT is constant": "CHG ~ BASE + ARM * AVISIT",
        "the formula has no ARM": "CHG ~ BASE",
        "the response is BASE, expected CHG": "BASE ~ ARM",
    }
    for message, formula in refused.items():
        with pytest.raises(UsageError, match=message):
            analysis(layout, formula)
    with pytest.raises(UsageError, match=r"at: found .*'Week 9'.*, expected visits among 'Week 2'"):
        analysis(layout, "CHG ~ ARM", at="Week 9")
    with pytest.raises(UsageError, match="weights: found 'om'"):
        analysis(layout, "CHG ~ ARM", weights="om")
    with pytest.raises(FitError, match="no column BASELINE; did you mean BASE"):
        analysis(layout, "CHG ~ BASELINE + ARM")


def test_a_factor_that_is_the_arm_again_is_refused() -> None:
    trial = data().assign(DOSE=lambda d: np.where(d["ARM"] == "DRUG", "high", "none"))
    made = impute(trial, model=MODEL, arm="ARM")
    with pytest.raises(FitError, match="the LS mean of DRUG, PLACEBO is not estimable"):
        made.analyse("CHG ~ DOSE + ARM")


def test_a_subject_without_a_covariate_is_named_not_dropped() -> None:
    trial = data()
    first = trial["USUBJID"].iloc[0]
    trial["WEIGHT"] = np.where(trial["USUBJID"] == first, np.nan, 70.0 + trial["BASE"])
    made = impute(trial, model=MODEL, arm="ARM")
    with pytest.raises(DataError, match=f"WEIGHT missing, expected a value(?s:.)*{first}"):
        made.analyse("CHG ~ WEIGHT + ARM")
