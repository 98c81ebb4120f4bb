from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import DataError, FitError, UsageError
from trialmlm.missing.dropout_model import dropout_model

FACTS = Path(__file__).parents[2] / "validation" / "missing" / "facts.json"
KEYS = {"subject": "ID", "visit": "WEEK", "value": "Y"}


def trial(*subjects: str) -> pd.DataFrame:
    """Weeks 4, 8, 12; the value at each is told by its letters, and missing at a dot."""
    return pd.DataFrame(
        [
            {"ID": i, "WEEK": week, "Y": np.nan if letter == "." else float(letter), "B": i % 3}
            for i, text in enumerate(subjects)
            for week, letter in zip((4, 8, 12), text, strict=True)
        ]
    )


def test_the_antidepressant_trial_gives_what_r_s_glm_gives(study_data):
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    keys = {"subject": "PATIENT", "visit": "VISIT", "value": "CHANGE", "arm": "THERAPY"}
    found = dropout_model(data, covariates=["BASVAL"], **keys)
    fact = json.loads(FACTS.read_text(encoding="utf-8"))["dropout_model"]
    assert found.frame["term"].tolist() == [
        "(Intercept)", "last", "VISIT5", "VISIT6", "THERAPYPLACEBO", "BASVAL",
    ]  # fmt: skip
    # both at the optimum of the same likelihood: glm's epsilon is 1e-14
    for column in ("estimate", "std_error", "p_value"):
        np.testing.assert_allclose(found.frame[column], fact[column], rtol=1e-8)
    assert found.minus2_loglik == pytest.approx(fact["deviance"], rel=1e-12)
    assert found.notes == ()


def test_a_subject_is_at_risk_after_every_visit_up_to_the_last_but_the_final_one():
    rows = dropout_model(trial("123", "4..", "56.", "7.8", "99.", "888"), formula="~ 1", **KEYS)
    assert rows.at_risk[["ID", "WEEK", "leaves"]].to_numpy().tolist() == [
        [0, 4, 0], [0, 8, 0],
        [1, 4, 1],
        [2, 4, 0], [2, 8, 1],
        [3, 4, 0], [3, 8, 0],
        [4, 4, 0], [4, 8, 1],
        [5, 4, 0], [5, 8, 0],
    ]  # fmt: skip
    assert rows.frame["estimate"].tolist() == pytest.approx([np.log(3 / 8)])


def test_over_a_gap_the_last_value_is_the_one_before_it():
    rows = dropout_model(trial("7.8", "4..", "12."), formula="~ 1", **KEYS).at_risk
    own = rows[rows["ID"] == 0]
    assert own["last"].tolist() == [7.0, 7.0]
    assert own["previous"].isna().all()
    assert rows.loc[rows["ID"] == 2, "previous"].tolist() == pytest.approx(
        [np.nan, 1.0], nan_ok=True
    )


def test_subjects_without_a_value_are_told():
    found = dropout_model(trial("123", "4..", "..."), formula="~ 1", **KEYS)
    assert found.notes == ("1 subjects without any value are never at risk",)


def test_odds_ratios_are_those_of_the_estimates():
    frame = dropout_model(trial("123", "4..", "32.", "21.", "5.1"), formula="~ last", **KEYS).frame
    for odds, log in (("odds_ratio", "estimate"), ("odds_ratio_low", "ci_low")):
        np.testing.assert_allclose(frame[odds], np.exp(frame[log]))


def test_a_term_that_separates_is_named():
    with pytest.raises(FitError, match="last separate those who leave from those who stay"):
        dropout_model(trial("123", "9..", "13.", "22."), formula="~ last", **KEYS)


@pytest.mark.parametrize(("subjects", "word"), [(("123", "321"), "nobody"), (("1..",), "everyb")])
def test_without_both_kinds_of_subjects_there_is_no_model(subjects, word):
    with pytest.raises(FitError, match=word):
        dropout_model(trial(*subjects), formula="~ 1", **KEYS)


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"covariates": ["BASE"]}, UsageError, "no column 'BASE'"),
        ({"WEEK": 4, "ID": range(6)}, {}, UsageError, "WEEK has one visit"),
        ({"last": 1.0}, {"covariates": ["last"]}, UsageError, "rename it"),
        ({}, {"formula": "Y ~ last"}, UsageError, "expected the right side alone"),
        ({}, {"covariates": ["Y"]}, DataError, "Y varies within ID"),
        ({}, {"confidence": 95}, UsageError, "expected a number between 0 and 1"),
    ],
)
def test_wrong_arguments_are_named(change, options, error, message):
    with pytest.raises(error, match=message):
        dropout_model(trial("123", "4..").assign(**change), **KEYS, **options)
