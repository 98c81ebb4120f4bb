"""The same question under several methods, cell by cell."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from hand_made import ORDER, RECORD, estimated, ordered, statistic, texts

from trialmlm.results.results import Results
from trialmlm.tables.order import Heading
from trialmlm.tables.shell_methods import ROLES, methods_compared

MAIN = replace(
    RECORD, label="MMRM", assumption="Missing at random.", visit="Week 8", pairs=(("ACT", "PBO"),)
)
SLOPE = replace(
    MAIN, name="slope", method="LMM", label="Slopes", headline="slope-difference", visit=""
)
BROKEN = replace(
    RECORD, name="broken", role="comparator", method="", failure="it did not converge", label="LOCF"
)


def _statistics(value=2.0):
    keys = {"arm": "ACT", "versus": "PBO"}
    yield from estimated("difference", value, visit="Week 8", **keys)
    yield statistic("fit", "n_subjects", 17.0)
    yield from estimated("slope-difference", -4.0, analysis="slope", method="LMM", **keys)
    yield statistic("fit", "n_subjects", 16.0, analysis="slope", method="LMM")


def _results(*records, value=2.0):
    return Results(tuple(_statistics(value)), records)


def _order(*names, **changes):
    return ordered(analyses=names, unit="mL", **changes)


def test_each_analysis_is_a_row_with_what_it_compares():
    display = methods_compared(_order("main", "slope"), _results(MAIN, SLOPE))
    assert texts(display) == [
        ["MMRM", "Missing at random.", "Main", "Mean at Week 8, mL", "17", "2.00 (0.500)",
         "(1.00;3.00)", "0.031"],
        ["Slopes", "Missing at random.", "Main", "Slope, mL/year", "16", "-4.00 (0.500)",
         "(-5.00;-3.00)", "0.031"],
    ]  # fmt: skip


def test_an_analysis_that_failed_is_a_row_that_says_so_and_the_others_stand():
    display = methods_compared(_order("main", "broken"), _results(MAIN, BROKEN))
    assert texts(display)[1] == [
        "LOCF", "Not made: it did not converge", "Comparator", "", "", "", "", "",
    ]  # fmt: skip
    assert texts(display)[0][5] == "2.00 (0.500)"


def test_an_analysis_without_a_record_is_a_row_too():
    assert texts(methods_compared(_order("gone"), _results()))[0][:2] == ["gone", "Not made."]


def test_an_analysis_that_compares_no_arms_keeps_its_row():
    rows = texts(methods_compared(_order("main"), _results(replace(MAIN, pairs=()))))
    assert rows == [["MMRM", "Missing at random.", "Main", "", "", "", "", ""]]


def test_several_pairs_are_a_row_each_that_names_its_arms():
    arms = (*ORDER.arms, Heading("LOW", ("Low",)))
    record = replace(MAIN, pairs=(("ACT", "PBO"), ("LOW", "PBO")))
    rows = texts(methods_compared(_order("main", arms=arms), _results(record)))
    assert [row[0] for row in rows] == ["MMRM: Active 10 mg - Placebo", "MMRM: Low - Placebo"]


def test_the_roles_shown_are_explained_and_no_others():
    notes = methods_compared(_order("main", "broken"), _results(MAIN, BROKEN)).footnotes
    assert notes[0] == f"Main: {ROLES['main']}; Comparator: {ROLES['comparator']}."
    assert methods_compared(_order("gone"), _results()).footnotes == ()


def test_a_difference_that_is_not_determined_reads_ne_and_says_why():
    display = methods_compared(_order("main"), _results(MAIN, value=nan))
    assert texts(display)[0][5:] == ["NE", "NE", "NE"]
    assert display.footnotes[-1] == "NE: not estimable: no data for MMRM."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"visit": ""}, "Mean over visits, mL"),
        ({"visit": "", "specification": {"visit": "Week 4"}}, "Mean at Week 4, mL"),
    ],
)
def test_what_is_compared_is_said_in_words(changes, said):
    rows = texts(methods_compared(_order("main"), _results(replace(MAIN, **changes))))
    assert rows[0][3] == said


def test_every_role_of_the_protocol_is_explained():
    assert set(ROLES) == {"main", "sensitivity", "supplementary", "comparator", "exploratory"}
