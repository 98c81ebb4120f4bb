from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from trialmlm.adam.populations import HavingRows, meant, members
from trialmlm.errors import DataError
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.adam.dataset import Dataset

    Wrap = Callable[[pd.DataFrame, str], Dataset]

EVENTS = pd.DataFrame({"SUBJ": ["01", "01", "04"], "CNSR": [1, 0, 1], "PARAMCD": "DEATH"})


@pytest.fixture
def having(adsl: pd.DataFrame, as_dataset: Wrap) -> Callable[[str], list[str]]:
    """The subjects with a row that satisfies a clause over the events."""

    def members_of(clause: str) -> list[str]:
        rows = as_dataset(EVENTS, "adtte")
        rule = HavingRows(read_where(clause), rows, "SUBJ", "USUBJID")
        return adsl.loc[members(as_dataset(adsl, "adsl"), rule), "USUBJID"].tolist()

    return members_of


def test_a_subject_with_one_row_that_satisfies_the_clause_is_a_member(
    having: Callable[[str], list[str]],
) -> None:
    assert having("CNSR == 1") == ["01", "04"]
    assert having("CNSR == 0") == ["01"]


def test_nobody_with_such_a_row_is_an_empty_population(having: Callable[[str], list[str]]) -> None:
    with pytest.raises(DataError, match=r"none of 4 .* satisfies a row of adtte with CNSR == 9"):
        having("CNSR == 9")


def test_a_data_set_without_the_subject_is_named(adsl: pd.DataFrame, as_dataset: Wrap) -> None:
    rows = as_dataset(EVENTS, "adtte")
    rule = HavingRows(read_where("CNSR == 1"), rows, "SUBJID", "USUBJID")
    with pytest.raises(DataError, match=r"adtte .*\n.*no column 'SUBJID'; did you mean 'SUBJ'"):
        members(as_dataset(adsl, "adsl"), rule)


def test_without_a_clause_every_subject_is_meant_and_a_member(
    adsl: pd.DataFrame, as_dataset: Wrap
) -> None:
    subjects = as_dataset(adsl, "adsl")
    assert meant(subjects, None) is subjects
    assert members(subjects, None).all()


def test_the_subjects_meant_are_numbered_anew(adsl: pd.DataFrame, as_dataset: Wrap) -> None:
    kept = meant(as_dataset(adsl, "adsl"), read_where("SEX == 'M'"))
    assert kept.frame["USUBJID"].tolist() == ["02", "04"]
    assert kept.frame.index.tolist() == [0, 1]
