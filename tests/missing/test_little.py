from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.little import little_test

VALIDATION = Path(__file__).parents[2] / "validation"
KEYS = {"subject": "PATIENT", "visit": "VISIT", "value": "CHANGE"}


@pytest.fixture(scope="module")
def facts():
    return json.loads((VALIDATION / "missing" / "facts.json").read_text(encoding="utf-8"))["little"]


@pytest.fixture(scope="module")
def trial(study_data):
    return pd.read_csv(study_data / "antidepressant_data.csv")


def assert_fact(row, fact):
    assert row["df"] == fact["df"]
    # the fact's EM stops at steps of 1e-13, which leaves it 1e-11 short of the optimum
    assert row["statistic"] == pytest.approx(fact["statistic"], rel=1e-8)
    assert row["p_value"] == pytest.approx(fact["p_value"], rel=1e-7)


def dense(Y: np.ndarray, mean: np.ndarray, covariance: np.ndarray) -> float:
    """d² subject by subject: the mean of a pattern written as a sum over its subjects."""
    total = 0.0
    for i in range(len(Y)):
        own = ~np.isnan(Y[i])
        alike = (~np.isnan(Y) == own).all(axis=1)
        apart = np.nanmean(Y[alike][:, own], axis=0) - mean[own]
        total += apart @ np.linalg.inv(covariance[np.ix_(own, own)]) @ apart
    return total


def test_air_quality_gives_35_1_on_14_degrees_of_freedom(facts):
    data = pd.read_csv(VALIDATION / "data" / "airquality.csv")
    found = little_test(data, value=list(data.columns))
    row = found.frame.iloc[0]
    assert_fact(row, facts["airquality"])
    # naniar 1.1 tests its mcar_test against 35.1061288689702, from an EM that stops at steps of
    # 1e-4; its documentation prints 35.1, 14, 0.00142 and 4 patterns
    assert row["statistic"] == pytest.approx(35.1061288689702, abs=1e-4)
    assert (round(row["statistic"], 1), row["df"], round(row["p_value"], 5)) == (35.1, 14, 0.00142)
    assert row["n_patterns"] == 4
    assert found.patterns["pattern"].tolist() == ["OOOOOO", "O.OOOO", ".OOOOO", "..OOOO"]
    assert found.patterns["n"].tolist() == [111, 5, 35, 2]


def test_the_antidepressant_trial_gives_what_em_in_r_gives(trial, facts):
    assert_fact(little_test(trial, **KEYS).frame.iloc[0], facts["antidepressant"])


def test_the_baseline_joins_as_a_variable(trial, facts):
    found = little_test(trial, covariates=["BASVAL"], **KEYS)
    assert found.variables[-1] == "BASVAL"
    assert_fact(found.frame.iloc[0], facts["with_baseline"])


def test_arms_are_tested_apart_and_added_up(trial, facts):
    frame = little_test(trial, arm="THERAPY", **KEYS).frame.set_index("arm")
    for arm in ("DRUG", "PLACEBO"):
        assert_fact(frame.loc[arm], facts[arm])
    total = frame.loc["sum over arms"]
    assert total["statistic"] == pytest.approx(frame["statistic"].iloc[:2].sum(), rel=1e-12)
    assert total["df"] == 15
    assert total["n_subjects"] == 172


def test_the_statistic_is_the_dense_formula_at_the_optimum(trial):
    wide = trial.pivot_table(index="PATIENT", columns="VISIT", values="CHANGE").to_numpy()
    mean, covariance = np.nanmean(wide, axis=0), np.eye(4)
    for _ in range(60):
        mean, covariance = em_step(wide, mean, covariance)
    found = little_test(trial, **KEYS).frame["statistic"].iloc[0]
    # 60 steps of EM, each of which leaves a third of the way, end at rounding
    assert found == pytest.approx(dense(wide, mean, covariance), rel=1e-8)


def em_step(Y, mean, covariance):
    filled, extra = Y.copy(), np.zeros_like(covariance)
    for i in range(len(Y)):
        seen = ~np.isnan(Y[i])
        gap = np.ix_(~seen, seen)
        slope = covariance[gap] @ np.linalg.inv(covariance[np.ix_(seen, seen)])
        filled[i, ~seen] = mean[~seen] + slope @ (Y[i, seen] - mean[seen])
        extra[np.ix_(~seen, ~seen)] += covariance[np.ix_(~seen, ~seen)] - slope @ covariance[gap].T
    centred = filled - filled.mean(axis=0)
    return filled.mean(axis=0), (centred.T @ centred + extra) / len(Y)


def test_units_and_the_order_of_rows_do_not_matter(trial):
    once = little_test(trial, **KEYS).frame
    other = trial.sample(frac=1, random_state=1).assign(CHANGE=lambda d: 1e4 + 1e3 * d["CHANGE"])
    again = little_test(other, **KEYS).frame
    # the engine's optimum is 1e-9 standard errors sharp
    np.testing.assert_allclose(again["statistic"], once["statistic"], rtol=1e-7)


def test_rows_per_visit_and_columns_per_visit_say_the_same(trial):
    wide = trial.pivot_table(index="PATIENT", columns="VISIT", values="CHANGE").reset_index()
    columns = little_test(wide, value=[4, 5, 6, 7]).frame
    pd.testing.assert_frame_equal(columns, little_test(trial, **KEYS).frame)


def test_complete_data_leave_nothing_to_test():
    data = pd.DataFrame({"a": [1.0, 2.0, 4.0], "b": [2.0, 1.0, 3.0]})
    row = little_test(data, value=["a", "b"]).frame.iloc[0]
    assert (row["df"], row["statistic"]) == (0, pytest.approx(0.0, abs=1e-12))
    assert np.isnan(row["p_value"])


def test_subjects_without_a_value_are_told_and_not_used():
    data = pd.DataFrame({"a": [1.0, 2.0, 4.0, None], "b": [2.0, 1.0, 3.0, None]})
    found = little_test(data, value=["a", "b"])
    assert found.frame["n_subjects"].iloc[0] == 3
    assert found.notes == ("1 subjects without any value are not used",)


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        ({"a": [1, 2.0], "b": [1, None]}, {"value": ["a", "c"]}, UsageError, "no column 'c'"),
        ({"a": [1, 2.0]}, {"value": "a", "visit": "a"}, UsageError, "expected subject=, visit="),
        (
            {"a": [1.0, 2.0, 3.0, None, None], "b": [None, None, 1.0, 2.0, 3.0]},
            {"value": ["a", "b"]},
            DataError,
            "a and b observed together in 1 subjects; expected two",
        ),
        ({"a": [1.0, 1, 1], "b": [1.0, 2, 3]}, {"value": ["a", "b"]}, DataError, "a has one value"),
    ],
)
def test_what_cannot_be_tested_is_refused(data, options, error, message):
    with pytest.raises(error, match=message):
        little_test(pd.DataFrame(data), **options)
