from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import kruskal, rankdata

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.rank_ancova import rank_ancova

FACTS = Path(__file__).parents[2] / "validation" / "missing" / "facts.json"
KEYS = {"value": "CHG", "arm": "ARM"}


@pytest.fixture(scope="module")
def facts():
    stored = json.loads(FACTS.read_text(encoding="utf-8"))
    return stored["rank_ancova"]


@pytest.fixture(scope="module")
def with_deaths(study_data):
    """The antidepressant trial; who left before visit 6 is taken for dead, as in facts.R."""
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    who = ["PATIENT", "THERAPY", "BASVAL", "GENDER"]
    wide = data.pivot_table(index=who, columns="VISIT", values="CHANGE").reset_index()
    last = data.groupby("PATIENT")["VISIT"].max().reindex(wide["PATIENT"]).to_numpy()
    return wide.rename(columns={7: "CHG", "THERAPY": "ARM"}).assign(
        DIED=np.where(last <= 5, 7.0 * last, np.nan)
    )


@pytest.mark.parametrize(
    ("strata", "ranks", "scores"),
    [(None, "ranks", "mean_scores"), ("GENDER", "strata_ranks", "strata_mean_scores")],
)
def test_ranks_with_deaths_worst_give_what_r_gives(with_deaths, facts, strata, ranks, scores):
    found = rank_ancova(
        with_deaths, covariates=["BASVAL"], died="DIED", better="lower", strata=strata,
        control="PLACEBO", **KEYS,
    )  # fmt: skip
    row = found.frame.iloc[0]
    assert row["contrast"] == "DRUG - PLACEBO"
    assert len(found.subjects) == facts[ranks]["n"]
    # closed forms of 152 ranks: rounding only
    for column in ("estimate", "std_error", "df", "p_value"):
        assert row[column] == pytest.approx(facts[ranks][column], rel=1e-9)
    for column in ("statistic", "df", "p_value"):
        assert found.mean_scores[column].iloc[0] == pytest.approx(facts[scores][column], rel=1e-9)


def trial(**columns: list) -> pd.DataFrame:
    made = {"CHG": [5.0, 1.0, 3.0, np.nan, np.nan, np.nan, 3.0], "ARM": list("ABABABA")}
    return pd.DataFrame(made | columns, index=list("abcdefg"))


def test_the_earliest_death_is_worst_then_the_missing_then_the_lowest_value():
    data = trial(DTHDY=[np.nan, np.nan, np.nan, 90.0, 30.0, np.nan, np.nan])
    found = rank_ancova(data, died="DTHDY", missing="worst", **KEYS).subjects
    ranks = (8 * found["rank"]).round(9).to_dict()
    assert ranks == {"e": 1, "d": 2, "f": 3, "b": 4, "c": 5.5, "g": 5.5, "a": 7}
    assert found["status"].to_dict() == {
        "a": "observed", "b": "observed", "c": "observed", "d": "died", "e": "died",
        "f": "missing", "g": "observed",
    }  # fmt: skip


def test_a_value_of_who_died_does_not_count():
    data = trial(DTHDY=[10.0, *[np.nan] * 6])
    found = rank_ancova(data, died="DTHDY", **KEYS)
    assert found.subjects["rank"].idxmin() == "a"
    assert found.notes == (
        "1 subjects who died are ranked lowest, the earliest death lowest of all",
        "3 subjects alive without a value are not ranked, and not used",
    )


def test_a_lower_value_is_the_better_rank_where_it_is_said_so():
    higher = rank_ancova(trial(), **KEYS).subjects["rank"]
    lower = rank_ancova(trial(), better="lower", **KEYS).subjects["rank"]
    pd.testing.assert_series_equal(higher, 1.0 - lower)


def test_without_covariates_three_arms_give_the_test_of_kruskal_and_wallis():
    rng = np.random.default_rng(5)
    data = pd.DataFrame(
        {"CHG": rng.integers(0, 9, 40).astype(float), "ARM": rng.choice(list("ABC"), 40)}
    )
    found = rank_ancova(data, **KEYS)
    expected = kruskal(*(own["CHG"] for _, own in data.groupby("ARM")))
    row = found.mean_scores.iloc[0]
    assert row["df"] == 2
    assert row["statistic"] == pytest.approx(expected.statistic, rel=1e-12)
    assert row["p_value"] == pytest.approx(expected.pvalue, rel=1e-10)
    assert found.frame["contrast"].tolist() == ["B - A", "C - A"]


def test_numbers_as_strata_are_levels_and_ranks_are_made_within_them():
    rng = np.random.default_rng(6)
    data = pd.DataFrame(
        {"CHG": rng.normal(size=30), "ARM": list("AB") * 15, "SITE": [1, 2, 30] * 10}
    )
    found = rank_ancova(data, strata="SITE", **KEYS)
    assert found.frame["df"].iloc[0] == 30 - 4
    for _, own in data.groupby("SITE"):
        np.testing.assert_allclose(found.subjects.loc[own.index, "rank"], rankdata(own["CHG"]) / 11)


def test_covariates_that_are_missing_are_counted():
    data = trial(
        BASE=[1.0, 2.0, np.nan, 4.0, 5.0, 6.0, 7.0], DTHDY=[*[np.nan] * 3, 9.0, 8.0, 7.0, np.nan]
    )
    found = rank_ancova(data, covariates=["BASE"], died="DTHDY", **KEYS)
    assert found.notes[-1] == "1 of 7 ranked subjects not used: BASE missing in 1"


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({}, {"better": "up"}, UsageError, "better= found 'up', expected one of higher, lower"),
        ({}, {"missing": "drop"}, UsageError, "expected one of exclude, worst"),
        ({}, {"died": "DTHDY"}, UsageError, "no column 'DTHDY'"),
        ({"rank": list("ABABABA")}, {"arm": "rank"}, UsageError, "rename it"),
        ({"CHG": [np.inf] * 7}, {}, DataError, "CHG is infinite in 7 rows"),
        ({"ARM": [None, *"BABABA"]}, {}, DataError, "ARM is missing in 1 rows"),
    ],
)
def test_wrong_input_is_named(change, options, error, message):
    with pytest.raises(error, match=message):
        rank_ancova(trial(**change), **{**KEYS, **options})
