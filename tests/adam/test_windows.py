from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.adam.windows import (
    InWindow,
    Schedule,
    Window,
    assign_visits,
    match_visits,
    overlaps,
    select_in_window,
    study_day,
)
from trialmlm.errors import DataError, UsageError

WINDOWS = (Window("Week 8", 56, 2, 84, 8), Window("Week 16", 112, 85, 140, 16))


def in_window(*days: float, target: float = 56) -> pd.DataFrame:
    return pd.DataFrame({"subject": "01", "visit": 0, "day": days, "target": target})


def test_there_is_no_day_0() -> None:
    dates = pd.Series(pd.to_datetime(["2025-12-31", "2026-01-01", "2026-01-02", None]))
    first = pd.Series(pd.to_datetime(["2026-01-01"] * 4))
    np.testing.assert_array_equal(study_day(dates, first), [-1, 1, 2, np.nan])


@given(offset=st.integers(-20000, 20000))
def test_a_study_day_tells_the_date_back(offset: int) -> None:
    first = pd.Series([pd.Timestamp("2000-02-29")])
    day = study_day(first + pd.Timedelta(days=offset), first)[0]
    assert day != 0
    assert day - (day > 0) == offset


def test_a_time_of_day_does_not_move_the_study_day() -> None:
    moment = pd.Series([pd.Timestamp("2026-01-02 23:59")])
    assert study_day(moment, pd.Series([pd.Timestamp("2026-01-01 08:00")]))[0] == 2


def test_a_day_belongs_to_the_window_that_holds_it() -> None:
    days = [1, 2, 84, 85, 140, 141, np.nan]
    assert assign_visits(days, WINDOWS).tolist() == [-1, 0, 0, 1, 1, -1, -1]


def test_an_open_window_has_no_end() -> None:
    assert assign_visits([-1e6, 1e6], [Window("all", 1)]).tolist() == [0, 0]


def test_windows_that_share_a_day_are_named_and_refused() -> None:
    shared = [Window("Week 4", 29, 20, 40), Window("Week 2", 15, 2, 20)]
    assert overlaps(shared) == (("Week 2", "Week 4"),)
    assert overlaps(WINDOWS) == ()
    with pytest.raises(UsageError, match="windows overlap: Week 2 and Week 4"):
        assign_visits([20], shared)


@given(days=st.lists(st.integers(2, 84), min_size=1, unique=True))
def test_the_nearest_record_is_chosen_and_ties_go_where_the_rule_says(days: list[int]) -> None:
    frame = in_window(*days)
    for ties, sign in (("earlier", 1), ("later", -1)):
        chosen = frame["day"][select_in_window(frame, InWindow(ties=ties))].tolist()
        assert chosen == [min(days, key=lambda day: (abs(day - 56), sign * day))]


@given(
    days=st.lists(st.integers(2, 84), min_size=1, unique=True), target=st.integers(2, 84),
    ties=st.sampled_from(["earlier", "later"]),
)  # fmt: skip
def test_the_first_or_the_last_record_is_chosen_whatever_the_target_day(
    days: list[int], target: int, ties: str
) -> None:
    frame = in_window(*days, target=target)
    for choose, wanted in (("first", min(days)), ("last", max(days))):
        chosen = select_in_window(frame, InWindow(choose=choose, ties=ties))
        assert frame["day"][chosen].tolist() == [wanted]


@pytest.mark.parametrize(
    ("choose", "days"), [("first", (10, 10, 56)), ("last", (56, 80, 80)), ("nearest", (2, 57, 57))]
)
def test_two_records_of_the_chosen_day_cannot_be_decided_by_any_rule(
    choose: str, days: tuple[int, ...]
) -> None:
    with pytest.raises(DataError, match="cannot decide") as caught:
        select_in_window(in_window(*days), InWindow(choose=choose))
    assert caught.value.rows is not None
    assert len(caught.value.rows) == 2


@pytest.mark.parametrize("choose", ["first", "last"])
def test_two_records_of_a_day_that_is_not_chosen_do_no_harm(choose: str) -> None:
    days = {"first": (2, 50, 50), "last": (50, 50, 84)}[choose]
    assert select_in_window(in_window(*days), InWindow(choose=choose)).sum() == 1


def test_a_rule_says_itself_in_words() -> None:
    assert str(InWindow(ties="later")) == "nearest the target day, of two equally near the later"
    assert str(InWindow(choose="last")) == "the last in the window"


def test_distances_cross_the_missing_day_0_truly() -> None:
    # day -1 is one day before day 1, day 3 two days after it
    frame = in_window(-1, 3, target=1)
    assert select_in_window(frame, InWindow(ties="later")).tolist() == [True, False]


def test_two_records_of_one_day_that_would_be_chosen_are_listed() -> None:
    frame = in_window(50, 55, 55).assign(value=[1.0, 2.0, 3.0])
    with pytest.raises(DataError, match="cannot decide") as caught:
        select_in_window(frame, InWindow())
    assert caught.value.rows is not None
    assert caught.value.rows["value"].tolist() == [2.0, 3.0]


def test_two_records_of_one_day_that_are_not_nearest_do_no_harm() -> None:
    assert select_in_window(in_window(50, 50, 56), InWindow()).tolist() == [False, False, True]


def test_visits_of_the_data_are_matched_by_number_or_by_text() -> None:
    texts = pd.Series(["Week 8", "Weeks 4-24", "Week 16"])
    numbers = pd.Series([8.0, 98.0, 16.0])
    none = pd.Series([np.nan] * 3)
    assert match_visits(texts, numbers, WINDOWS).tolist() == [0, -1, 1]
    assert match_visits(texts, none, WINDOWS).tolist() == [0, -1, 1]
    mean = [Window("Mean", 1, value="      Weeks 4-24")]
    assert match_visits(texts, numbers, mean).tolist() == [-1, 0, -1]
    both = [Window("Week 8", 56, number=8, value="Visit 8")]
    assert match_visits(texts, numbers, both).tolist() == [-1, -1, -1]


def test_a_schedule_numbers_its_visits_unless_all_have_a_number() -> None:
    assert Schedule(WINDOWS).numbers.tolist() == [8.0, 16.0]
    assert Schedule((*WINDOWS, Window("Week 24", 168))).numbers.tolist() == [1.0, 2.0, 3.0]
    assert Schedule(WINDOWS).names == ("Week 8", "Week 16")


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"choose": "worst"}, "choose: found 'worst', expected one of nearest, first, last"),
        ({"ties": "both"}, "ties: found 'both', expected one of earlier, later"),
        ({"unscheduled": "maybe"}, "unscheduled: found 'maybe'"),
        ({"unscheduled": "excluded"}, "needs the where-clause"),
    ],
)
def test_a_rule_of_unknown_words_is_refused(rule: dict[str, str], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        InWindow(**rule)  # type: ignore[arg-type]
