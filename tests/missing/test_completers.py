from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import UsageError
from trialmlm.missing.completers import completers

KEYS = {"subject": "USUBJID", "visit": "AVISITN", "value": "AVAL"}


def trial() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "USUBJID": ["early", "early", "late", "late", "all", "all", "all"],
            "AVISITN": [4, 12, 4, 12, 4, 8, 12],
            "AVAL": [1.0, np.nan, np.nan, 2.0, 3.0, 4.0, 5.0],
        }
    )


def test_completers_are_observed_at_the_last_visit():
    assert set(completers(trial(), **KEYS)["USUBJID"]) == {"late", "all"}


def test_the_visit_can_be_named():
    assert set(completers(trial(), **KEYS, at=4)["USUBJID"]) == {"early", "all"}


def test_all_visits_can_be_asked_for():
    assert set(completers(trial(), **KEYS, at="all")["USUBJID"]) == {"all"}


def test_their_rows_come_back_as_they_stand():
    data = trial().sample(frac=1, random_state=1)
    found = completers(data, **KEYS)
    pd.testing.assert_frame_equal(found, data[data["USUBJID"] != "early"])


def test_the_last_category_is_the_last_visit():
    data = trial()
    data["AVISITN"] = pd.Categorical(data["AVISITN"], categories=[12, 8, 4, 0])
    assert set(completers(data, **KEYS)["USUBJID"]) == {"early", "all"}


def test_text_visits_have_no_last_one_but_can_be_named():
    data = trial().assign(AVISITN=lambda d: "Week " + d["AVISITN"].astype(str))
    with pytest.raises(UsageError, match="have no order"):
        completers(data, **KEYS)
    assert set(completers(data, **KEYS, at="Week 8")["USUBJID"]) == {"all"}


@pytest.mark.parametrize(
    ("options", "message"),
    [({"at": 24}, "found 24, expected"), ({"value": "CHG"}, "no column 'CHG'")],
)
def test_what_is_not_there_is_named(options, message):
    with pytest.raises(UsageError, match=message):
        completers(trial(), **{**KEYS, **options})


@settings(max_examples=30, deadline=None)
@given(st.lists(st.lists(st.booleans(), min_size=3, max_size=3), min_size=1, max_size=6))
def test_completers_of_completers_are_themselves(seen):
    data = pd.DataFrame(
        [
            {"USUBJID": i, "AVISITN": visit, "AVAL": 1.0 if there else np.nan}
            for i, own in enumerate(seen)
            for visit, there in enumerate(own)
        ]
    )
    found = completers(data, **KEYS, at="all")
    assert set(found["USUBJID"]) == {i for i, own in enumerate(seen) if all(own)}
    if len(found):
        pd.testing.assert_frame_equal(completers(found, **KEYS, at="all"), found)
