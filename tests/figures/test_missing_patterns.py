from __future__ import annotations

from math import isfinite

from trialmlm.figures.missing_patterns import pattern_bars, pattern_matrix
from trialmlm.figures.patterns import Pattern, patterns_of, pooled
from trialmlm.figures.style import arm_style


def test_every_subject_is_counted_once_in_its_arm(order, results, subjects):
    patterns = patterns_of(order, results)
    for k, arm in enumerate(("PBO", "ACT")):
        assert sum(pattern.counts[k] for pattern in patterns) == 60
        complete = [s for s in subjects if s.arm == arm and all(map(isfinite, s.values))]
        assert patterns[0].counts[k] == len(complete)


def test_monotone_patterns_come_first_the_complete_one_at_their_head(order, results):
    patterns = patterns_of(order, results)
    assert all(patterns[0].observed)
    monotone = [pattern.monotone for pattern in patterns]
    assert monotone == sorted(monotone, reverse=True)
    lengths = [sum(pattern.observed) for pattern in patterns if pattern.monotone]
    assert lengths == sorted(lengths, reverse=True)


def test_rare_patterns_are_pooled_without_losing_a_subject(order, results):
    patterns = patterns_of(order, results)
    few = pooled(patterns, 5)
    assert len(few) == 5
    assert few[-1].pooled == len(patterns) - 4
    assert sum(p.subjects for p in few) == sum(p.subjects for p in patterns)


def test_the_matrix_shows_what_was_observed():
    ax = pattern_matrix([Pattern((True, True), (3,)), Pattern((False, True), (1,))], ["2", "4"])
    dots = {line.get_label(): line.get_xydata().tolist() for line in ax.lines}
    assert dots["observed"] == [[0, 0], [1, 0], [1, 1]]
    assert dots["missing"] == [[0, 1]]


def test_bars_are_the_counts_and_the_columns_print_them():
    patterns = [Pattern((True,), (3, 4)), Pattern((False,), (0, 1))]
    ax = pattern_bars(patterns, [("Placebo", arm_style(0)), ("Active", arm_style(1))])
    assert [[bar.get_width() for bar in bars] for bars in ax.containers] == [[3], [4, 1]]
    assert {"3 (100%)", "0", "4 (80%)", "(N=5)"} <= {text.get_text() for text in ax.texts}
