from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from trialmlm.adam.check import (
    check_dates,
    check_known_subjects,
    check_one_record,
    check_one_row_each,
    check_values,
    run_all,
)
from trialmlm.adam.roles import SubjectRoles
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.adam.dataset import Dataset

    Wrap = Callable[[pd.DataFrame, str], Dataset]


def failing(message: str) -> Callable[[], None]:
    def check() -> None:
        raise DataError(message, pd.DataFrame({"subject": [message.upper()]}))

    return check


def test_all_checks_run_and_one_error_lists_every_fault() -> None:
    with pytest.raises(DataError) as caught:
        run_all(failing("first"), lambda: None, failing("second"))
    assert str(caught.value).startswith("2 faults of the data:\n\n(1) first")
    assert "FIRST" in str(caught.value)
    assert "SECOND" in str(caught.value)


def test_a_single_fault_is_raised_as_it_is() -> None:
    with pytest.raises(DataError, match=r"^only") as caught:
        run_all(lambda: None, failing("only"))
    assert caught.value.rows is not None


def test_repeated_and_blank_subjects_are_listed(as_dataset: Wrap) -> None:
    frame = pd.DataFrame({"USUBJID": ["02", "01", "02", " "], "ARM": "A", "AGE": 1})
    with pytest.raises(DataError, match=r"one row per subject.*USUBJID") as caught:
        check_one_row_each(as_dataset(frame, "adsl"), SubjectRoles("adsl", "USUBJID", "ARM"))
    assert caught.value.rows is not None
    assert caught.value.rows["USUBJID"].tolist() == [" ", "02", "02"]
    assert list(caught.value.rows) == ["USUBJID", "ARM"]


def test_subjects_that_the_subject_data_set_lacks_are_counted() -> None:
    records = pd.DataFrame({"subject": ["01", "09", "09"]})
    with pytest.raises(DataError, match=r"1 subject.*not in the subject data set") as caught:
        check_known_subjects(records, ["01"])
    assert caught.value.rows is not None
    assert caught.value.rows.to_dict("list") == {"subject": ["09"], "records": [2]}


def test_texts_among_the_values_are_named(as_dataset: Wrap) -> None:
    frame = pd.DataFrame({"AVAL": ["1.5", "ND", "", "1,5"]})
    with pytest.raises(DataError, match=r"2 text.*AVAL: '1,5', 'ND'; expected numbers") as caught:
        check_values(as_dataset(frame, "adqs"), frame, "AVAL")
    assert caught.value.rows is not None
    assert caught.value.rows["AVAL"].tolist() == ["ND", "1,5"]


def test_infinite_values_are_refused_and_missing_ones_are_not(as_dataset: Wrap) -> None:
    frame = pd.DataFrame({"AVAL": [1.0, np.nan, np.inf]})
    with pytest.raises(DataError, match="1 infinite value"):
        check_values(as_dataset(frame, "adqs"), frame, "AVAL")
    check_values(as_dataset(frame, "adqs"), frame.iloc[:2], "AVAL")


def test_a_column_of_dates_must_hold_dates(as_dataset: Wrap) -> None:
    texts = as_dataset(pd.DataFrame({"ADT": ["2026-01-01", "2026-01"]}), "adqs")
    with pytest.raises(DataError, match=r"1 cell\(s\) of ADT are no dates") as caught:
        check_dates(texts, "ADT")
    assert caught.value.rows is not None
    assert caught.value.rows["ADT"].tolist() == ["2026-01"]
    with pytest.raises(DataError, match="holds numbers, expected dates"):
        check_dates(as_dataset(pd.DataFrame({"ADT": [19000.0]}), "adqs"), "ADT")
    check_dates(as_dataset(pd.DataFrame({"ADT": ["", ""]}), "adqs"), "ADT")


def test_several_records_of_one_visit_are_listed() -> None:
    records = pd.DataFrame({"subject": ["01", "01", "02"], "visit": [0, 0, 0]})
    with pytest.raises(DataError, match="several records for one subject and visit") as caught:
        check_one_record(records)
    assert caught.value.rows is not None
    assert len(caught.value.rows) == 2
