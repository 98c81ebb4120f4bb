from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from trialmlm.adam.analysis_set import AnalysisSet, AnalysisSetSpec, build
from trialmlm.adam.baseline import Flag, MeanOfWindow
from trialmlm.adam.time import Time
from trialmlm.adam.windows import InWindow, Window
from trialmlm.errors import DataError, UsageError
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.adam.dataset import Dataset

    Build = Callable[..., AnalysisSet]


@pytest.fixture
def made(
    adsl: pd.DataFrame,
    adqs: pd.DataFrame,
    spec: AnalysisSetSpec,
    as_dataset: Callable[[pd.DataFrame, str], Dataset],
) -> Build:
    """Build from the small trial, with its data or its specification changed."""

    def make(
        subjects: pd.DataFrame | None = None, records: pd.DataFrame | None = None, **changes: object
    ) -> AnalysisSet:
        return build(
            as_dataset(adsl if subjects is None else subjects, "adsl"),
            as_dataset(adqs if records is None else records, "adqs"),
            replace(spec, **changes),  # type: ignore[arg-type]
        )

    return make


def with_record(adqs: pd.DataFrame, like: int, **values: object) -> pd.DataFrame:
    more = adqs.iloc[[like]].assign(**values)
    return pd.concat([adqs, more.astype(adqs.dtypes)], ignore_index=True)


@pytest.mark.parametrize("values", ["derived", "read"])
def test_both_ways_give_the_same_set_where_the_data_follow_the_rules(
    values: str, made: Build
) -> None:
    analysed = made(values=values)
    frame = analysed.frame
    assert frame["USUBJID"].tolist() == ["01", "01", "02", "04"]
    assert frame["AVISIT"].tolist() == ["Week 2", "Week 4", "Week 2", "Week 4"]
    assert frame["CHG"].tolist() == [2.0, 3.0, -1.0, 4.0]
    assert frame["BASE"].tolist() == [10.0, 10.0, 20.0, 40.0]
    assert frame["ADY"].tolist() == [15, 29, 14, 30]
    assert frame["ROW"].tolist() == [2, 3, 5, 8]
    assert analysed.discrepancies.empty
    assert analysed.notes == ()


def test_visits_and_arms_are_ordered_and_the_subject_columns_are_there(made: Build) -> None:
    frame = made().frame
    assert frame["AVISIT"].cat.categories.tolist() == ["Week 2", "Week 4"]
    assert frame["TRT01P"].cat.categories.tolist() == ["Placebo", "Active"]
    assert frame["AVISIT"].cat.ordered
    assert frame["TRT01P"].cat.ordered
    assert frame["DOSE"].tolist() == [0.0, 0.0, 50.0, 0.0]
    assert frame["SEX"].tolist() == ["F", "F", "M", "M"]
    assert frame["AVISITN"].tolist() == [2.0, 4.0, 2.0, 4.0]
    assert (frame["DTYPE"] == "").all()


def test_the_baseline_frame_has_every_subject_of_the_population_who_has_one(made: Build) -> None:
    baseline = made(population=read_where("SEX == 'F'")).baseline
    assert baseline["USUBJID"].tolist() == ["01", "03"]
    assert baseline["BASE"].tolist() == [10.0, 30.0]
    assert baseline["ADY"].tolist() == [1.0, 1.0]
    assert baseline["TRT01P"].tolist() == ["Placebo", "Active"]


def test_the_day_of_a_baseline_is_its_own_and_a_mean_has_none(made: Build) -> None:
    for values in ("derived", "read"):
        days = made(values=values).baseline.set_index("USUBJID")["ADY"]
        assert days.to_dict() == {"01": 1.0, "02": -1.0, "03": 1.0, "04": 1.0}
    assert made(baseline=MeanOfWindow()).baseline["ADY"].isna().all()


def test_the_account_adds_up_and_every_exclusion_has_a_reason(made: Build) -> None:
    analysed = made(population=read_where("SEX == 'F'"))
    steps = analysed.account.steps
    assert all(a.records == b.records_in for a, b in pairwise(steps))
    assert steps[0].records_in == 8
    assert steps[-1].records == len(analysed.frame) == 2
    assert analysed.exclusion_frame().to_dict("list") == {
        "subject": ["02", "03", "04"],
        "arm": ["Active", "Active", "Placebo"],
        "reason": [
            "not in the population: SEX == 'F'",
            "no post-baseline value",
            "not in the population: SEX == 'F'",
        ],
    }


def test_a_subject_without_any_value_or_without_baseline_is_told_apart(
    made: Build, adqs: pd.DataFrame
) -> None:
    lost = adqs.assign(AVAL=adqs["AVAL"].where(adqs["USUBJID"] != "04"))
    lost.loc[3, "AVAL"] = np.nan
    reasons = made(records=lost).exclusion_frame().set_index("subject")["reason"]
    assert reasons["04"] == "no value of the endpoint"
    assert reasons["02"] == "no baseline value"


def test_a_required_baseline_that_lacks_is_an_error(made: Build, adqs: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"1 subject\(s\) without a baseline.*\n.*\n.*02 +Active"):
        made(records=adqs.drop(index=3), baseline_required=True)


def test_values_that_differ_from_the_rules_are_listed(made: Build, adqs: pd.DataFrame) -> None:
    adqs.loc[1, "CHG"] = 2.5
    adqs.loc[4, ["AVISIT", "AVISITN"]] = ["Week 4", 4]
    adqs.loc[7, "BASE"] = 41.0
    found = made(records=adqs).discrepancies
    listed = set(zip(found["subject"], found["variable"], found["derived"], strict=True))
    assert listed == {
        ("01", "CHG", 2.0), ("02", "AVISIT", "Week 2"), ("02", "AVISITN", 2.0), ("04", "BASE", 40.0)
    }  # fmt: skip


def test_a_choice_that_differs_from_the_flag_of_the_data_is_listed(
    made: Build, adqs: pd.DataFrame
) -> None:
    more = with_record(adqs, 1, ADT=pd.Timestamp("2026-01-16"), AVAL=99.0, ANL01FL="Y")
    more.loc[1, "ANL01FL"] = ""
    analysed = made(records=more)
    assert analysed.frame["AVAL"].tolist()[0] == 12.0
    assert analysed.discrepancies["variable"].tolist() == ["ANL01FL", "ANL01FL"]
    assert analysed.discrepancies["derived"].tolist() == ["Y", ""]


def test_derived_records_are_dropped_and_counted_unless_named(
    made: Build, adqs: pd.DataFrame
) -> None:
    more = with_record(adqs, 4, DTYPE="LOCF", AVISIT="Week 4", AVISITN=4)
    observed = made(records=more, values="read")
    carried = made(records=more, values="read", derived_records=("LOCF",))
    assert len(observed.frame) == 4
    assert "1 record dropped [LOCF 1 dropped]" in str(observed.account)
    assert carried.frame["DTYPE"].tolist() == ["", "", "", "LOCF", ""]
    assert "observed, or derived in the data as LOCF: 9 records" in str(carried.account)
    assert "[LOCF 1 kept]" in str(carried.account)


def test_visits_outside_the_schedule_are_counted_by_name(made: Build, adqs: pd.DataFrame) -> None:
    adqs.loc[7, ["AVISIT", "AVISITN"]] = ["      Weeks 2-4", 98]
    account = str(made(records=adqs, values="read").account)
    assert "after baseline: 4 records of 3 subjects, 4 records dropped" in account
    assert "[Baseline 4]" in account
    assert "[other visits: Weeks 2-4 1]" in account


def test_imputed_dates_are_used_and_counted(made: Build, adqs: pd.DataFrame) -> None:
    adqs["ADTF"] = ["", "D", "M", "", "", "", "", ""]
    derived, read = made(records=adqs), made(records=adqs, values="read")
    assert "2 with an imputed date, used as imputed" in str(derived.account)
    assert read.notes == ("2 records with an imputed date, used as imputed",)


def test_a_missing_date_leaves_the_record_out_with_a_step(made: Build, adqs: pd.DataFrame) -> None:
    adqs.loc[4, "ADT"] = pd.NaT
    analysed = made(records=adqs)
    expected = "with a study day: 7 records of 4 subjects, 1 record dropped"
    assert expected in str(analysed.account)
    assert analysed.exclusions[0].subject == "02"


@pytest.mark.parametrize("values", ["derived", "read"])
def test_unscheduled_records_are_eligible_or_not_as_the_rule_says(
    values: str, made: Build, adqs: pd.DataFrame
) -> None:
    adqs.loc[4, "VISIT"] = "RETRIEVAL"
    clause = read_where("VISIT == 'RETRIEVAL'")
    eligible = made(records=adqs, values=values, in_window=InWindow(unscheduled_where=clause))
    rule = InWindow(unscheduled="excluded", unscheduled_where=clause)
    excluded = made(records=adqs, values=values, in_window=rule)
    assert len(eligible.frame) == 4
    assert excluded.frame["USUBJID"].tolist() == ["01", "01", "04"]
    assert "scheduled visits, not VISIT == 'RETRIEVAL': " in str(excluded.account)
    assert ("02", "no post-baseline value") in {(e.subject, e.reason) for e in excluded.exclusions}


def test_chosen_records_of_unscheduled_visits_are_counted(made: Build, adqs: pd.DataFrame) -> None:
    adqs.loc[4, "VISIT"] = "RETRIEVAL"
    rule = InWindow(unscheduled_where=read_where("VISIT == 'RETRIEVAL'"))
    assert "[1 from unscheduled visits]" in str(made(records=adqs, in_window=rule).account)


@pytest.mark.parametrize(("choose", "chosen"), [("nearest", 12.0), ("first", 11.0), ("last", 18.0)])
def test_the_choice_in_a_window_decides_which_value_is_analysed(
    choose: str, chosen: float, made: Build, adqs: pd.DataFrame
) -> None:
    early = with_record(adqs, 1, ADT=pd.Timestamp("2026-01-05"), AVAL=11.0, ANL01FL="")
    both = with_record(early, 1, ADT=pd.Timestamp("2026-01-21"), AVAL=18.0, ANL01FL="")
    analysed = made(records=both, in_window=InWindow(choose=choose))
    assert analysed.frame["AVAL"].tolist()[0] == chosen
    assert f"one for each subject and visit, {InWindow(choose=choose)}: 4" in str(analysed.account)


def test_a_baseline_record_at_another_visit_of_the_data_is_listed(
    made: Build, adqs: pd.DataFrame, spec: AnalysisSetSpec
) -> None:
    adqs.loc[3, ["AVISIT", "AVISITN"]] = ["Screening", -1]
    named = replace(spec.schedule, baseline=Window("Baseline", 1, number=0))
    found = made(records=adqs, schedule=named).discrepancies
    assert found.drop(columns="visit").to_numpy().tolist() == [
        ["02", "AVISIT", "Baseline", "Screening"],
        ["02", "AVISITN", 0.0, -1.0],
    ]


def test_the_baseline_visit_is_known_by_its_words_in_the_data(
    made: Build, adqs: pd.DataFrame, spec: AnalysisSetSpec
) -> None:
    texts = adqs.assign(AVISIT=adqs["AVISIT"].replace("Baseline", "Day 1"), ABLFL="")
    named = replace(spec.schedule, baseline=Window("Baseline", 1, value="Day 1"))
    assert made(records=texts, schedule=named).discrepancies.empty
    read = made(records=texts, schedule=named, values="read", baseline=None)
    assert (
        "after baseline: 4 records of 3 subjects, 4 records dropped, 1 subject lost [Day 1 4]"
        in (str(read.account))
    )


def test_time_is_counted_from_day_1_by_the_actual_day(made: Build) -> None:
    frame = made(time=Time("YEARS", 365.25)).frame
    np.testing.assert_allclose(frame["YEARS"], np.array([14, 28, 13, 29]) / 365.25)


def test_time_of_a_record_derived_in_the_data_is_that_of_its_visit(
    made: Build, adqs: pd.DataFrame
) -> None:
    carried = with_record(adqs, 4, DTYPE="LOCF", AVISIT="Week 4", AVISITN=4)
    frame = made(
        records=carried, values="read", derived_records=("LOCF",), time=Time("WEEKS", 7)
    ).frame
    assert frame.loc[frame["DTYPE"] == "LOCF", "WEEKS"].tolist() == [4.0]
    assert frame["WEEKS"].tolist()[:2] == [2.0, 4.0]


def test_time_is_missing_where_no_day_is_known(made: Build, adqs: pd.DataFrame) -> None:
    adqs.loc[4, "ADT"] = pd.NaT
    frame = made(records=adqs, values="read", time=Time("YEARS")).frame
    assert frame["YEARS"].isna().tolist() == [False, False, True, False]


def test_a_time_that_the_data_have_too_is_derived_with_a_note(
    made: Build, adqs: pd.DataFrame
) -> None:
    analysed = made(records=adqs.assign(YEARS=99.0), time=Time("YEARS"))
    assert (analysed.frame["YEARS"] < 1).all()
    assert analysed.notes == (
        "YEARS is derived from the study day; the data's own YEARS is not used",
    )


def test_subjects_who_are_not_meant_are_no_subjects(
    made: Build, adsl: pd.DataFrame, adqs: pd.DataFrame
) -> None:
    adsl.loc[3, "TRT01P"] = "Screen Failure"
    analysed = made(
        subjects=adsl, records=adqs, subjects_where=read_where("TRT01P != 'Screen Failure'")
    )
    assert "subjects meant TRT01P != 'Screen Failure': 6 records of 3 subjects" in (
        str(analysed.account)
    )
    assert [e.subject for e in analysed.exclusions] == ["03"]
    with pytest.raises(DataError, match=r"the set of subjects meant is empty: none of 4 subjects"):
        made(subjects_where=read_where("SEX == 'X'"))


def test_the_where_clause_and_the_parameter_select_records(made: Build, adqs: pd.DataFrame) -> None:
    more = with_record(adqs, 1, PARAMCD="ITEM1")
    analysed = made(records=more, where=read_where("VISIT == 'SCHEDULED'"))
    account = str(analysed.account)
    assert "parameter PARAMCD == 'TOT': 8 records of 4 subjects, 1 record dropped" in account
    assert "where VISIT == 'SCHEDULED': 8 records" in account
    with pytest.raises(DataError, match=r"no record with PARAMCD 'TOT'; found 'OTHER'"):
        made(records=adqs.assign(PARAMCD="OTHER"))


def test_texts_of_another_parameter_do_no_harm(made: Build, adqs: pd.DataFrame) -> None:
    texts = adqs.assign(AVAL=adqs["AVAL"].map("{:g}".format))
    more = with_record(texts, 1, PARAMCD="COMMENT", AVAL="ND")
    assert made(records=more).frame["AVAL"].tolist() == [12.0, 13.0, 19.0, 44.0]


def test_all_faults_of_the_data_come_in_one_error(
    made: Build, adsl: pd.DataFrame, adqs: pd.DataFrame
) -> None:
    adsl.loc[1, "TRT01P"] = "Other"
    more = with_record(adqs.assign(AVAL=adqs["AVAL"].astype(object)), 1, USUBJID="77", AVAL="ND")
    more.loc[2, "AVAL"] = "low"
    with pytest.raises(DataError) as caught:
        made(subjects=pd.concat([adsl, adsl.iloc[[0]]]), records=more)
    message = str(caught.value)
    assert message.startswith("4 faults of the data")
    for part in ("blank or repeated", "no arm of the protocol", "not in the subject", "'low'"):
        assert part in message


def test_undecided_records_and_baselines_come_in_one_error(made: Build, adqs: pd.DataFrame) -> None:
    twice = pd.concat([adqs, adqs.iloc[[0, 1]]])
    with pytest.raises(DataError, match=r"2 faults(.|\n)*cannot decide(.|\n)*several baseline"):
        made(records=twice)
    with pytest.raises(DataError, match="several records for one subject and visit"):
        made(records=twice, values="read")


def test_several_values_of_the_base_column_are_refused(made: Build, adqs: pd.DataFrame) -> None:
    adqs.loc[2, "BASE"] = 11.0
    with pytest.raises(DataError, match="several values of BASE"):
        made(records=adqs, values="read")


def test_an_arm_in_the_records_that_contradicts_the_subjects_is_listed(
    made: Build, adqs: pd.DataFrame
) -> None:
    adqs["TRT01P"] = "Placebo"
    found = made(records=adqs).discrepancies
    assert found[["subject", "variable", "derived", "data"]].to_numpy().tolist() == [
        ["02", "TRT01P", "Active", "Placebo"]
    ]


def test_other_baseline_rules_apply(made: Build, adqs: pd.DataFrame) -> None:
    assert made(baseline=Flag()).frame["BASE"].tolist() == [10.0, 10.0, 20.0, 40.0]
    more = with_record(adqs, 0, ADT=pd.Timestamp("2025-12-20"), AVAL=8.0, ABLFL="")
    assert made(records=more, baseline=MeanOfWindow()).frame["BASE"].tolist()[0] == 9.0


def test_a_set_without_baseline_keeps_its_records(
    adsl: pd.DataFrame,
    adqs: pd.DataFrame,
    spec: AnalysisSetSpec,
    as_dataset: Callable[[pd.DataFrame, str], Dataset],
) -> None:
    roles = replace(spec.records, base=None, change=None)
    bare = replace(spec, records=roles, baseline=None, values="read")
    analysed = build(as_dataset(adsl, "adsl"), as_dataset(adqs, "adqs"), bare)
    assert analysed.frame["AVAL"].tolist() == [12.0, 13.0, 19.0, 44.0]
    assert analysed.frame["CHG"].isna().all()
    assert analysed.baseline.empty


def test_an_arm_without_subjects_is_noted_and_kept_as_a_level(made: Build) -> None:
    analysed = made(population=read_where("USUBJID == '01'"))
    assert analysed.notes == ("no subject of the population is in arm 'Active'",)
    assert analysed.frame["TRT01P"].cat.categories.tolist() == ["Placebo", "Active"]


def test_a_selection_that_ends_empty_shows_its_account(made: Build, adqs: pd.DataFrame) -> None:
    with pytest.raises(DataError, match=r"no record is left(.|\n)*after baseline: 0"):
        made(records=adqs[adqs["ABLFL"] == "Y"])


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"values": "guessed"}, "found 'guessed', expected derived or read"),
        ({"day_1": "consent"}, "'consent' is no date of the subject roles"),
        ({"day_1": None}, "derived needs the record's date and day_1"),
        ({"derived_records": ("LOCF",)}, "only with values: read"),
        ({"time": Time("AVAL")}, "its name is a column that means something else"),
        ({"time": Time("TRT01P")}, "its name is a column that means something else"),
    ],
)
def test_a_specification_that_contradicts_itself_is_refused(
    changes: dict[str, object], message: str, spec: AnalysisSetSpec
) -> None:
    with pytest.raises(UsageError, match=message):
        replace(spec, **changes)  # type: ignore[arg-type]


def test_the_order_of_the_rows_in_the_file_does_not_matter(made: Build, adqs: pd.DataFrame) -> None:
    shuffled = made(records=adqs.iloc[::-1]).frame.drop(columns="ROW")
    pd.testing.assert_frame_equal(shuffled, made().frame.drop(columns="ROW"))
