from __future__ import annotations

import pandas as pd
import pytest

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.dropout_times import dropout_times
from trialmlm.missing.patterns import missing_patterns
from trialmlm.time_to_event.kaplan_meier import kaplan_meier

KEYS = {"subject": "ID", "visit": "VISIT", "value": "Y"}


def trial(*patterns: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"ID": i, "VISIT": f"V{k}", "Y": 1.0 if letter == "O" else None, "ARM": "AB"[i % 2]}
            for i, pattern in enumerate(patterns)
            for k, letter in enumerate(pattern, start=1)
        ]
    ).astype({"VISIT": "category", "Y": float})


def test_a_subject_leaves_at_the_first_visit_after_the_last_one_seen():
    found = dropout_times(
        trial("OOO", "O..", "O.O", "OO.", "..."), times={"V1": 7, "V2": 14, "V3": 28}, **KEYS
    )
    assert found.to_numpy().tolist() == [[0, 28, 0], [1, 14, 1], [2, 28, 0], [3, 28, 1], [4, 7, 1]]


def test_the_curve_of_dropout_is_one_minus_the_share_missing_after_dropout(study_data):
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    keys = {"subject": "PATIENT", "visit": "VISIT", "value": "CHANGE", "arm": "THERAPY"}
    curve = kaplan_meier(dropout_times(data, **keys), time="time", event="dropout", arm="THERAPY")
    found = curve.at([5, 6, 7]).set_index(["arm", "time"])["survival"]
    by_visit = missing_patterns(data, **keys).by_visit.set_index(["arm", "visit"])
    for cell, share in found.items():
        gone = by_visit.loc[cell, "after_dropout_percent"]
        assert share == pytest.approx(1 - gone / 100, abs=1e-12)


@pytest.mark.parametrize(
    ("times", "error", "message"),
    [
        (None, UsageError, "VISIT is no number; name each visit's time"),
        ({"V1": 7, "V3": 28}, UsageError, "no time for V2"),
        ({"V1": 7, "V2": 7, "V3": 28}, DataError, "expected them to increase"),
    ],
)
def test_a_visit_without_its_time_is_named(times, error, message):
    with pytest.raises(error, match=message):
        dropout_times(trial("OOO", "O.."), times=times, **KEYS)
