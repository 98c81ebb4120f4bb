"""Covariances below, correlations above, cell by cell."""

from __future__ import annotations

import pytest
from hand_made import ordered, results, statistic, texts

from trialmlm.tables.document import Document
from trialmlm.tables.layout import Layout
from trialmlm.tables.renderers import RENDERERS
from trialmlm.tables.shell_covariance import covariance


def _entry(first, second, value):
    return statistic("covariance", "estimate", value, visit=first, group=second)


FOUND = [_entry("Week 4", "Week 4", 4.0), _entry("Week 8", "Week 4", -3.0),
         _entry("Week 8", "Week 8", 9.0)]  # fmt: skip


def test_variances_on_the_diagonal_covariances_below_correlations_above():
    display = covariance(ordered(unit="mL"), results(FOUND))
    assert texts(display) == [["Week 4", "4.00", "-0.500"], ["Week 8", "-3.00", "9.00"]]
    assert [column.heading for column in display.columns] == [("Visit",), ("Week 4",), ("Week 8",)]
    assert display.footnotes == (
        "Variances on the diagonal and covariances below it (mL squared), correlations above it.",
    )


def test_a_variance_of_zero_has_no_correlation():
    zero = [_entry("Week 4", "Week 4", 0.0), _entry("Week 8", "Week 4", 0.0), FOUND[2]]
    assert texts(covariance(ordered(), results(zero)))[0] == ["Week 4", "0.00", ""]


def test_arms_with_covariances_of_their_own_stand_one_under_the_other():
    order = ordered()
    first, second = order.arms[0], order.arms[1]
    found = [
        statistic("covariance", "estimate", value, visit=a, group=b, arm=arm.key)
        for arm, scale in ((first, 1.0), (second, 4.0))
        for a, b, value in (
            ("Week 4", "Week 4", 4.0 * scale),
            ("Week 8", "Week 4", -3.0 * scale),
            ("Week 8", "Week 8", 9.0 * scale),
        )
    ]
    display = covariance(order, results(found))
    assert texts(display) == [
        [" ".join(first.lines)],
        ["Week 4", "4.00", "-0.500"],
        ["Week 8", "-3.00", "9.00"],
        [" ".join(second.lines)],
        ["Week 4", "16.00", "-0.500"],
        ["Week 8", "-12.00", "36.00"],
    ]


@pytest.mark.parametrize("kind", sorted(RENDERERS))
def test_without_results_the_page_says_that_there_are_no_data(kind, furniture):
    display = covariance(ordered(), results())
    assert display.rows == ()
    assert display.footnotes == ()
    assert RENDERERS[kind].render(Document.of(display, furniture, Layout()))
    if kind == "txt":
        page = RENDERERS[kind].render(Document.of(display, furniture, Layout())).decode()
        assert "No data to report" in page
