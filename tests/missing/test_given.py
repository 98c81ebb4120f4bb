"""Data that were imputed elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from dropout_trial import MODEL, dropout_trial, dropouts

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.given import analyse_imputed, given_imputations
from trialmlm.missing.impute import impute

ANALYSIS = "CHG ~ BASE + ARM"
TRIAL = dropout_trial()
OURS = impute(
    TRIAL,
    model=MODEL,
    arm="ARM",
    events=dropouts(TRIAL, "jump-to-reference"),
    reference="PLACEBO",
    method="approximate-bayes",
    imputations=5,
    seed=2,
)
ADMI = OURS.completed()
COLUMNS = {
    "subject": "USUBJID",
    "visit": "AVISIT",
    "arm": "ARM",
    "value": "CHG",
    "imputation": "imputation",
}


@pytest.mark.parametrize("imputed", ["DTYPE", "imputed", None])
def test_ready_imputed_data_give_what_the_imputation_itself_gives(imputed: str | None) -> None:
    found = analyse_imputed(ADMI, ANALYSIS, **COLUMNS, imputed=imputed, control="PLACEBO")
    wanted = OURS.analyse(ANALYSIS).frame
    pd.testing.assert_frame_equal(found.frame, wanted, check_exact=False, rtol=1e-12)
    assert "imputed elsewhere" in str(found)


def test_the_order_of_rows_does_not_matter() -> None:
    shuffled = ADMI.sample(frac=1.0, random_state=3)
    found = analyse_imputed(shuffled, ANALYSIS, **COLUMNS, imputed="DTYPE").frame
    wanted = analyse_imputed(ADMI, ANALYSIS, **COLUMNS, imputed="DTYPE").frame
    pd.testing.assert_frame_equal(found, wanted, check_exact=True)


def test_ready_imputed_data_have_a_tipping_point() -> None:
    made = given_imputations(ADMI, **COLUMNS, imputed="DTYPE")
    asked = {"arms": ["DRUG"], "control": "PLACEBO", "limits": (-60.0, 60.0)}
    found = made.tipping_point(ANALYSIS, **asked)
    wanted = OURS.tipping_point(ANALYSIS, **asked)
    np.testing.assert_allclose(found.frame["delta"], wanted.frame["delta"], rtol=1e-9)
    assert np.isnan(found.mean_change)


def test_data_imputed_elsewhere_cannot_be_resampled() -> None:
    with pytest.raises(UsageError, match="cannot be imputed again"):
        analyse_imputed(ADMI, ANALYSIS, **COLUMNS, variance="jackknife")


def _first_of(d: pd.DataFrame, number: int) -> pd.Series:
    return (d["imputation"] == number) & (d["USUBJID"] == "S003")


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d[~_first_of(d, 3)], "values are missing, the first of USUBJID S003 at Week 2"),
        (
            lambda d: d.assign(CHG=d["CHG"].where(~_first_of(d, 2), d["CHG"] + 1.0)),
            "observed values of CHG differ between imputations",
        ),
        (lambda d: pd.concat([d, d[_first_of(d, 4)]]), "several rows for one visit"),
        (
            lambda d: d.assign(
                USUBJID=np.where(_first_of(d, 2), "S999", d["USUBJID"]),
            ),
            "USUBJID that the first imputation does not have",
        ),
        (lambda d: d.assign(CHG=d["CHG"].where(~_first_of(d, 5))), "in imputation 5"),
        (
            lambda d: d.assign(CHG=d["CHG"].astype(object).where(~_first_of(d, 5), "lost")),
            "values that are no number",
        ),
        (
            lambda d: d.assign(ARM=np.where(_first_of(d, 2), "DRUG", d["ARM"])),
            "ARM of a subject differs between imputations",
        ),
    ],
)
def test_imputations_that_differ_are_refused_with_the_rows(spoil: Any, message: str) -> None:
    with pytest.raises(DataError, match=message):
        given_imputations(spoil(ADMI), **COLUMNS, imputed="DTYPE")


def test_one_imputation_is_none_to_pool() -> None:
    with pytest.raises(UsageError, match="found 1 level of imputation, expected two or more"):
        given_imputations(ADMI[ADMI["imputation"] == 1], **COLUMNS)


def test_a_column_that_is_not_there_is_named() -> None:
    with pytest.raises(UsageError, match="IMPNUM"):
        given_imputations(ADMI, **{**COLUMNS, "imputation": "IMPNUM"})


@pytest.mark.parametrize("no", ["N", " ", None])
def test_a_flag_of_no_is_no_imputed_value(no: str | None) -> None:
    flagged = ADMI.assign(IMPFL=np.where(ADMI["imputed"], "Y", no))
    made = given_imputations(flagged, **COLUMNS, imputed="IMPFL")
    np.testing.assert_array_equal(made.layout.missing, OURS.layout.missing)
    shifted = made.analyse(ANALYSIS, control="PLACEBO", delta=1.0).frame
    wanted = OURS.analyse(ANALYSIS, delta=1.0).frame
    np.testing.assert_allclose(shifted["estimate"], wanted["estimate"], rtol=1e-12)


def test_a_covariate_that_was_imputed_as_well_is_not_taken_from_the_first_imputation() -> None:
    both = ADMI.assign(BASE=ADMI["BASE"] + ADMI["imputation"] * (ADMI["USUBJID"] == "S003"))
    made = given_imputations(both, **COLUMNS, imputed="DTYPE")
    with pytest.raises(UsageError, match="BASE differs between the imputations"):
        made.analyse(ANALYSIS)
    assert "BASE" not in made.layout.frame
    assert "left out: BASE" in made.notes[1]
    assert len(made.analyse("CHG ~ ARM").frame) == 9
