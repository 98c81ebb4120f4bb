"""Tables of estimands: events, patterns at the end, tipping points, methods in words."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from hand_made import RECORD, estimated, ordered, statistic, texts

from trialmlm.errors import UsageError
from trialmlm.results.results import Results
from trialmlm.tables.order import Heading
from trialmlm.tables.shell_end_patterns import end_patterns
from trialmlm.tables.shell_events import intercurrent_events
from trialmlm.tables.shell_methods_in_words import methods_in_words
from trialmlm.tables.shell_tipping import tipping_point

ESTIMAND = Heading("E1", ("change whatever happens",))
PAIR = {"arm": "ACT", "versus": "PBO"}


def _event(name, value, arm, strategy="hypothetical"):
    return statistic(strategy, name, value, analysis="events", method="E1", arm=arm, group="stop")


def test_each_event_counts_subjects_and_values_by_arm_and_in_all():
    numbers = {
        "subjects": (4.0, 6.0),
        "ruled": (3.0, 6.0),
        "values": (5.0, 9.0),
        "gaps": (1.0, 2.0),
    }
    statistics = [
        _event(name, value, arm)
        for name, pair in numbers.items()
        for arm, value in zip(("PBO", "ACT"), pair, strict=True)
    ]
    order = ordered(estimands=(ESTIMAND,))
    assert texts(intercurrent_events(order, Results(tuple(statistics)))) == [
        ["Stop (hypothetical)", "", "", ""],
        ["Subjects with the event", "4", "6", "10"],
        ["Subjects in whom it rules at a visit", "3", "6", "9"],
        ["Values set aside", "5", "9", "14"],
        ["Visits without a value", "1", "2", "3"],
    ]


def test_several_estimands_are_told_apart_by_their_questions():
    statistics = (_event("subjects", 4.0, "PBO"),)
    order = ordered(estimands=(ESTIMAND, Heading("E2", ("another question",))))
    rows = texts(intercurrent_events(order, Results(statistics)))
    assert rows[0] == ["E1: change whatever happens"]
    assert rows[-1] == ["E2: another question"]


def test_patterns_at_the_end_are_shares_of_the_arm():
    groups = {"observed": (8.0, 6.0), "death": (1.0, 3.0), "no event": (1.0, 1.0)}
    statistics = tuple(
        statistic("count", "n", n, analysis="end-patterns", method="E1", arm=arm, group=group,
                  visit="Week 8")
        for group, pair in groups.items()
        for arm, n in zip(("PBO", "ACT"), pair, strict=True)
    )  # fmt: skip
    rows = texts(end_patterns(ordered(estimands=(ESTIMAND,)), Results(statistics)))
    assert rows == [
        ["Value at Week 8", "8 (80%)", "6 (60%)", "14 (70%)"],
        ["No value at Week 8, after death", "1 (10%)", "3 (30%)", "4 (20%)"],
        ["No value at Week 8, none of these events", "1 (10%)", "1 (10%)", "2 (10%)"],
    ]


def _tipping(delta=-3.5):
    for number, (own, other) in enumerate([(0.0, 0.0), (-2.0, 0.0), (0.0, -2.0), (-2.0, -2.0)], 1):
        keys = {**PAIR, "visit": "Week 8", "group": str(number)}
        yield from estimated("tipping", 2.0 + own / 2 - other / 4, **keys)
        yield statistic("tipping", "delta-ACT", own, **keys)
        yield statistic("tipping", "delta-PBO", other, **keys)
    for arm, tip in (("ACT", delta), ("PBO", nan)):
        keys = {**PAIR, "visit": "Week 8", "group": arm}
        yield from estimated("tipping-point", 0.9, **keys)
        yield statistic("tipping-point", "delta", tip, **keys)


def test_a_tipping_table_has_a_row_and_a_column_for_each_delta():
    record = replace(RECORD, pairs=(("ACT", "PBO"),), visit="Week 8",
                     specification={"model": "m", "delta": "points, added"})  # fmt: skip
    display = tipping_point(ordered(), Results(tuple(_tipping()), (record,)))
    assert [column.heading for column in display.columns] == [
        ("Delta of Active 10 mg",), ("0",), ("-2",),
    ]  # fmt: skip
    assert texts(display) == [
        ["0", "2.00\n0.031", "2.50\n0.031"],
        ["-2", "1.00\n0.031", "1.50\n0.031"],
    ]
    assert display.footnotes[0].startswith("In each cell: difference Active 10 mg minus Placebo")
    assert "Delta: points, added." in display.footnotes[0]
    assert "Active 10 mg alone: the conclusion changes at a delta of -3.5" in display.footnotes[1]
    assert "Placebo alone: the conclusion is the same" in display.footnotes[2]


def test_an_analysis_without_deltas_has_no_tipping_table():
    with pytest.raises(UsageError, match="shifts no values"):
        tipping_point(ordered(), Results((), (RECORD,)))


def test_methods_in_words_are_sentences_under_the_words_of_their_role():
    record = replace(RECORD, label="MMRM", assumption="Missing at random.", visit="Week 8",
                     pairs=(("ACT", "PBO"),), variances=("rubin",))  # fmt: skip
    results = Results(tuple(estimated("difference", 2.0, visit="Week 8", **PAIR)), (record,))
    rows = texts(methods_in_words(ordered(estimands=(ESTIMAND,), unit="mL"), results))
    assert rows == [
        ["What is asked"],
        ["E1: change whatever happens."],
        ["The main analysis answers the question of the estimand."],
        [
            (
                "MMRM. Missing at random. Active 10 mg minus Placebo: 2.00 mL (95% CI 1.00 to "
                "3.00; p 0.031). Variance: rubin."
            )
        ],
    ]


def test_a_method_that_failed_says_so_in_words():
    record = replace(RECORD, label="MMRM", failure="it did not converge")
    rows = texts(methods_in_words(ordered(estimands=()), Results((), (record,))))
    assert rows[-1] == ["MMRM was not made: it did not converge"]
