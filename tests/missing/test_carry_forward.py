from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pandas.testing import assert_frame_equal, assert_series_equal

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.completers import completers
from trialmlm.missing.methods import METHODS
from trialmlm.models.ancova import ancova

VISITS = [4, 8, 12, 16]
KEYS = {"subject": "USUBJID", "visit": "AVISITN"}


def trial(*subjects: list[float | None], rows_where_missing: bool = True) -> pd.DataFrame:
    """A row per subject and visit; None is a missing value, with or without a row for it."""
    rows = [
        {
            "USUBJID": f"S{i:02d}",
            "ARM": "AB"[i % 2],
            "AVISITN": visit,
            "AVISIT": f"Week {visit}",
            "ADY": 7 * visit + i,
            "BASE": 10.0 + i,
            "AVAL": np.nan if value is None else float(value),
            "CHG": np.nan if value is None else value - 10.0 - i,
        }
        for i, values in enumerate(subjects)
        for visit, value in zip(VISITS, values, strict=False)
        if rows_where_missing or value is not None
    ]
    return pd.DataFrame(rows)


def filled(data: pd.DataFrame, **options: object) -> pd.DataFrame:
    return carry_forward(data, **{**KEYS, "value": ("AVAL", "CHG"), "visits": VISITS, **options})


def brute_force(values: list[float | None], method: str, base: float) -> list[float | None]:
    seen: list[float] = []
    out = []
    for value in values:
        if value is not None:
            seen.append(value)
        carried = {"locf": seen[-1:], "bocf": [base], "wocf": [max(seen)] if seen else []}[method]
        out.append(value if value is not None else (carried or [None])[0])
    return out


OPTIONS = {"locf": {}, "bocf": {"baseline": ("BASE", 0)}, "wocf": {"worst": "higher"}}
subjects = st.lists(
    st.lists(st.one_of(st.none(), st.integers(-50, 50)), min_size=4, max_size=4),
    min_size=1,
    max_size=6,
)
methods = st.sampled_from(sorted(OPTIONS))


@settings(max_examples=60, deadline=None)
@given(values=subjects, method=methods)
def test_a_filled_value_is_the_one_a_loop_over_subjects_finds(values, method):
    found = filled(trial(*values), method=method, **OPTIONS[method])
    expected = [v for i, own in enumerate(values) for v in brute_force(own, method, 10.0 + i)]
    assert found["AVAL"].tolist() == pytest.approx(
        [np.nan if v is None else v for v in expected], nan_ok=True
    )


@settings(max_examples=40, deadline=None)
@given(values=subjects, method=methods)
def test_filling_twice_changes_nothing(values, method):
    once = filled(trial(*values), method=method, **OPTIONS[method])
    twice = filled(once, method=method, **OPTIONS[method])
    assert_frame_equal(once, twice)


@settings(max_examples=40, deadline=None)
@given(values=subjects, method=methods, seed=st.integers(0, 99))
def test_observed_rows_are_unchanged_whatever_the_order_of_rows(values, method, seed):
    data = trial(*values)
    found = filled(data.sample(frac=1, random_state=seed), method=method, **OPTIONS[method])
    observed = data["AVAL"].notna()
    assert_frame_equal(found[observed].drop(columns="DTYPE"), data[observed])
    assert (found.loc[observed, "DTYPE"] == "").all()
    assert_frame_equal(found, filled(data, method=method, **OPTIONS[method]))


@settings(max_examples=40, deadline=None)
@given(values=subjects)
def test_leading_gaps_stay_empty_and_are_counted(values):
    found = filled(trial(*values))
    empty = found["AVAL"].isna()
    leading = sum(next((j for j, v in enumerate(own) if v is not None), len(own)) for own in values)
    counts = found.attrs["carry_forward"]
    assert empty.sum() == counts["left_empty"] == leading
    assert (found.loc[empty, "DTYPE"] == "").all()
    assert counts["filled"] == (found["DTYPE"] == "LOCF").sum()
    assert counts["subjects_without_value"] == sum(all(v is None for v in own) for own in values)


def test_every_subject_gets_every_scheduled_visit_in_order():
    found = filled(trial([1, None, 3], [None, 2], rows_where_missing=False))
    assert list(zip(found["USUBJID"], found["AVISITN"], strict=True)) == [
        (subject, visit) for subject in ("S00", "S01") for visit in VISITS
    ]
    assert found.index.tolist() == list(range(8))


def test_a_filled_row_has_what_its_subject_and_its_visit_determine_and_nothing_else():
    data = trial([1, None], [5, 6], rows_where_missing=False)
    row = filled(data, visits=[4, 8]).iloc[1]
    assert row[["USUBJID", "ARM", "AVISIT", "BASE", "AVAL", "CHG"]].tolist() == [
        "S00", "A", "Week 8", 10.0, 1.0, -9.0,
    ]  # fmt: skip
    assert np.isnan(row["ADY"])
    assert row["DTYPE"] == "LOCF"


def test_a_row_without_a_value_keeps_its_own_columns():
    assert filled(trial([1, None], [5, 6]), visits=[4, 8])["ADY"].tolist() == [28, 56, 29, 57]


def test_the_first_value_column_decides_and_the_others_follow():
    data = trial([1, 2, None])
    data["CHG"] = [-9.0, np.nan, 99.0]
    found = filled(data, visits=[4, 8, 12])
    assert found["CHG"].tolist() == pytest.approx([-9.0, np.nan, np.nan], nan_ok=True)


def test_worst_so_far_looks_back_only_and_at_the_named_end():
    data = trial([5, 9, None, 3])
    assert filled(data, method="wocf", worst="higher")["AVAL"].tolist() == [5, 9, 9, 3]
    assert filled(data, method="wocf", worst="lower")["AVAL"].tolist() == [5, 9, 5, 3]


def test_baseline_fills_before_the_first_observation_too():
    found = filled(trial([None, 9, None, 3]), method="bocf", baseline=("BASE", 0))
    assert found["AVAL"].tolist() == [10, 9, 10, 3]
    assert found["CHG"].tolist() == [0, -1, 0, -7]
    assert found["DTYPE"].tolist() == ["BOCF", "", "BOCF", ""]


def test_a_missing_baseline_fills_nothing():
    data = trial([None, 9]).assign(BASE=np.nan)
    found = filled(data, visits=[4, 8], method="bocf", baseline=("BASE", 0))
    assert found["AVAL"].isna().tolist() == [True, False]
    assert found["DTYPE"].tolist() == ["", ""]


def test_parameters_are_series_of_their_own():
    one, two = trial([1, None]).assign(PARAMCD="X"), trial([None, 7]).assign(PARAMCD="A")
    found = filled(pd.concat([one, two]), visits=[4, 8], by="PARAMCD")
    assert found["PARAMCD"].tolist() == ["A", "A", "X", "X"]
    assert found["AVAL"].tolist() == pytest.approx([np.nan, 7, 1, 1], nan_ok=True)


def test_categorical_visits_keep_their_order_and_dtype():
    data = trial([1, None, 3], [4, 5, None], rows_where_missing=False)
    order = ["Week 12", "Week 8", "Week 4"]
    data["AVISIT"] = pd.Categorical(data["AVISIT"], categories=order, ordered=True)
    found = carry_forward(data, subject="USUBJID", visit="AVISIT", value="AVAL")
    assert found["AVISIT"].tolist() == order * 2
    assert found["AVISIT"].dtype == data["AVISIT"].dtype
    assert found["AVAL"].tolist() == pytest.approx([3, 3, 1, np.nan, 5, 4], nan_ok=True)


def test_unused_categories_are_no_visits_unless_listed():
    data = trial([1, 2]).assign(ARM=pd.Categorical(["A", "A"], categories=["B", "A"]))
    data["AVISIT"] = pd.Categorical(data["AVISIT"], categories=["Week 4", "Week 8", "Week 12"])
    keys = {"subject": "USUBJID", "visit": "AVISIT", "value": "AVAL"}
    assert len(carry_forward(data, **keys)) == 2
    listed = carry_forward(data, **keys, visits=list(data["AVISIT"].cat.categories))
    assert listed["AVAL"].tolist() == [1, 2, 2]
    assert_series_equal(listed["ARM"].iloc[:2], data["ARM"])


def test_text_visits_take_the_listed_order():
    data = trial([1, None, 3])
    found = carry_forward(
        data,
        subject="USUBJID",
        visit="AVISIT",
        value="AVAL",
        visits=["Week 4", "Week 8", "Week 12"],
    )
    assert found["AVAL"].tolist() == [1, 1, 3]


def test_dtypes_are_kept_where_nothing_is_left_missing():
    data = trial([1, None, 3], [4, 5, 6]).assign(SITE=7, DATE=pd.Timestamp("2020-01-01"))
    found = filled(data, visits=[4, 8, 12])
    assert_series_equal(found.dtypes[data.columns], data.dtypes)


def test_a_derivation_that_is_there_stays_on_observed_rows():
    data = trial([1, 2, None]).assign(DTYPE=["AVERAGE", None, ""])
    assert filled(data, visits=[4, 8, 12])["DTYPE"].tolist() == ["AVERAGE", "", "LOCF"]


def test_the_input_is_not_changed():
    data = trial([1, None])
    before = data.copy()
    filled(data)
    assert_frame_equal(data, before)
    assert data.attrs == {}


def test_several_rows_at_a_visit_are_refused_and_listed():
    data = pd.concat([trial([1, 2]), trial([3])])
    with pytest.raises(DataError, match="2 rows share subject and visit") as refused:
        filled(data)
    assert refused.value.rows["AVISITN"].tolist() == [4, 4]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "nocb"}, "found 'nocb', expected one of locf, bocf, wocf, mean-of-last"),
        ({"value": "AVALL"}, "no column 'AVALL'"),
        ({"by": "PARAMCD"}, "no column 'PARAMCD'"),
        ({"method": "bocf"}, "'bocf' needs baseline="),
        ({"baseline": "BASE"}, "'locf' takes no baseline="),
        ({"method": "wocf"}, "'wocf' needs worst="),
        ({"method": "wocf", "worst": "up"}, "found 'up', expected one of higher, lower"),
        ({"method": "wocf", "worst": "lower", "value": "ARM"}, "needs numbers, but ARM is"),
        ({"method": "wocf", "worst": "lower", "over": "ever"}, "expected one of so-far, all"),
        ({"method": "bocf", "baseline": 0, "over": "all"}, "'bocf' takes no over="),
        ({"method": "mean-of-last"}, "'mean-of-last' needs k="),
        ({"method": "mean-of-last", "k": 0}, "k= found 0, expected a whole number"),
        ({"method": "mean-of-last", "k": 1.5}, "k= found 1.5, expected a whole number"),
        ({"method": "nearest", "k": 3, "worst": "lower"}, "'nearest' takes no worst="),
        ({"k": 2}, "'locf' takes no k="),
        ({"method": "bocf", "baseline": "ARM", "value": "AVAL"}, "needs numbers, but ARM is"),
        ({"method": "bocf", "baseline": "BASE"}, "baseline= names 1, but value= names 2"),
        ({"visits": [4, 8, 8]}, "expected each visit once"),
        ({"visits": [4, 8.5]}, "not values that AVISITN"),
        ({"visits": ["Week 4"]}, "not values that AVISITN"),
        ({"visit": "AVISIT", "visits": None}, "neither a number nor categorical"),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_expected(options, message):
    with pytest.raises(UsageError, match=message):
        filled(trial([1, 2, None]), **options)


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"visits": [4]}, "2 rows have a AVISITN that visits= does not list: 8, 12"),
        ({"USUBJID": ["S1", None, "S1"]}, {}, "USUBJID is missing in 1 rows"),
        ({"AVISITN": [4, np.nan, 8]}, {}, "AVISITN is missing in 1 rows"),
        (
            {"BASE": [1.0, 2.0, 1.0]},
            {"method": "bocf", "baseline": ("BASE", 0)},
            "BASE varies within USUBJID; expected one value per subject",
        ),
    ],
)
def test_data_that_cannot_be_filled_are_refused(change, options, message):
    with pytest.raises(DataError, match=message):
        filled(trial([1, 2, 3]).assign(**change), **options)


def test_no_rows_at_all_are_refused():
    with pytest.raises(DataError, match="no rows"):
        filled(trial([1]).iloc[:0])


def test_the_worst_of_all_visits_looks_ahead():
    data = trial([5, None, 9, None], [None, 4, 2, None])
    found = filled(data, method="wocf", worst="higher", over="all")
    assert found["AVAL"].tolist() == [5, 9, 9, 9, 4, 4, 2, 4]
    assert found["CHG"].tolist() == [-5, -1, -1, -1, -7, -7, -9, -7]


def test_the_baseline_is_a_candidate_for_the_worst_where_it_is_named():
    data = trial([12, None, 5, None], [None, 4, None, None], [None, None, 11, 13])
    found = filled(data, method="wocf", worst="higher", baseline=("BASE", 0))
    assert found["AVAL"].tolist() == [12, 12, 5, 12, 11, 4, 11, 11, 12, 12, 11, 13]
    assert found["CHG"].tolist() == [2, 2, -5, 2, 0, -7, 0, 0, 0, 0, -1, 1]
    everywhere = filled(data, method="wocf", worst="higher", over="all", baseline=("BASE", 0))
    assert everywhere["AVAL"].tolist()[8:] == [13, 13, 11, 13]
    assert set(found["DTYPE"]) == {"", "WOCF"}


def mean_by_loop(values: list[float | None], k: int) -> list[float]:
    seen: list[float] = []
    out = []
    for value in values:
        out.append(np.mean(seen[-k:]) if value is None and seen else np.nan)
        if value is not None:
            seen.append(value)
            out[-1] = value
    return out


@settings(max_examples=60, deadline=None)
@given(values=subjects, k=st.integers(1, 5))
def test_the_mean_of_the_last_is_the_one_a_loop_finds(values, k):
    found = filled(trial(*values), method="mean-of-last", k=k)
    expected = [mean for own in values for mean in mean_by_loop(own, k)]
    assert found["AVAL"].tolist() == pytest.approx(expected, nan_ok=True)
    assert set(found["DTYPE"]) <= {"", f"MEAN OF LAST {k}"}


@settings(max_examples=40, deadline=None)
@given(values=subjects)
def test_the_mean_of_the_last_one_is_the_last_one(values):
    found = filled(trial(*values), method="mean-of-last", k=1).drop(columns="DTYPE")
    last = filled(trial(*values)).drop(columns="DTYPE")
    assert_frame_equal(found[["AVAL", "CHG"]], last[["AVAL", "CHG"]], check_dtype=False)


@settings(max_examples=60, deadline=None)
@given(values=subjects, worst=st.sampled_from(["higher", "lower"]))
def test_the_worst_case_is_the_worst_that_anyone_has_at_the_visit(values, worst):
    found = filled(trial(*values), method="worst-case", worst=worst)
    pick = max if worst == "higher" else min
    for visit in range(4):
        seen = [own[visit] for own in values if own[visit] is not None]
        own = found[found["AVISITN"] == VISITS[visit]]["AVAL"]
        gaps = own[[values[i][visit] is None for i in range(len(values))]]
        assert gaps.tolist() == pytest.approx([pick(seen) if seen else np.nan] * len(gaps),
                                              nan_ok=True)  # fmt: skip


def test_the_worst_case_may_be_looked_for_within_the_arm():
    data = trial([1, 2], [7, 8], [None, 3], [5, None])
    found = filled(data, visits=[4, 8], method="worst-case", worst="higher", within="ARM")
    assert found["AVAL"].tolist() == [1, 2, 7, 8, 1, 3, 5, 8]


def test_the_nearest_subjects_are_those_with_the_least_sum_of_squares_before():
    data = trial([1, 2, None], [1, 3, 10], [2, 2, 20], [9, 9, 90], [1, None, 70], [0, 0, None])
    found = filled(data, visits=[4, 8, 12], method="nearest", k=2)
    own = found[found["AVISITN"] == 12]["AVAL"].tolist()
    # S00 is at distance 1 from S01 and S02, and cannot be compared with S04 at week 8
    assert own[0] == 15.0
    # S05: 10 from S01, 8 from S02, 162 from S03
    assert own[5] == 15.0
    # S04 at week 8: S01 and S00 share its value at week 4
    assert found.loc[(found["USUBJID"] == "S04") & (found["AVISITN"] == 8), "AVAL"].item() == 2.5


def test_with_fewer_donors_than_asked_a_cell_stays_empty():
    found = filled(trial([1, None], [2, 3]), visits=[4, 8], method="nearest", k=2)
    assert found["AVAL"].isna().sum() == 1
    assert found.attrs["carry_forward"]["left_empty"] == 1


def test_whole_numbers_that_pandas_holds_as_such_can_become_means():
    data = trial([1, 2, None]).astype({"AVAL": "Int64"})
    found = filled(data, value="AVAL", visits=[4, 8, 12], method="mean-of-last", k=2)
    assert found["AVAL"].astype(float).tolist() == [1, 2, 1.5]


@pytest.mark.parametrize("method", sorted(METHODS))
def test_every_method_says_what_it_assumes_and_that_it_is_a_comparator(method):
    options = {"baseline": (0, 0), "worst": "higher", "k": 2}
    own = {name: value for name, value in options.items() if name in METHODS[method].needs}
    said = filled(trial([1, None], [2, 3]), visits=[4, 8], method=method, **own)
    said = said.attrs["carry_forward"]
    assert said["method"] == method
    assert said["caution"].startswith("Comparator, not a primary method: ")
    assert METHODS[method].assumes in said["caution"]


@pytest.mark.parametrize(
    ("case", "options"),
    [
        ("locf", {"method": "locf"}),
        ("bocf", {"method": "bocf", "baseline": 0}),
        ("wocf", {"method": "wocf", "worst": "higher", "over": "all"}),
        ("wocf_incl_baseline",
         {"method": "wocf", "worst": "higher", "over": "all", "baseline": 0}),
    ],
)  # fmt: skip
@pytest.mark.parametrize("visit", [4, 5, 6, 7])
def test_plain_ancova_of_filled_values_is_that_of_r(study_data, reference, case, options, visit):
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    made = carry_forward(data, subject="PATIENT", visit="VISIT", value="CHANGE", **options)
    assert_ancova(made[made["VISIT"] == visit], reference, case, visit)


@pytest.mark.parametrize("visit", [4, 5, 6, 7])
def test_plain_ancova_of_completers_is_that_of_r(study_data, reference, visit):
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    made = completers(data, subject="PATIENT", visit="VISIT", value="CHANGE", at="all")
    assert_ancova(made[made["VISIT"] == visit], reference, "complete_case", visit)


def assert_ancova(data, reference, case, visit):
    stored = json.loads((reference / "rbmi" / "plain_ancova.json").read_text(encoding="utf-8"))
    fact = stored["results"][case][str(visit)]
    assert len(data) == fact["n"]
    fit = ancova("CHANGE ~ BASVAL + THERAPY", data)
    means = fit.ls_means("THERAPY")
    difference = means.contrasts("vs-control", control="PLACEBO").frame.iloc[0]
    names = {"estimate": "est", "std_error": "se", "ci_low": "lower", "ci_high": "upper",
             "p_value": "p", "df": "df"}  # fmt: skip
    # both are closed forms in double precision, and the file holds 15 digits
    for ours, theirs in names.items():
        assert difference[ours] == pytest.approx(fact["difference"][theirs], rel=1e-9)
    for _, row in means.frame.iterrows():
        own = fact["lsmeans"][row["THERAPY"]]
        assert row["estimate"] == pytest.approx(own["est"], rel=1e-9)
        assert row["std_error"] == pytest.approx(own["se"], rel=1e-9)


def test_the_cdisc_pilot_s_own_locf_records_are_reproduced(study_data):
    pyreadstat = pytest.importorskip("pyreadstat")
    adas, _ = pyreadstat.read_xport(str(study_data / "cdisc_pilot" / "adqsadas.xpt"))
    chosen = adas.query(
        "PARAMCD == 'ACTOT' and EFFFL == 'Y' and ANL01FL == 'Y' and AVISITN in (8, 16, 24)"
    )
    values = ["AVAL", "CHG", "PCHG"]
    made = filled(chosen[chosen["DTYPE"] == ""], value=values, visits=[8, 16, 24])
    shown = [*KEYS.values(), "AVISIT", "TRTP", "BASE", *values, "AWRANGE", "AWTARGET"]
    ours = made.loc[made["DTYPE"] == "LOCF", shown].reset_index(drop=True)
    theirs = chosen.loc[chosen["DTYPE"] == "LOCF", shown].sort_values(list(KEYS.values()))
    assert_frame_equal(ours, theirs.reset_index(drop=True))
    assert ours["AVISITN"].value_counts().to_dict() == {16.0: 84, 24.0: 79}
