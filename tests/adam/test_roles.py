from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from trialmlm.adam.arms import Arm, check_arms, doses, in_order, ordered
from trialmlm.adam.populations import members
from trialmlm.adam.roles import RecordRoles, SubjectRoles, check_columns
from trialmlm.errors import DataError
from trialmlm.expressions.where import read_where

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.adam.dataset import Dataset

ARMS = (Arm("54", "Low", 2, 54.0), Arm("0", "Placebo", 1, 0.0))


def test_mapped_columns_that_are_absent_are_all_named_with_the_nearest(
    adsl: pd.DataFrame, as_dataset: Callable[[pd.DataFrame, str], Dataset]
) -> None:
    roles = SubjectRoles("adsl", "usubjid", "TRT01A", site="ZZZ", dates={"day_1": "TRTSDT"})
    with pytest.raises(DataError) as caught:
        check_columns(as_dataset(adsl, "adsl"), roles.columns())
    message = str(caught.value)
    assert "adsl (adsl.csv) lacks 3 mapped column(s)" in message
    assert "subject: no column 'usubjid'; did you mean 'USUBJID'?" in message
    assert "arm: no column 'TRT01A'; did you mean 'TRT01P'?" in message
    assert "site: no column 'ZZZ'; columns: SAFFL, SEX" in message


def test_roles_that_are_not_mapped_are_not_looked_for() -> None:
    roles = RecordRoles("adqs", "USUBJID", "AVAL", "PARAMCD", "TOT", date="ADT")
    assert roles.columns() == {
        "subject": "USUBJID", "value": "AVAL", "parameter": "PARAMCD", "date": "ADT",
    }  # fmt: skip


def test_derivation_and_imputation_flags_are_found_by_their_adam_names() -> None:
    roles = RecordRoles("adqs", "USUBJID", "AVAL", date="ADT")
    assert roles.derivation_in(["DTYPE"]) == "DTYPE"
    assert roles.derivation_in(["AVAL"]) is None
    assert roles.date_flag_in(["ADTF"]) == "ADTF"
    assert roles.date_flag_in(["ADT"]) is None


def test_arms_are_ordered_as_the_protocol_orders_them() -> None:
    arms = ordered(pd.Series([54.0, 0.0]), ARMS)
    assert arms.cat.categories.tolist() == ["0", "54"]
    assert arms.cat.ordered
    assert doses(pd.Series(["54", "0"]), ARMS).tolist() == [54.0, 0.0]
    assert [arm.label for arm in in_order(ARMS)] == ["Placebo", "Low"]


def test_subjects_of_unknown_arms_are_listed() -> None:
    subjects = pd.DataFrame({"USUBJID": ["01", "02", "03"], "ARM": ["0", "Screen Failure", ""]})
    with pytest.raises(DataError, match=r"2 subject.*no arm of the protocol.*'0', '54'") as caught:
        check_arms(subjects, "ARM", ["0", "54"])
    assert caught.value.rows is not None
    assert caught.value.rows["USUBJID"].tolist() == ["02", "03"]


def test_a_population_is_who_satisfies_its_clause(
    adsl: pd.DataFrame, as_dataset: Callable[[pd.DataFrame, str], Dataset]
) -> None:
    dataset = as_dataset(adsl, "adsl")
    assert members(dataset, read_where("SEX == 'F'")).tolist() == [True, False, True, False]
    assert members(dataset, None).all()


def test_an_empty_population_is_an_error(
    adsl: pd.DataFrame, as_dataset: Callable[[pd.DataFrame, str], Dataset]
) -> None:
    with pytest.raises(DataError, match=r"none of 4 subjects satisfies SEX == 'X'"):
        members(as_dataset(adsl, "adsl"), read_where("SEX == 'X'"))
