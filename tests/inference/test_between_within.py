"""Between-within and containment degrees of freedom, counted by hand."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from trials import random_trial, rich_enough, trials

from trialmlm.inference.contrasts import estimates, f_test
from trialmlm.models.mmrm import mmrm

US = "us(AVISIT | USUBJID)"
PROPERTY = settings(deadline=None, max_examples=25, derandomize=True)


def df_of(formula, frame, **options):
    fit = mmrm(f"{formula} + {US}", frame, df="between-within", **options)
    return fit, fit.coefficients().set_index("term")["df"]


def counted(frame, X):
    """The rule on rows: term -> df, by a group-by for every column."""
    by_subject = X.groupby(frame["USUBJID"].to_numpy())
    within = (by_subject.max() > by_subject.min()).any().to_dict()
    subjects = frame["USUBJID"].nunique()
    inner = len(frame) - subjects - sum(within.values())
    outer = subjects - (len(within) - sum(within.values()))
    intercept = {"(Intercept)": inner}
    return {name: inner if w else outer for name, w in within.items()} | {
        name: df for name, df in intercept.items() if name in within
    }


@PROPERTY
@given(trials(least=14, most=28), st.integers(0, 2**20))
def test_the_rule_counted_on_rows(trial, seed):
    assume(rich_enough(trial))
    fit, df = df_of(trial.formula.split(" + us(")[0], trial.frame)
    wanted = counted(trial.frame, trial.matrix)
    assert df.to_dict() == {name: wanted[name] for name in df.index}
    rng = np.random.default_rng(seed)
    rows = rng.normal(size=(4, len(df))) * (rng.random((4, len(df))) < 0.3)
    rows[:, 0] += (rows == 0.0).all(axis=1)
    smallest = [df[row != 0.0].min() for row in rows]
    assert estimates(fit.method, rows).df.tolist() == smallest
    test = f_test(fit.method, rows)
    assert test.den_df >= min(smallest)  # redundant rows do not count
    if test.num_df == len(rows):
        assert test.den_df == min(smallest)


def test_a_covariate_that_varies_with_time_is_within_and_one_that_does_not_is_between():
    frame = random_trial(1, missing=0.0).frame  # 30 subjects, 3 visits
    _, df = df_of("CHG ~ BASE + PULSE + ARMCD * AVISIT", frame)
    within, between = 90 - 30 - 5, 30 - 3
    assert df.to_dict() == {
        "(Intercept)": within,
        "BASE": between,
        "PULSE": within,
        "ARMCDB": between,
        "AVISITV2": within,
        "AVISITV3": within,
        "ARMCDB:AVISITV2": within,
        "ARMCDB:AVISITV3": within,
    }


def test_without_an_intercept_none_is_counted():
    frame = random_trial(1, missing=0.0).frame
    _, df = df_of("CHG ~ 0 + ARMCD + BASE", frame)
    assert set(df) == {30 - 3}


def test_a_column_that_varies_only_where_nothing_is_observed_is_between():
    frame = random_trial(2, missing=0.0).frame
    late = frame["AVISIT"].isin(["V2", "V3"])
    frame = frame.assign(SHIFT=frame["BASE"] + 5.0 * (frame["AVISIT"] == "V3"))
    frame.loc[frame["AVISIT"] == "V3", "CHG"] = np.nan
    _, df = df_of("CHG ~ SHIFT + AVISIT", frame)
    assert late.any()
    assert df["SHIFT"] == 30 - 2
    assert df["AVISITV2"] == 60 - 30 - 1


def test_aliased_columns_do_not_count_and_change_nothing():
    frame = random_trial(3).frame
    frame = frame.assign(TWIN=3.0 - frame["BASE"], PULSE_2=2.0 * frame["PULSE"])
    one, df = df_of("CHG ~ BASE + PULSE + ARMCD * AVISIT", frame)
    two, more = df_of("CHG ~ BASE + TWIN + PULSE + PULSE_2 + ARMCD * AVISIT", frame)
    assert np.isnan(more[["TWIN", "PULSE_2"]]).all()
    pd.testing.assert_series_equal(more.drop(["TWIN", "PULSE_2"]), df)
    means = [fit.ls_means("ARMCD", by="AVISIT").frame for fit in (one, two)]
    pd.testing.assert_frame_equal(*means, check_exact=False, rtol=1e-7)
    factors = ["ARMCD", "AVISIT", "ARMCD:AVISIT"]  # BASE and TWIN have no test of their own
    tests = [fit.anova().set_index("term").loc[factors] for fit in (one, two)]
    pd.testing.assert_frame_equal(*tests, check_exact=False, rtol=1e-7)


def test_an_estimable_row_given_in_aliased_columns_takes_the_df_of_what_it_says():
    # an empty cell: ARMCDB:AVISITV3 is aliased, AVISITV3 is the change of arm A
    frame = random_trial(4, missing=0.0).frame
    frame = frame[(frame["ARMCD"] == "A") | (frame["AVISIT"] != "V3")]
    fit, df = df_of("CHG ~ ARMCD * AVISIT", frame)
    gone = list(df.index[df.isna()])
    assert gone == ["ARMCDB:AVISITV3"]
    means = fit.ls_means("ARMCD", by="AVISIT").frame
    assert means["estimate"].isna().tolist() == [False] * 5 + [True]
    # of arm A: intercept and visits; of arm B: its coefficient too
    assert means["df"].tolist()[:5] == [75 - 30 - 3, 30 - 2] * 2 + [75 - 30 - 3]


def test_units_of_a_column_do_not_matter():
    frame = random_trial(5).frame
    _, df = df_of("CHG ~ BASE + PULSE + AVISIT", frame)
    scaled = frame.assign(BASE=1e9 * frame["BASE"], PULSE=1e-9 * frame["PULSE"])
    _, other = df_of("CHG ~ BASE + PULSE + AVISIT", scaled)
    pd.testing.assert_series_equal(other, df)


def test_one_visit_per_subject_leaves_nothing_within():
    frame = random_trial(6, missing=0.0).frame.query("AVISIT == 'V1'")
    _, df = df_of("CHG ~ BASE + ARMCD", frame)
    assert set(df) == {30 - 3}  # those of least squares, the intercept's too


def test_no_df_left_is_no_test():
    # four subjects, four columns between them
    frame = random_trial(7, n_subjects=4, n_visits=5, missing=0.0).frame
    fit = mmrm(
        "CHG ~ ARMCD * SEX + BASE + AVISIT + cs(AVISIT | USUBJID)",
        frame.assign(
            SEX=np.where(frame["USUBJID"].isin(sorted(set(frame["USUBJID"]))[:2]), "F", "M")
        ),
        df="between-within",
    )
    table = fit.coefficients().set_index("term")
    assert np.isnan(table.loc["ARMCDB", ["df", "p_value"]].astype(float)).all()
    assert np.isfinite(table.loc["AVISITV2", ["df", "p_value"]].astype(float)).all()


@pytest.mark.parametrize("vcov", [None, "CR0", "CR3"])
def test_a_sandwich_does_not_change_the_df(vcov):
    frame = random_trial(8).frame
    one, df = df_of("CHG ~ BASE + ARMCD * AVISIT", frame)
    two, other = df_of("CHG ~ BASE + ARMCD * AVISIT", frame, vcov=vcov)
    pd.testing.assert_series_equal(df, other)
    assert one.anova()["den_df"].tolist() == two.anova()["den_df"].tolist()


def test_containment_without_random_effects_is_rows_less_rank():
    frame = random_trial(9).frame
    fit = mmrm(f"CHG ~ BASE + ARMCD * AVISIT + {US}", frame, df="containment", vcov="CR0")
    assert set(fit.coefficients()["df"]) == {len(frame) - 7}
    assert set(fit.anova()["den_df"]) == {len(frame) - 7}
    assert fit.method.name == "containment"
    assert fit.method.covariance == "CR0"
