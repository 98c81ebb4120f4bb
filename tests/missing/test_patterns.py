from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.patterns import KINDS, kind_of, missing_patterns

KEYS = {"subject": "USUBJID", "visit": "AVISITN", "value": "CHG", "visits": [4, 8, 12]}


def trial(*patterns: str, arms: str = "") -> pd.DataFrame:
    """A subject per pattern; every second missing visit has a row without a value."""
    rows = [
        {"USUBJID": f"S{i:02d}", "ARM": (arms or "P" * 99)[i], "AVISITN": visit, "CHG": value}
        for i, pattern in enumerate(patterns)
        for k, (visit, letter) in enumerate(zip((4, 8, 12), pattern, strict=True))
        for value in [1.0 if letter == "O" else np.nan]
        if letter == "O" or k % 2 == 0 or pattern == "..."
    ]
    return pd.DataFrame(rows)


texts = st.lists(st.text("O.", min_size=3, max_size=3), min_size=1, max_size=12)


@settings(max_examples=60, deadline=None)
@given(patterns=texts)
def test_every_subject_is_counted_once_in_its_own_pattern(patterns):
    found = missing_patterns(trial(*patterns), **KEYS)
    assert found.subjects["pattern"].tolist() == patterns
    counted = dict(zip(found.frame["pattern"], found.frame["n"], strict=True))
    assert counted == {text: patterns.count(text) for text in patterns}
    assert found.frame["percent"].sum() == pytest.approx(100.0)


@settings(max_examples=60, deadline=None)
@given(patterns=texts)
def test_a_visit_is_observed_or_a_gap_or_after_dropout(patterns):
    by_visit = missing_patterns(trial(*patterns), **KEYS).by_visit
    cells = by_visit[["observed", "intermittent", "after_dropout"]].to_numpy()
    assert (cells.sum(axis=1) == len(patterns)).all()
    for k in range(3):
        assert cells[k].tolist() == [
            sum(text[k] == "O" for text in patterns),
            sum(text[k] == "." and "O" in text[k:] for text in patterns),
            sum("O" not in text[k:] for text in patterns),
        ]


def test_kinds_are_told_by_what_follows_the_first_gap():
    found = ["OOO", "OO.", "O..", "O.O", ".OO", ".O.", "..."]
    kinds = ["complete", "monotone", "monotone", *["intermittent"] * 3, "never observed"]
    assert [kind_of(text) for text in found] == kinds
    assert set(kinds) == set(KINDS)


def test_patterns_are_listed_complete_first_then_by_dropout_then_by_frequency():
    data = trial("O.O", "...", "O..", ".OO", "OO.", ".OO", "OOO")
    assert missing_patterns(data, **KEYS).frame["pattern"].tolist() == [
        "OOO", "OO.", "O..", ".OO", "O.O", "...",
    ]  # fmt: skip


def test_arms_are_counted_apart_and_together():
    found = missing_patterns(trial("OOO", "O..", "OOO", arms="ABA"), arm="ARM", **KEYS)
    rows = found.frame[["pattern", "arm", "n", "percent"]].to_numpy().tolist()
    assert rows[:3] == [
        ["OOO", "A", 2, 100.0],
        ["OOO", "B", 0, 0.0],
        ["OOO", "all arms", 2, pytest.approx(200 / 3)],
    ]
    at_8 = found.by_visit[found.by_visit["visit"] == 8]
    assert dict(zip(at_8["arm"], at_8["after_dropout_percent"], strict=True)) == {
        "A": 0.0, "B": 100.0, "all arms": pytest.approx(100 / 3),
    }  # fmt: skip


def test_reasons_are_counted_at_the_first_visit_missed():
    data = trial("OOO", "O..", "OO.", "O..", "OO.")
    reasons = pd.DataFrame({"USUBJID": ["S01", "S03"], "DCSREAS": ["DEATH", "ADVERSE EVENT"]})
    found = missing_patterns(data, reason=reasons, **KEYS)
    assert found.by_reason.drop(columns="percent").to_numpy().tolist() == [
        ["all subjects", "ADVERSE EVENT", 8, 1],
        ["all subjects", "DEATH", 8, 1],
        ["all subjects", "not given", 12, 2],
    ]
    column = data.merge(reasons, how="left", on="USUBJID")
    again = missing_patterns(column, reason="DCSREAS", **KEYS)
    pd.testing.assert_frame_equal(found.by_reason, again.by_reason)


def test_a_reason_of_a_subject_who_stayed_is_told_and_not_counted():
    reasons = pd.DataFrame({"USUBJID": ["S00"], "DCSREAS": ["LACK OF EFFICACY"]})
    found = missing_patterns(trial("OOO", "OO."), reason=reasons, **KEYS)
    assert found.by_reason["reason"].tolist() == ["not given"]
    assert "1 subjects have a reason for leaving" in found.notes[0]


def test_the_last_visit_and_the_first_missed_stand_beside_each_subject():
    found = missing_patterns(trial("OOO", "O..", "...", "O.O"), **KEYS).subjects
    assert found["last_visit"].tolist() == [12, 4, None, 12]
    assert found["first_missed"].tolist() == [None, 8, 4, None]


def test_the_antidepressant_trial_shows_the_patterns_counted_in_its_file(study_data):
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    keys = {"subject": "PATIENT", "visit": "VISIT", "value": "CHANGE", "arm": "THERAPY"}
    frame = missing_patterns(data, **keys).frame
    counts = data.groupby("PATIENT")["VISIT"].agg(lambda v: "".join(map(str, sorted(v))))
    by_file = {"4567": "OOOO", "456": "OOO.", "45": "OO..", "4": "O...", "467": "O.OO"}
    expected = {by_file[text]: n for text, n in counts.value_counts().items()}
    everyone = frame[frame["arm"] == "all arms"]
    assert dict(zip(everyone["pattern"], everyone["n"], strict=True)) == expected
    assert expected["OOOO"] == 128


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({}, {"value": "AVAL"}, "no column 'AVAL'"),
        ({"CHG": "low"}, {}, "expected a column of numbers"),
        ({}, {"reason": "DCSREAS"}, "no column 'DCSREAS'"),
        ({}, {"reason": pd.DataFrame({"ID": ["S00"]})}, "expected two columns, USUBJID and"),
    ],
)
def test_a_wrong_argument_is_named(change, options, message):
    with pytest.raises(UsageError, match=message):
        missing_patterns(trial("OOO").assign(**change), **{**KEYS, **options})


@pytest.mark.parametrize(
    ("change", "options", "message"),
    [
        ({"CHG": [1.0, np.inf, 1.0]}, {}, "CHG is infinite in 1 rows"),
        ({"ARM": ["A", "B", "A"]}, {"arm": "ARM"}, "ARM varies within USUBJID"),
        ({"ARM": ["A", None, "A"]}, {"arm": "ARM"}, "ARM is missing in 1 rows"),
        ({"R": ["AE", "DEATH", ""]}, {"reason": "R"}, "several values of R"),
        (
            {},
            {"reason": pd.DataFrame({"USUBJID": ["S77"], "R": ["AE"]})},
            "1 subjects of whom the data have no row",
        ),
    ],
)
def test_data_that_contradict_themselves_are_refused_and_listed(change, options, message):
    with pytest.raises(DataError, match=message) as refused:
        missing_patterns(trial("OOO").assign(**change), **{**KEYS, **options})
    assert len(refused.value.rows)
