"""The table of an MMRM: a block per visit, or one that is averaged over the visits."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

from hand_made import ORDER, counted, estimated, ordered, results, statistic, texts

from trialmlm.tables.shell_mmrm import mmrm

if TYPE_CHECKING:
    from trialmlm.results.results import Results


def _results(*, active_at_week_8: float = 2.0) -> Results:
    parts = [counted("itt", PBO=8, ACT=9, total=17)]
    for visit in ("Week 4", "Week 8", ""):
        active = active_at_week_8 if visit == "Week 8" else 2.0
        parts.append(estimated("ls-mean", 1.0, arm="PBO", visit=visit))
        parts.append(estimated("ls-mean", active, arm="ACT", visit=visit))
        parts.append(estimated("difference", active - 1, arm="ACT", versus="PBO", visit=visit))
        if visit:
            n = 7.0 if active == active else 0.0
            parts.append([statistic("count", "n", 8.0, arm="PBO", visit=visit)])
            parts.append([statistic("count", "n", n, arm="ACT", visit=visit)])
    return results(*parts)


def test_a_visit_is_one_block_that_begins_with_its_name() -> None:
    display = mmrm(ORDER, _results())
    assert [block.rows[0].cells[0].text for block in display.blocks] == ["Week 4", "Week 8"]
    assert [[cell.text for cell in row.cells] for row in display.blocks[0].rows] == [
        ["Week 4", "", ""],
        ["n", "8", "7"],
        ["LS Means (SE)", "1.00 (0.500)", "2.00 (0.500)"],
        ["p-value (Active 10 mg - Placebo)", "", "0.031"],
        ["Difference of LS Means (SE)", "", "1.00 (0.500)"],
        ["95% CI", "", "(0.00;2.00)"],
    ]


def test_every_row_of_a_visit_is_indented_below_its_name() -> None:
    for block in mmrm(ORDER, _results()).blocks:
        assert block.rows[0].indent == 0
        assert all(row.indent > 0 for row in block.rows[1:])


def test_averaged_over_the_visits_there_is_one_group_without_n() -> None:
    rows = texts(mmrm(ordered(average_over="visits"), _results()))
    assert [row[0] for row in rows] == [
        "LS Means (SE)",
        "p-value (Active 10 mg - Placebo)",
        "Difference of LS Means (SE)",
        "95% CI",
    ]


def test_only_the_visits_asked_for_are_shown() -> None:
    display = mmrm(ordered(visits=("Week 8",)), _results())
    assert [block.rows[0].cells[0].text for block in display.blocks] == ["Week 8"]


def test_pairs_with_the_same_control_share_a_block_of_rows() -> None:
    display = mmrm(ordered(pairs=(("ACT", "PBO"), ("PBO", "ACT"))), _results())
    labels = [row.cells[0].text for row in display.blocks[0].rows]
    assert [label for label in labels if label.startswith("p-value")] == [
        "p-value (Active 10 mg - Placebo)",
        "p-value (Placebo - Active 10 mg)",
    ]


def test_an_arm_without_data_at_a_visit_reads_ne_with_a_note() -> None:
    display = mmrm(ORDER, _results(active_at_week_8=nan))
    assert [[cell.text for cell in row.cells] for row in display.blocks[1].rows][1:] == [
        ["n", "8", "0"],
        ["LS Means (SE)", "1.00 (0.500)", "NE"],
        ["p-value (Active 10 mg - Placebo)", "", "NE"],
        ["Difference of LS Means (SE)", "", "NE"],
        ["95% CI", "", "NE"],
    ]
    assert display.footnotes == ("NE: not estimable: no data for Active 10 mg at Week 8.",)


def test_cells_keep_the_values_they_were_printed_from() -> None:
    _, _, means, *_, interval = mmrm(ORDER, _results()).blocks[0].rows
    assert means.cells[1].values == (1.0, 0.5)
    assert interval.cells[2].values == (0.0, 2.0)
