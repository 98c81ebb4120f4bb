from __future__ import annotations

import pandas as pd
import pytest

from trialmlm.adam.baseline import (
    BASELINE_RULES,
    Flag,
    LastOnOrBeforeDay1,
    MeanOfWindow,
    baselines,
    check_baselines,
)
from trialmlm.errors import DataError

RECORDS = pd.DataFrame({
    "subject": ["01", "01", "01", "02", "02"],
    "day": [-7.0, 1.0, 15.0, 3.0, 15.0],
    "value": [8.0, 10.0, 12.0, 20.0, 21.0],
    "flag": ["", "Y", "", "Y", ""],
})  # fmt: skip


def test_the_last_record_on_or_before_day_1_is_the_baseline() -> None:
    assert baselines(RECORDS, LastOnOrBeforeDay1()).to_dict() == {"01": 10.0}
    assert LastOnOrBeforeDay1().before(RECORDS).tolist() == [True, True, False, False, False]


def test_the_mean_of_a_window_is_the_baseline() -> None:
    assert baselines(RECORDS, MeanOfWindow(low=-14)).to_dict() == {"01": 9.0}
    assert baselines(RECORDS, MeanOfWindow(low=-1)).to_dict() == {"01": 10.0}


def test_the_flagged_record_is_the_baseline_and_what_precedes_it_is_no_visit() -> None:
    assert baselines(RECORDS, Flag()).to_dict() == {"01": 10.0, "02": 20.0}
    assert Flag().before(RECORDS).tolist() == [True, True, False, True, False]


@pytest.mark.parametrize("rule", [LastOnOrBeforeDay1(), Flag()])
def test_several_baselines_are_listed(rule: LastOnOrBeforeDay1 | Flag) -> None:
    twice = pd.concat([RECORDS, RECORDS.iloc[[1]]], ignore_index=True)
    with pytest.raises(DataError, match=r"1 subject.*several baseline records") as caught:
        baselines(twice, rule)
    assert caught.value.rows is not None
    assert caught.value.rows["subject"].tolist() == ["01", "01"]


def test_a_lacking_baseline_is_an_error_only_where_one_is_required() -> None:
    people = pd.DataFrame({"subject": ["01", "02"], "arm": ["A", "B"]})
    base = pd.Series({"01": 10.0})
    check_baselines(people, base, required=False)
    with pytest.raises(DataError, match=r"1 subject.*without a baseline") as caught:
        check_baselines(people, base, required=True)
    assert caught.value.rows is not None
    assert caught.value.rows["subject"].tolist() == ["02"]


def test_the_register_holds_the_words_of_the_protocol() -> None:
    assert set(BASELINE_RULES) == {"last-on-or-before-day-1", "mean-of-window", "flag"}
