from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.simulate import SimulatedTrial, simulate_trial

if TYPE_CHECKING:
    import pandas as pd


def _observed(trial: SimulatedTrial) -> pd.DataFrame:
    """The truth beside the FVC observed."""
    adfvc = trial.datasets["adfvc"]
    fvc = adfvc.loc[adfvc["PARAMCD"] == "FVC", ["USUBJID", "AVISIT", "AVAL", "ADY"]]
    return trial.latent.merge(fvc, how="left", on=["USUBJID", "AVISIT"], suffixes=("", "_FVC"))


def test_what_is_observed_is_the_truth_and_an_error(trial: SimulatedTrial) -> None:
    both = _observed(trial)
    seen = both[both["OBSERVED"] == "Y"]
    assert (seen["AVAL"] == seen["MEASURABLE"]).all()
    assert (seen["AVAL"] - seen["TRUE_FVC"] - seen["ERROR"]).abs().max() <= 0.501
    assert (seen["ADY"] == seen["ADY_FVC"]).all()


def test_nothing_is_observed_that_did_not_take_place(trial: SimulatedTrial) -> None:
    both = _observed(trial)
    assert (both["AVAL"].notna() == (both["OBSERVED"] == "Y")).all()
    assert (both.loc[both["OBSERVED"] == "Y", ["ALIVE", "IN_STUDY"]] == "Y").all(axis=None)
    assert (both.loc[both["ALIVE"] == "N", "IN_STUDY"] == "N").all()


def test_every_subject_has_the_truth_of_every_visit(trial: SimulatedTrial) -> None:
    assert len(trial.latent) == 8 * len(trial.datasets["adsl"])
    numbers = trial.latent.select_dtypes("number")
    assert np.isfinite(numbers.to_numpy()).all()


def test_the_worlds_part_only_when_drug_is_stopped(trial: SimulatedTrial) -> None:
    latent = trial.latent
    ever_off = latent["USUBJID"].isin(latent.loc[latent["ON_DRUG"] == "N", "USUBJID"])
    kept = latent[~ever_off]
    last = latent.groupby("USUBJID").tail(1)["USUBJID"]
    assert len(last) == len(trial.datasets["adsl"])
    stayed = kept["TRUE_FVC"] - kept["TRUE_FVC_ON_DRUG"]
    assert (stayed == 0).mean() > 0.99
    placebo = latent[latent["TRT01P"] == "Placebo"]
    assert (placebo["TRUE_FVC"] == placebo["TRUE_FVC_OFF_DRUG"]).all()
    assert (placebo["TRUE_FVC"] == placebo["TRUE_FVC_ON_DRUG"]).all()


def test_drug_helps_most_who_stays_on_it() -> None:
    latent = simulate_trial("default", 2).latent
    end = latent[(latent["AVISIT"] == "Week 52") & (latent["TRT01P"] != "Placebo")]
    mean = end[["TRUE_FVC_OFF_DRUG", "TRUE_FVC", "TRUE_FVC_ON_DRUG"]].mean().tolist()
    assert mean == sorted(mean)
    assert 120 < mean[2] - mean[0] < 150


def test_under_null_no_world_differs() -> None:
    latent = simulate_trial("null", 2).latent
    assert (latent["TRUE_FVC"] == latent["TRUE_FVC_ON_DRUG"]).all()
    assert (latent["TRUE_FVC"] == latent["TRUE_FVC_OFF_DRUG"]).all()
