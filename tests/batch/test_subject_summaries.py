"""Columns of the subjects against pandas, and attendance that adds up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from eventful_trial import DEATHS, LEFT, eventful_subjects, eventful_trial, inputs_of, measured

from trialmlm.batch.subject_summaries import attendance, summarise_columns
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

    from trialmlm.batch.inputs import Inputs
    from trialmlm.results.results import Results

ARMS = {"PBO": "Placebo", "LOW": "Low", "HIGH": "High"}
STATES = ("observed", "missing", "died", "left", "missed")


@pytest.fixture(scope="module")
def trial(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    return inputs_of(eventful_trial(tmp_path_factory.mktemp("subjects")))


@pytest.fixture(scope="module")
def attended(trial: Inputs) -> Results:
    return attendance(trial, "score", "all")


def _of(frame: pd.DataFrame, arm: str) -> pd.DataFrame:
    return frame[frame["TRT01P"] == ARMS[arm]] if arm else frame


def _n(results: Results, state: str, visit: str, arm: str = "") -> float | None:
    return results.value(
        analysis="attendance", quantity="count", endpoint="score", population="all",
        visit=visit, group=state, arm=arm, statistic="n",
    )  # fmt: skip


@pytest.mark.parametrize("arm", [*ARMS, ""])
def test_numbers_are_described_as_pandas_describes_them(trial: Inputs, arm: str) -> None:
    results = summarise_columns(trial, "efficacy", ("AGE",))
    ages = _of(eventful_subjects().query("EFFFL == 'Y'"), arm)["AGE"]
    expected = {"n": len(ages), "mean": ages.mean(), "sd": ages.std(), "median": ages.median(),
                "min": ages.min(), "max": ages.max()}  # fmt: skip
    keys = {"analysis": "subjects", "population": "efficacy", "quantity": "AGE", "arm": arm}
    found = {name: results.value(**keys, statistic=name) for name in expected}
    assert found == pytest.approx(expected)


@pytest.mark.parametrize("arm", [*ARMS, ""])
def test_levels_are_counted_as_pandas_counts_them(trial: Inputs, arm: str) -> None:
    results = summarise_columns(trial, "all", ("REASON",))
    reasons = _of(eventful_subjects(), arm)["REASON"]
    keys = {"analysis": "subjects", "population": "all", "quantity": "REASON", "arm": arm}
    counted = {level: results.value(**keys, group=level, statistic="n") for level in
               ("DEATH", "WITHDRAWAL")}  # fmt: skip
    assert counted == {level: (reasons == level).sum() for level in counted}
    assert results.value(**keys, statistic="n") == (reasons != "").sum()


def test_missing_numbers_are_left_out_and_an_arm_without_any_has_no_mean(tmp_path: Path) -> None:
    people = eventful_subjects().astype({"AGE": object})
    people.loc[people["TRT01P"] == "High", "AGE"] = ""
    people.loc[people["TRT01P"] == "Low", "AGE"] = ["", *[""] * 18, 61]
    results = summarise_columns(inputs_of(eventful_trial(tmp_path, adsl=people)), "all", ("AGE",))
    keys = {"analysis": "subjects", "population": "all", "quantity": "AGE"}
    assert results.value(**keys, arm="HIGH", statistic="n") == 0
    assert np.isnan(results.value(**keys, arm="HIGH", statistic="mean"))
    assert results.value(**keys, arm="LOW", statistic="mean") == 61
    assert np.isnan(results.value(**keys, arm="LOW", statistic="sd"))


@pytest.mark.parametrize(("values", "decimals"), [
    ([50, 60], 0), ([50.5, 60], 1), ([50.25, 60.5], 2), ([1 / 3, 2.0], 2), ([1e20, 2.0], 0),
])  # fmt: skip
def test_decimals_are_those_of_the_values_as_stored_and_at_most_two(
    tmp_path: Path, values: list[float], decimals: int
) -> None:
    people = eventful_subjects().assign(AGE=(values * 30)[:60])
    results = summarise_columns(inputs_of(eventful_trial(tmp_path, adsl=people)), "all", ("AGE",))
    keys = {"analysis": "subjects", "population": "all", "quantity": "AGE"}
    assert results.value(**keys, statistic="decimals") == decimals


def test_a_column_that_is_not_there_is_named(trial: Inputs) -> None:
    with pytest.raises(DataError, match="WEIGHT"):
        summarise_columns(trial, "all", ("WEIGHT",))


@pytest.mark.parametrize("visit", ["Week 4", "Week 8", "Week 12"])
@pytest.mark.parametrize("arm", [*ARMS, ""])
def test_observed_and_missing_add_up_to_the_subjects_and_reasons_to_the_missing(
    attended: Results, visit: str, arm: str
) -> None:
    n = {state: _n(attended, state, visit, arm) for state in STATES}
    assert n["observed"] + n["missing"] == len(_of(eventful_subjects(), arm))
    assert n["died"] + n["left"] + n["missed"] == n["missing"]
    made = measured().query("AVISIT == @visit")
    meant = set(_of(eventful_subjects(), arm)["USUBJID"])
    assert n["observed"] == made["USUBJID"].isin(meant).sum()


def test_all_arms_together_are_the_sum_of_the_arms(attended: Results) -> None:
    for visit in ("Week 4", "Week 8", "Week 12"):
        for state in STATES:
            assert _n(attended, state, visit) == sum(_n(attended, state, visit, a) for a in ARMS)


def _missing_at(visit: str) -> set[str]:
    return set(eventful_subjects()["USUBJID"]) - set(measured().query("AVISIT == @visit").USUBJID)


@pytest.mark.parametrize(("visit", "last"), [("Week 4", 43), ("Week 8", 71), ("Week 12", 99)])
def test_death_counts_before_leaving_and_both_by_the_end_of_the_window(
    attended: Results, visit: str, last: int
) -> None:
    missing = _missing_at(visit)
    died = {name for name, day in DEATHS.items() if day <= last and name in missing}
    left = {name for name, day in LEFT.items() if day < last and name in missing} - died
    assert _n(attended, "died", visit) == len(died)
    assert _n(attended, "left", visit) == len(left)


def test_somebody_died_and_somebody_left_in_this_trial(attended: Results) -> None:
    assert sum(_n(attended, "died", visit) or 0 for visit in ("Week 8", "Week 12")) > 0
    assert sum(_n(attended, "left", visit) or 0 for visit in ("Week 8", "Week 12")) > 0


def test_without_dates_of_death_and_leaving_every_missing_value_was_missed(
    tmp_path: Path,
) -> None:
    people = eventful_subjects().assign(DTHDT="", EOSDT="")
    results = attendance(inputs_of(eventful_trial(tmp_path, adsl=people)), "score", "all")
    for visit in ("Week 4", "Week 8", "Week 12"):
        assert (
            _n(results, "missed", visit) == _n(results, "missing", visit) == len(_missing_at(visit))
        )
