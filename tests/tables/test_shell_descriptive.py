"""Descriptive statistics by visit: decimals from the endpoint, baseline of the same subjects."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import pytest
from hand_made import ORDER, counted, described, ordered, results, texts

from trialmlm.tables.shell_descriptive import descriptive_by_visit

if TYPE_CHECKING:
    from trialmlm.results.results import Results

SUMMARY = {"analysis": "summary", "method": "observed"}
SIX = (8.0, 10.25, 1.255, 10.0, 8.0, 12.0)
NONE = (0.0, nan, nan, nan, nan, nan)


def _results(*, active_at_week_8: tuple[float, ...] = SIX) -> Results:
    parts = [counted("itt", PBO=8, ACT=9, total=17)]
    for arm in ("PBO", "ACT"):
        parts.append(described("value", SIX, arm=arm, visit="Baseline", **SUMMARY))
        for visit in ("Week 4", "Week 8"):
            empty = arm == "ACT" and visit == "Week 8"
            six = active_at_week_8 if empty else SIX
            parts += [
                described(quantity, six, arm=arm, visit=visit, **SUMMARY)
                for quantity in ("value", "baseline", "change")
            ]
    return results(*parts)


def test_each_arm_is_a_block_of_baseline_and_visits() -> None:
    display = descriptive_by_visit(ORDER, _results())
    assert [block.rows[0].cells[0].text for block in display.blocks] == [
        "Placebo (N=8)",
        "Active 10 mg (N=9)",
    ]
    labels = [row.cells[0].text for row in display.blocks[0].rows[1:]]
    assert labels == ["Baseline", "Week 4 (Windowed)", "Week 8 (Windowed)"]


def test_mean_and_median_have_one_decimal_more_than_collected_and_the_sd_two() -> None:
    _, base, week_4, *_ = texts(descriptive_by_visit(ORDER, _results()))
    assert base[1:7] == ["8", "10.25", "1.255", "10.00", "8.0", "12.0"]
    assert base[7:] == [""] * 7
    assert week_4[7:] == ["10.25", "1.255", "10.25", "1.255", "10.00", "8.0", "12.0"]


@pytest.mark.parametrize(("kind", "words"), [("locf", "LOCF"), ("locf-records", "LOCF")])
def test_records_carried_forward_are_called_so(kind: str, words: str) -> None:
    display = descriptive_by_visit(ordered(records=("observed", kind)), _results())
    labels = [row.cells[0].text for row in display.blocks[0].rows]
    assert labels[-1] == f"Week 8 {words}"


def test_a_visit_without_data_has_n_0_and_reads_ne_with_a_note() -> None:
    display = descriptive_by_visit(ORDER, _results(active_at_week_8=NONE))
    last = texts(display)[-1]
    assert last == ["Week 8 (Windowed)", "0", *["NE"] * 12]
    assert display.footnotes == (
        "NE: not estimable: no data for Active 10 mg at Week 8 (Windowed).",
    )
