from __future__ import annotations

import pandas as pd

from trialmlm.adam.steps import Account, Records

FRAME = pd.DataFrame({"subject": ["01", "01", "02"], "value": [1.0, None, 3.0]})


def test_an_account_counts_records_and_subjects_of_each_step() -> None:
    account = Account().keep("value present", FRAME, FRAME.dropna(), "subject", "two")
    step = account.steps[0]
    assert (step.records_in, step.records, step.subjects, step.note) == (3, 2, 2, "two")


def test_keeping_returns_a_new_account() -> None:
    first = Account()
    assert first.keep("all", FRAME, FRAME, "subject") != first
    assert first.steps == ()


def test_records_leave_only_with_a_step() -> None:
    records = Records.read(FRAME).keep("first subject", FRAME["subject"] == "01")
    assert records.frame.index.tolist() == [0, 1]
    assert str(records.account) == (
        "read: 3 records of 2 subjects\n"
        "-> first subject: 2 records of 1 subject, 1 record dropped, 1 subject lost"
    )


def test_the_account_is_a_frame_too() -> None:
    frame = Records.read(FRAME).keep("none", [False] * 3, note="why").account.frame()
    assert frame["records"].tolist() == [3, 0]
    assert frame["dropped"].tolist() == [0, 3]
    assert frame["note"].tolist() == ["", "why"]


def test_large_counts_are_grouped() -> None:
    many = pd.DataFrame({"subject": range(1040)})
    assert "1,040 records of 1,040 subjects" in str(Records.read(many).account)
