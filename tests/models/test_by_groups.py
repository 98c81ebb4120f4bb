"""BY-groups are the analysis of each group's rows, and a failure stays where it happened."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from trials import random_trial

import trialmlm as tm
from trialmlm.errors import FitError, UsageError

FORMULA = "CHG ~ BASE + ARMCD * AVISIT + us(AVISIT | USUBJID)"


def several():
    """Three parameters; the second has a constant response."""
    parts = [
        random_trial(seed).frame.assign(PARAMCD=name, REGION=region)
        for seed, name, region in ((1, "FVC", "EU"), (2, "FLAT", "EU"), (3, "ABC", "US"))
    ]
    parts[1]["CHG"] = 1.0
    return pd.concat(parts, ignore_index=True)


def fitted(rows):
    return tm.mmrm(FORMULA, rows)


def test_every_group_is_analysed_by_itself_in_order():
    data = several()
    fits = tm.by_groups(data, by="PARAMCD", fit=fitted)
    assert list(fits) == ["ABC", "FVC"]
    assert len(fits) == 2
    assert "FVC" in fits
    assert "FLAT" not in fits
    alone = tm.mmrm(FORMULA, data[data["PARAMCD"] == "FVC"])
    pd.testing.assert_frame_equal(fits["FVC"].coefficients(), alone.coefficients())
    table = fits.coefficients()
    own = table[table["PARAMCD"] == "FVC"].drop(columns="PARAMCD").reset_index(drop=True)
    pd.testing.assert_frame_equal(own, alone.coefficients())


def test_one_failure_stops_no_other_and_has_its_reason():
    fits = tm.by_groups(several(), by=["PARAMCD"], fit=fitted)
    reasons = fits.reasons()
    assert reasons["PARAMCD"].tolist() == ["FLAT"]
    assert "no variation is left" in reasons["reason"][0]
    with pytest.raises(FitError, match="PARAMCD FLAT: the fixed effects reproduce"):
        _ = fits["FLAT"]
    with pytest.raises(KeyError):
        _ = fits["NONE"]


def test_frames_carry_the_columns_that_make_the_groups():
    fits = tm.by_groups(several(), by=("REGION", "PARAMCD"), fit=fitted)
    assert list(fits) == [("EU", "FVC"), ("US", "ABC")]
    means = fits.ls_means("ARMCD", by="AVISIT", weights="observed-margins")
    assert means.columns[:4].tolist() == ["REGION", "PARAMCD", "ARMCD", "AVISIT"]
    assert len(means) == 12
    differences = fits.frame(lambda fit: fit.ls_means("ARMCD", "AVISIT").contrasts().frame)
    one = fits["US", "ABC"].ls_means("ARMCD", "AVISIT").contrasts().frame
    np.testing.assert_array_equal(differences["estimate"].tail(3), one["estimate"])


def test_other_models_and_other_formulas_by_group():
    fits = tm.by_groups(several(), by="REGION", fit=lambda rows: tm.ancova("CHG ~ BASE", rows))
    assert len(fits.coefficients()) == 4


def test_all_may_fail_and_a_wrong_request_is_an_error():
    data = several().assign(CHG=2.0)
    fits = tm.by_groups(data, by="PARAMCD", fit=fitted)
    assert len(fits) == 0
    assert fits.coefficients().empty
    assert len(fits.reasons()) == 3
    with pytest.raises(UsageError, match="no column SITE"):
        tm.by_groups(data, by="SITE", fit=fitted)
    with pytest.raises(UsageError, match="by is empty"):
        tm.by_groups(data, by=[], fit=fitted)
    with pytest.raises(UsageError, match="found 'guess'"):
        tm.by_groups(data, by="PARAMCD", fit=lambda rows: tm.mmrm(FORMULA, rows, df="guess"))
    by_arm = tm.by_groups(several(), by="ARMCD", fit=lambda rows: tm.ancova("CHG ~ BASE", rows))
    with pytest.raises(UsageError, match="ARMCD is a column of the frame"):
        by_arm.frame(lambda fit: fit.coefficients().assign(ARMCD=1))
