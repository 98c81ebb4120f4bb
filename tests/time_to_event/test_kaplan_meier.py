from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trialmlm.errors import DataError, FitError, UsageError
from trialmlm.time_to_event.kaplan_meier import kaplan_meier

FACTS = Path(__file__).parents[2] / "validation" / "missing" / "facts.json"
KEYS = {"time": "time", "event": "event"}


@pytest.fixture(scope="module")
def leukaemia():
    """Weeks in remission of 42 children: Freireich et al. (1963), Blood 21, 699-716."""
    drug = [6, 6, 6, 6, 7, 9, 10, 10, 11, 13, 16, 17, 19, 20, 22, 23, 25, 32, 32, 34, 35]
    placebo = [1, 1, 2, 2, 3, 4, 4, 5, 5, 8, 8, 8, 8, 11, 11, 12, 12, 15, 17, 22, 23]
    relapsed = [1, 1, 1, 0, 1, 0, 1, 0, 0, 1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0]
    return pd.DataFrame(
        {
            "time": drug + placebo,
            "event": relapsed + [1] * 21,
            "arm": ["6-MP"] * 21 + ["Placebo"] * 21,
        }
    )


@pytest.fixture(scope="module")
def facts():
    return json.loads(FACTS.read_text(encoding="utf-8"))


@pytest.mark.parametrize("arm", ["6-MP", "Placebo"])
def test_curves_of_the_leukaemia_trial_are_those_of_r_s_survfit(leukaemia, facts, arm):
    frame = kaplan_meier(leukaemia, arm="arm", **KEYS).frame
    own, fact = frame[frame["arm"] == arm], facts["kaplan_meier"]
    assert own["time"].tolist() == fact["time"][arm]
    assert own["n_at_risk"].tolist() == fact["at_risk"][arm]
    assert own["n_events"].tolist() == fact["events"][arm]
    for column in ("survival", "std_error", "ci_low", "ci_high"):
        expected = np.array(fact[column][arm], dtype=float)
        # the same closed form on 21 subjects: rounding only
        np.testing.assert_allclose(own[column], expected, rtol=1e-12, atol=1e-15)


def test_medians_and_their_intervals_are_those_of_r(leukaemia, facts):
    found = kaplan_meier(leukaemia, arm="arm", **KEYS).quantiles([0.5])
    for column, expected in facts["median"].items():
        np.testing.assert_array_equal(found[column], np.array(expected, dtype=float))


times = st.lists(st.tuples(st.integers(1, 9), st.booleans()), min_size=2, max_size=25)


@pytest.mark.filterwarnings("ignore")  # of the oracle, on pandas 3
@settings(max_examples=40, deadline=None)
@given(rows=times)
def test_survival_is_that_of_lifelines(rows):
    lifelines = pytest.importorskip("lifelines")
    data = pd.DataFrame(rows, columns=["time", "event"])
    frame = kaplan_meier(data, **KEYS).frame
    other = lifelines.KaplanMeierFitter().fit(data["time"], data["event"])
    expected = other.survival_function_at_times(frame["time"]).to_numpy()
    np.testing.assert_allclose(frame["survival"], expected, rtol=1e-10, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(rows=times)
def test_without_censoring_survival_is_the_share_that_lives_longer(rows):
    data = pd.DataFrame(rows, columns=["time", "event"]).assign(event=1)
    frame = kaplan_meier(data, **KEYS).frame
    later = [(data["time"] > time).mean() for time in frame["time"]]
    np.testing.assert_allclose(frame["survival"], later, atol=1e-12)
    # Greenwood is then the binomial's standard error
    inside = frame["survival"] > 0
    p = frame.loc[inside, "survival"]
    np.testing.assert_allclose(
        frame.loc[inside, "std_error"], np.sqrt(p * (1 - p) / len(data)), atol=1e-12
    )


def test_conventions_where_sas_and_r_differ_are_those_of_sas(reference):
    defaults = (reference / "camis" / "defaults.json").read_text(encoding="utf-8")
    case = json.loads(defaults)["km_special"]
    found = kaplan_meier(pd.DataFrame({"time": case["time"], "event": case["status"]}), **KEYS)
    # beyond the last time, which is censored, SAS has no estimate; R extends the last if asked
    assert case["day120"]["sas"] == "NE"
    assert found.at([120])[["survival", "ci_low"]].isna().all(axis=None)
    assert found.at([118])["survival"].tolist() == pytest.approx([case["day120"]["r_extend"]])
    ends = found.at([118])[["ci_low", "ci_high"]].iloc[0].round(3).tolist()
    assert ends == case["day120"]["r_ci_loglog"]
    # a curve that stays at 0.5 has no median in SAS; R takes the middle to the last time
    assert case["median"]["sas"] is None
    assert found.quantiles([0.5])["estimate"].isna().all()


def test_a_plateau_at_the_level_gives_the_middle_between_two_events():
    data = pd.DataFrame({"time": [1, 2, 4, 6], "event": 1})
    assert kaplan_meier(data, **KEYS).quantiles([0.5])["estimate"].tolist() == [3.0]


def test_before_the_first_event_everybody_is_there(leukaemia):
    row = kaplan_meier(leukaemia, **KEYS).at([0]).iloc[0]
    assert (row["survival"], row["n_at_risk"]) == (1.0, 42)
    assert np.isnan(row["ci_low"])


@pytest.mark.parametrize("interval", ["log-log", "log", "plain"])
def test_every_interval_holds_the_estimate_and_stays_between_0_and_1(leukaemia, interval):
    frame = kaplan_meier(leukaemia, arm="arm", interval=interval, **KEYS).frame.dropna()
    assert (frame["ci_low"] <= frame["survival"]).all()
    assert (frame["survival"] <= frame["ci_high"]).all()
    assert (frame["ci_low"] >= 0).all()
    assert (frame["ci_high"] <= 1).all()


def test_rows_with_a_missing_value_are_counted(leukaemia):
    found = kaplan_meier(leukaemia.assign(time=lambda d: d["time"].where(d["time"] < 30)), **KEYS)
    assert found.notes == ("4 of 42 subjects not used: time missing in 4",)


@pytest.mark.parametrize(
    ("change", "options", "error", "message"),
    [
        ({"event": 2}, {}, UsageError, "event is 2; expected 1 at an event and 0"),
        ({"event": "1"}, {}, UsageError, "event is '1'; expected 1 .* as numbers"),
        ({"time": -1.0}, {}, DataError, "time is negative in 42 rows"),
        ({}, {"interval": "exact"}, UsageError, "expected one of log-log, log, plain"),
        ({}, {"arm": "ARM"}, FitError, "no column ARM"),
    ],
)
def test_wrong_input_is_named(leukaemia, change, options, error, message):
    with pytest.raises(error, match=message):
        kaplan_meier(leukaemia.assign(**change), **{**KEYS, **options})
