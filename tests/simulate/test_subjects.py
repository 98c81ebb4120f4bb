from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.simulate import SimulatedTrial, simulate_course
from trialmlm.simulate.ipf_fvc.subjects import predicted_fvc


@settings(deadline=None, max_examples=20)
@given(placebo=st.integers(2, 80), active=st.integers(2, 80), seed=st.integers(0, 999))
def test_the_arms_have_the_sizes_asked_for(placebo: int, active: int, seed: int) -> None:
    arm = simulate_course("default", seed, (placebo, active)).subjects.arm
    assert np.bincount(arm).tolist() == [placebo, active]


def test_arms_are_balanced_within_the_strata(trial: SimulatedTrial) -> None:
    adsl = trial.datasets["adsl"]
    counts = adsl.groupby(["STRATAR1", "STRATAR2"])["TRT01PN"].agg(["size", "sum"])
    active = counts["sum"] - counts["size"]
    assert (active - counts["size"] * 309 / 513).abs().max() <= 1


def test_predicted_fvc_is_that_of_ecsc_1993() -> None:
    found = predicted_fvc(np.array([True, False]), np.array([60.0, 60.0]), np.array([170.0, 160.0]))
    assert found == pytest.approx([3892, 2638], abs=0.5)


def test_predicted_fvc_can_be_made_again_from_adsl(trial: SimulatedTrial) -> None:
    adsl = trial.datasets["adsl"]
    male = (adsl["SEX"] == "M").to_numpy()
    age, height = (adsl[name].to_numpy(dtype=float) for name in ("AGE", "HEIGHT"))
    predicted = predicted_fvc(male, age, height)
    assert np.abs(predicted - adsl["FVCPRED"]).max() <= 0.0501
    assert np.abs(100 * adsl["FVCBL"] / predicted - adsl["FVCPBL"]).max() <= 0.0501


def test_few_sites_recruit_most_subjects_over_eighteen_months(trial: SimulatedTrial) -> None:
    adsl = trial.datasets["adsl"]
    sizes = adsl["SITEID"].value_counts()
    assert 50 <= len(sizes) <= 60
    assert sizes.head(20).sum() > len(adsl) / 2
    span = adsl["RANDDT"].max() - adsl["RANDDT"].min()
    assert pd.Timedelta(days=500) < span < pd.Timedelta(days=549)


def test_subjects_are_numbered_within_their_site_in_order_of_first_dose(
    trial: SimulatedTrial,
) -> None:
    adsl = trial.datasets["adsl"]
    assert adsl["USUBJID"].is_unique
    assert adsl["USUBJID"].is_monotonic_increasing
    for _, site in adsl.groupby("SITEID"):
        assert site["TRTSDT"].is_monotonic_increasing
        assert (site["STRATAR1"] == site["STRATAR1"].iloc[0]).all()
