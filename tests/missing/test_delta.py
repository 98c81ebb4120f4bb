"""Deltas reach the imputed values they are meant for, and nothing else."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.completions import Completions
from trialmlm.missing.delta import (
    AccumulatedDelta,
    Delta,
    DeltaFactor,
    DeltaPerTime,
    delta_of,
)
from trialmlm.missing.delta_frame import delta_frame, read_delta
from trialmlm.missing.imputed_cells import ImputedCells
from trialmlm.missing.layout import Layout, Names

NAN = np.nan
#: A: all observed; B: gap at week 1, leaves at 3; C: leaves at 2; D: gap at 2, no event
Y = np.array([[1.0, 2, 3, 4], [NAN, 2, NAN, NAN], [1, NAN, NAN, NAN], [1, NAN, 3, 4]])
FIRST = np.array([4, 2, 1, 4])
REASONS = [None, "death", "adverse event", NAN]


@pytest.fixture(scope="module")
def layout():
    visits = pd.Index([1, 2, 3, 4])
    arm = np.array([0, 0, 1, 1])
    arms = ("PLACEBO", "DRUG")
    frame = pd.DataFrame({"USUBJID": np.repeat(list("ABCD"), 4), "AVISITN": np.tile(visits, 4)})
    names = Names("USUBJID", "AVISITN", "ARM", "CHG")
    return Layout(pd.Index(list("ABCD")), visits, arms, arm, Y, frame, names)


@pytest.fixture(scope="module")
def completions(layout):
    subject, visit = np.nonzero(layout.missing)
    return Completions(subject, visit, np.arange(14.0).reshape(2, 7))


@pytest.fixture(scope="module")
def cells(layout, completions):
    return ImputedCells.of(layout, completions, FIRST, REASONS)


def table(cells, added):
    """Cells as rows of text: what each subject gets at the visits imputed."""
    made = np.full(Y.shape, NAN)
    made[cells.subject, cells.visit] = added
    return [row[~np.isnan(row)].tolist() for row in made]


def test_an_amount_reaches_every_imputed_value(cells):
    assert table(cells, Delta(2.0).added(cells)) == [[], [2, 2, 2], [2, 2, 2], [2]]


def test_arms_visits_and_reasons_choose(cells):
    assert table(cells, Delta(2, arms=["DRUG"]).added(cells)) == [[], [0, 0, 0], [2, 2, 2], [2]]
    assert table(cells, Delta(2, visits=[4]).added(cells)) == [[], [0, 0, 2], [0, 0, 2], [0]]
    found = Delta(2, reasons=["death"]).added(cells)
    assert table(cells, found) == [[], [2, 2, 2], [0, 0, 0], [0]]


def test_after_the_event_intermittent_gaps_are_left_alone(cells):
    found = Delta(2, after_event=True).added(cells)
    assert table(cells, found) == [[], [0, 2, 2], [2, 2, 2], [0]]


def test_amounts_by_visit_leave_others_alone(cells):
    assert table(cells, Delta({2: 1.0, 4: 3.0}).added(cells)) == [[], [0, 0, 3], [1, 0, 3], [1]]


def test_a_factor_multiplies_what_was_imputed(cells, completions):
    found = DeltaFactor(1.5, arms=["DRUG"]).added(cells)
    assert found.shape == (2, 7)
    shifted = completions.shifted(found).values
    drug = cells.subject >= 2
    np.testing.assert_allclose(shifted[:, drug], 1.5 * completions.values[:, drug])
    np.testing.assert_array_equal(shifted[:, ~drug], completions.values[:, ~drug])


def test_accumulated_deltas_are_those_of_the_five_macros(reference):
    facts = json.loads((reference / "camis" / "delta_dlag.json").read_text())
    for case in facts["cases"]:
        found = AccumulatedDelta(case["delta"], case["dlag"]).by_event(4)
        assert found[case["ice_visit"] - 1].tolist() == case["cumulative"]
        assert found[4].tolist() == [0, 0, 0, 0]


def test_an_accumulated_delta_starts_at_each_subjects_event(cells):
    found = AccumulatedDelta((1, 10, 100, 1000), (1, 2, 3, 4)).added(cells)
    assert table(cells, found) == [[], [0, 100, 2100], [10, 210, 3210], [0]]
    drug = AccumulatedDelta((1, 10, 100, 1000), (1, 2, 3, 4), arms=["DRUG"]).added(cells)
    assert table(cells, drug)[1] == [0, 0, 0]


def test_a_delta_per_year_grows_since_the_event(cells):
    years = {1: 0.5, 2: 1.0, 3: 2.0, 4: 4.0}
    found = DeltaPerTime(-10.0, years).added(cells)
    assert table(cells, found) == [[], [0, -10, -30], [-5, -15, -35], [0]]
    later = DeltaPerTime(-10.0, years, begins="first-affected-visit").added(cells)
    assert table(cells, later) == [[], [0, 0, -20], [0, -10, -30], [0]]


def test_time_starts_at_zero_where_the_first_visit_is_affected(layout, completions):
    cells = ImputedCells.of(layout, completions, np.array([4, 0, 1, 4]))
    found = DeltaPerTime(1.0, {1: 0.5, 2: 1.0, 3: 2.0, 4: 4.0}).added(cells)
    assert table(cells, found)[1] == [0.5, 2.0, 4.0]


def test_rules_add_up(cells):
    rules = [Delta(1), Delta(2, arms=["DRUG"]), AccumulatedDelta((1, 1, 1, 1), (1, 1, 1, 1))]
    assert table(cells, delta_of(rules, cells)) == [[], [1, 2, 3], [4, 5, 6], [3]]
    assert delta_of([], cells).tolist() == [0] * 7
    assert delta_of([Delta(1), DeltaFactor(2)], cells).shape == (2, 7)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (Delta(1, arms=["VERUM"]), "there is no arm 'VERUM'; found PLACEBO, DRUG"),
        (Delta(1, arms="DRUG"), r"found 'DRUG' for arms, expected a list such as \['DRUG'\]"),
        (Delta(1, visits=[5]), "there is no visit 5; found 1, 2, 3, 4"),
        (Delta({5: 1.0}), "there is no visit 5; found 1, 2, 3, 4"),
        (Delta(1, reasons=["moved"]), "there is no reason 'moved'; found adverse event, death"),
        (AccumulatedDelta((1, 2), (1, 0, 0, 0)), "delta has 2 numbers, expected one for each of 4"),
        (DeltaPerTime(1, {1: 0.0}), "no time of visit 2"),
        (DeltaPerTime(1, {}, begins="event"), "begins found 'event', expected last-unaffected"),
    ],
)
def test_a_rule_for_what_is_not_there_is_refused(cells, rule, message):
    with pytest.raises(UsageError, match=message):
        rule.added(cells)


def test_events_are_asked_for_where_a_rule_needs_them(layout, completions):
    bare = ImputedCells.of(layout, completions)
    assert Delta(1).added(bare).tolist() == [1] * 7
    with pytest.raises(UsageError, match=r"counts from intercurrent events, but .* has none"):
        Delta(1, after_event=True).added(bare)
    with pytest.raises(UsageError, match="no reasons of the events are known"):
        Delta(1, reasons=["death"]).added(bare)
    with pytest.raises(UsageError, match="first: found 2, expected one for each of 4 subjects"):
        ImputedCells.of(layout, completions, FIRST[:2])


@pytest.mark.parametrize(
    "rule",
    [Delta(NAN), Delta({1: np.inf}), DeltaFactor(NAN), AccumulatedDelta([NAN] * 4, [1] * 4)],
)
def test_an_amount_must_be_a_number(cells, rule):
    with pytest.raises(DataError, match="missing or infinite amount"):
        rule.added(cells)


def test_a_frame_is_read_back_as_it_was_written(layout, completions, cells):
    delta = AccumulatedDelta((1, 10, 100, 1000), (1, 2, 3, 4)).added(cells)
    frame = delta_frame(layout, completions, delta)
    assert frame.columns.tolist() == ["USUBJID", "AVISITN", "ARM", "delta"]
    assert frame["ARM"].tolist() == ["PLACEBO"] * 3 + ["DRUG"] * 4
    np.testing.assert_array_equal(read_delta(frame, layout, completions), delta)
    plain = frame.rename(columns={"USUBJID": "subject", "AVISITN": "visit"})
    shuffled = plain.sample(frac=1, random_state=1)
    np.testing.assert_array_equal(read_delta(shuffled, layout, completions), delta)
    some = read_delta(plain[plain["visit"] == 4], layout, completions)
    np.testing.assert_array_equal(some, np.where(cells.visit == 3, delta, 0))
    assert read_delta(plain.iloc[:0], layout, completions).tolist() == [0] * 7


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (("E", 4, 1.0), r"1 rows with a subject that the data do not have.*\n.*\n +E"),
        (("B", 5, 1.0), "1 rows with a visit that the data do not have"),
        (("A", 1, 1.0), "1 rows with a delta for a value that was observed"),
        (("B", 4, NAN), "1 rows with no number in delta"),
        (("B", 4, "much"), "1 rows with no number in delta"),
        (("C", 4, 1.0), "2 rows with the same subject and visit"),
    ],
)
def test_a_frame_with_a_wrong_row_is_refused(layout, completions, row, message):
    frame = pd.DataFrame([("C", 4, 1.0), row], columns=["subject", "visit", "delta"])
    with pytest.raises(DataError, match=message):
        read_delta(frame, layout, completions)


def test_zero_for_an_observed_value_and_a_missing_column_are_told_apart(layout, completions):
    frame = pd.DataFrame({"subject": ["A"], "visit": [1], "delta": [0.0]})
    assert read_delta(frame, layout, completions).tolist() == [0] * 7
    with pytest.raises(UsageError, match="no column AVISITN or visit"):
        read_delta(frame.drop(columns="visit"), layout, completions)
