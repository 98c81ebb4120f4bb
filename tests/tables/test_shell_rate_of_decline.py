"""Rates and their differences, cell by cell."""

from __future__ import annotations

from dataclasses import replace
from math import nan

import pytest
from hand_made import RECORD, counted, estimated, ordered, results, statistic, texts

from trialmlm.errors import UsageError
from trialmlm.tables.shell_rate_of_decline import rate_of_decline

SLOPES = replace(RECORD, method="LMM", headline="slope-difference")


def _results(active: float = -1.0):
    def own(quantity, value, **keys):
        return estimated(quantity, value, method="LMM", **keys)

    relative = statistic(
        "relative-reduction", "estimate", 50.0, method="LMM", arm="ACT", versus="PBO"
    )
    return results(
        counted(PBO=8, ACT=9, total=17),
        [statistic("count", "n", n, method="LMM", arm=arm) for arm, n in (("PBO", 7), ("ACT", 9))],
        [statistic("count", "values", 30.0, method="LMM", arm="PBO")],
        own("slope", -2.0, arm="PBO"),
        own("slope", active, arm="ACT"),
        own("slope-difference", active + 2.0, arm="ACT", versus="PBO"),
        [relative],
        record=SLOPES,
    )


def test_the_table_cell_by_cell():
    display = rate_of_decline(ordered(unit="mL", footnotes=("model",)), _results())
    assert texts(display) == [
        ["Subjects analysed", "7", "9"],
        ["Values analysed", "30", "0"],
        ["Adjusted rate (SE), mL/year [1]", "-2.00 (0.500)", "-1.00 (0.500)"],
        ["95% CI", "(-3.00;-1.00)", "(-2.00;0.00)"],
        ["Difference from Placebo (SE)", "", "1.00 (0.500)"],
        ["95% CI", "", "(0.00;2.00)"],
        ["p-value", "", "0.031"],
        ["Relative reduction, %", "", "50.00"],
    ]
    assert display.footnotes[0].startswith("[1] Random coefficients model: CHG ~ ARM")
    assert display.footnotes[-1] == "Relative reduction: 100 (1 - rate / rate of Placebo)."


def test_without_a_unit_rates_are_per_year():
    assert texts(rate_of_decline(ordered(), _results()))[2][0] == "Adjusted rate (SE) per year"


def test_a_rate_that_is_not_estimable_reads_ne_once_and_says_why():
    display = rate_of_decline(ordered(), _results(nan))
    assert [row[2] for row in texts(display)][2:4] == ["NE", "NE"]
    assert display.footnotes[-1] == "NE: not estimable: no data for Active 10 mg."


def test_without_results_the_cells_are_empty_and_nothing_crashes():
    rows = texts(rate_of_decline(ordered(), results()))
    assert {cell for row in rows[2:] for cell in row[1:]} == {""}


@pytest.mark.parametrize("analyses", [(), ("one", "two")])
def test_the_table_is_of_one_analysis(analyses):
    with pytest.raises(UsageError, match="expected exactly one analysis"):
        rate_of_decline(ordered(analyses=analyses), results())


def test_arms_compared_with_several_others_have_a_block_each():
    order = ordered(pairs=(("ACT", "PBO"), ("PBO", "ACT")))
    labels = [row[0] for row in texts(rate_of_decline(order, _results()))]
    assert "Difference from Placebo (SE)" in labels
    assert "Difference from Active 10 mg (SE)" in labels
