from __future__ import annotations

from dataclasses import replace

import pytest

from trialmlm.errors import UsageError
from trialmlm.figures.estimates import forest_rows
from trialmlm.figures.forest import ForestRow, forest
from trialmlm.figures.order import Named
from trialmlm.figures.shells import FIGURES


def texts(ax) -> list[str]:
    return [text.get_text() for text in ax.texts]


def test_a_row_is_found_at_the_visit_or_else_for_the_whole_analysis(orders, results):
    rows = forest_rows(orders["forest"], results)
    assert [row.estimate for row in rows] == [108.4, 96.9, 101.3, 82.75, 121.6]
    assert [row.n for row in rows] == [118, 118, 118, 118, 84]
    assert [row.decided for row in rows] == [True, True, True, False, False]


def test_markers_and_bars_are_the_estimates_and_limits(orders, results):
    rows = forest_rows(orders["forest"], results)
    ax = forest(rows)
    for y, (row, container) in enumerate(zip(rows, ax.containers, strict=True)):
        assert container[0].get_xydata().tolist() == [[row.estimate, y]]
        (segment,) = container[2][0].get_segments()
        assert segment[:, 0] == pytest.approx([row.low, row.high])


def test_numbers_are_printed_beside_the_row(orders, results):
    said = texts(forest(forest_rows(orders["forest"], results)))
    assert "82.8 (17.2, 148.3)" in said
    assert "comparator, ANCOVA" in said


@pytest.mark.parametrize(
    ("better", "left", "right"),
    [
        ("higher", "← Favours Placebo", "Favours Active 150 mg bid →"),
        ("lower", "← Favours Active 150 mg bid", "Favours Placebo →"),
    ],
)
def test_arrows_follow_what_is_better(orders, results, better, left, right):
    figure = FIGURES["forest"](replace(orders["forest"], better=better), results)
    assert {left, right} <= set(texts(figure.axes[0]))


def test_an_analysis_without_an_estimate_keeps_its_row(orders, results):
    order = replace(orders["forest"], analyses=(Named("A2", "MMRM"), Named("gone", "Another")))
    ax = forest(forest_rows(order, results))
    assert {"Another", "not made", "NE"} <= set(texts(ax))
    assert len(ax.containers) == 1


def test_more_rows_than_fit_are_refused_not_squeezed():
    with pytest.raises(UsageError, match="found 200 rows, expected at most"):
        forest([ForestRow(f"Row {k}", estimate=k, low=k - 1, high=k + 1) for k in range(200)])
