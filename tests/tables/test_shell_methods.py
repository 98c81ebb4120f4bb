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
    for arm, mean, slope in (("PBO", -6.0, -9.0), ("ACT", -4.0, -13.0)):
        yield from estimated("ls-mean", mean, visit="Week 8", arm=arm)
        yield from estimated("slope", slope, analysis="slope", method="LMM", arm=arm)
    yield statistic("fit", "n_subjects", 17.0)
    yield from estimated("slope-difference", -4.0, analysis="slope", method="LMM", **keys)
    yield statistic("fit", "n_subjects", 16.0, analysis="slope", method="LMM")


def _results(*records, value=2.0):
    return Results(tuple(_statistics(value)), records)


def _order(*names, **changes):
    return ordered(analyses=names, unit="mL", **changes)


def test_each_analysis_is_a_row_under_its_role_and_what_it_compares():
    display = methods_compared(_order("main", "slope"), _results(MAIN, SLOPE))
    assert texts(display) == [
        ["Main: mean at Week 8, mL"],
        ["MMRM", "Missing at random.", "17", "-6.00", "-4.00", "2.00 (0.500)", "(1.00;3.00)",
         "0.031"],
        ["Main: slope, mL/year"],
        ["Slopes", "Missing at random.", "16", "-9.00", "-13.00", "-4.00 (0.500)",
         "(-5.00;-3.00)", "0.031"],
    ]  # fmt: skip


def test_analyses_of_one_role_and_quantity_share_a_heading():
    other = replace(MAIN, name="other", label="Other")
    rows = texts(methods_compared(_order("main", "other"), _results(MAIN, other)))
    assert [row[0] for row in rows] == ["Main: mean at Week 8, mL", "MMRM", "Other"]


def test_an_analysis_that_failed_is_a_row_that_says_so_and_the_others_stand():
    display = methods_compared(_order("main", "broken"), _results(MAIN, BROKEN))
    assert texts(display)[2:] == [
        ["Comparator"],
        ["LOCF", "Not made: it did not converge", "", "", "", "", "", ""],
    ]
    assert texts(display)[1][5] == "2.00 (0.500)"


def test_of_imputed_values_the_variance_is_named_and_what_was_lost_is_shown():
    record = replace(MAIN, label="MI", role="sensitivity", variances=("rubin", "jackknife"))
    pair = {"arm": "ACT", "versus": "PBO", "visit": "Week 8"}
    pooled = {"fmi": 0.1249, "monte_carlo_se": 0.04, "imputations": 100.0}
    statistics = (
        *_statistics(),
        *(statistic("difference", name, value, **pair) for name, value in pooled.items()),
        *estimated("difference", 2.1, **pair, group="jackknife"),
    )
    display = methods_compared(_order("main"), Results(statistics, (record,)))
    assert [column.heading for column in display.columns][-2:] == [("FMI",), ("MC", "SE")]
    heading, own, shown = texts(display)
    assert heading == ["Sensitivity: mean at Week 8, mL"]
    assert own[0] == "MI (Rubin, M=100)"
    assert own[-2:] == ["0.12", "0.04"]
    assert shown == ["the same (jackknife)", "", "", "", "", "2.10 (0.500)", "(1.10;3.10)",
                     "0.031", "", ""]  # fmt: skip
    assert any("information-anchored" in note for note in display.footnotes)


def test_where_the_conclusion_changes_is_a_row_beneath_of_the_arm_whose_delta_it_is():
    record = replace(MAIN, label="MI", role="sensitivity", specification={"delta": "mL, added"})
    keys = {"arm": "ACT", "versus": "PBO", "visit": "Week 8"}
    tips = [
        *estimated("tipping-point", 1.0, **keys, group="ACT"),
        statistic("tipping-point", "delta", -3.51, **keys, group="ACT"),
        *estimated("tipping-point", nan, **keys, group="PBO"),
        statistic("tipping-point", "delta", nan, **keys, group="PBO"),
    ]
    rows = texts(methods_compared(_order("main"), Results((*_statistics(), *tips), (record,))))
    assert [row[0] for row in rows[1:]] == ["MI", "where the conclusion changes"]
    assert rows[2][1:] == ["Delta of Active 10 mg: -3.5 mL", "", "", "", "1.00 (0.500)",
                           "(0.00;2.00)", "0.031"]  # fmt: skip


def test_ranks_are_compared_without_the_unit_of_the_endpoint():
    record = replace(MAIN, headline="rank-difference", visit="")
    keys = {"arm": "ACT", "versus": "PBO"}
    results = Results(tuple(estimated("rank-difference", 0.111, **keys)), (record,))
    heading, row = texts(methods_compared(_order("main"), results))
    assert heading == ["Main: standardised rank, from 0 (worst) to 1"]
    assert row[3:6] == ["", "", "0.11 (0.500)"]


def test_an_analysis_without_a_record_is_a_row_too():
    assert texts(methods_compared(_order("gone"), _results()))[0][:2] == ["gone", "Not made."]


def test_an_analysis_that_compares_no_arms_keeps_its_row():
    rows = texts(methods_compared(_order("main"), _results(replace(MAIN, pairs=()))))
    assert rows == [["Main"], ["MMRM", "Missing at random.", "", "", "", "", "", ""]]


def test_several_pairs_are_a_row_each_that_names_its_arms():
    arms = (*ORDER.arms, Heading("LOW", ("Low",)))
    record = replace(MAIN, pairs=(("ACT", "PBO"), ("LOW", "PBO")))
    rows = texts(methods_compared(_order("main", arms=arms), _results(record)))
    assert [row[0] for row in rows[1:]] == ["MMRM: Active 10 mg - Placebo", "MMRM: Low - Placebo"]
    # three arms have no columns of their own
    assert len(rows[1]) == 6


def test_the_roles_shown_are_explained_and_no_others():
    notes = methods_compared(_order("main", "broken"), _results(MAIN, BROKEN)).footnotes
    assert notes[0] == f"Main: {ROLES['main']}; Comparator: {ROLES['comparator']}."
    assert methods_compared(_order("gone"), _results()).footnotes == ()


def test_a_difference_that_is_not_determined_reads_ne_and_says_why():
    display = methods_compared(_order("main"), _results(MAIN, value=nan))
    assert texts(display)[1][5:] == ["NE", "NE", "NE"]
    assert display.footnotes[-1] == "NE: not estimable: no data for MMRM."


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"visit": ""}, "Main: mean over visits, mL"),
        ({"visit": "", "specification": {"visit": "Week 4"}}, "Main: mean at Week 4, mL"),
    ],
)
def test_what_is_compared_is_said_in_words(changes, said):
    rows = texts(methods_compared(_order("main"), _results(replace(MAIN, **changes))))
    assert rows[0] == [said]


def test_every_role_of_the_protocol_is_explained():
    assert set(ROLES) == {"main", "sensitivity", "supplementary", "comparator", "exploratory"}
