from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.completers import completers
from trialmlm.models.mmrm import mmrm

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


def test_the_mmrm_of_completers_is_that_of_r(study_data, reference):
    stored = (reference / "rbmi" / "plain_mmrm.json").read_text(encoding="utf-8")
    fact = json.loads(stored)["results"]["complete_case"]
    data = pd.read_csv(study_data / "antidepressant_data.csv").assign(
        VISIT=lambda d: d["VISIT"].astype(str)
    )
    finished = completers(data, subject="PATIENT", visit="VISIT", value="CHANGE", at="all")
    fit = mmrm("CHANGE ~ BASVAL * VISIT + THERAPY * VISIT + us(VISIT | PATIENT)", finished)
    assert (fit.n_subjects, fit.n_obs) == (fact["n_subjects"], fact["n_observations"])
    # the reference is refined to a gradient of 1e-9: estimates and SEs to about 1e-7
    rows = fit.ls_means("THERAPY", by="VISIT").contrasts("vs-control", control="PLACEBO").frame
    for _, row in rows.iterrows():
        own = fact["by_visit"][row["VISIT"]]["difference"]
        assert row["estimate"] == pytest.approx(own["est"], abs=1e-6)
        assert row["std_error"] == pytest.approx(own["se"], abs=1e-6)


def test_one_visit_is_asked_for_not_a_list_of_them():
    with pytest.raises(UsageError, match=r"at= found \[12\], expected 'all' or a visit"):
        completers(trial(), **KEYS, at=[12])


def test_data_without_rows_are_refused():
    with pytest.raises(DataError, match="the data have no rows"):
        completers(trial().head(0), **KEYS)
