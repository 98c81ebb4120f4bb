"""The table of populations: counts, and percentages of the population shown."""

from __future__ import annotations

from hand_made import counted, ordered, results, texts

from trialmlm.tables.order import Heading
from trialmlm.tables.shell_populations import populations

ORDER = ordered(
    analyses=(),
    populations=(Heading("itt", ("Intent-to-Treat",)), Heading("pp", ("Per Protocol",))),
)
RESULTS = results(
    counted("itt", PBO=8, ACT=9, total=17), counted("pp", PBO=8, ACT=0, total=8)
)  # fmt: skip


def test_each_population_is_a_row_of_counts_and_percentages() -> None:
    assert texts(populations(ORDER, RESULTS)) == [
        ["Intent-to-Treat", "8 (100%)", "9 (100%)", "17 (100%)"],
        ["Per Protocol", "8 (100%)", "0", "8 (47%)"],
    ]


def test_the_headings_give_the_denominators() -> None:
    headings = [column.heading for column in populations(ORDER, RESULTS).columns]
    assert headings == [
        ("Population",),
        ("Placebo", "(N=8)"),
        ("Active", "10 mg", "(N=9)"),
        ("Total", "(N=17)"),
    ]


def test_a_cell_keeps_the_count_and_the_denominator_it_was_printed_from() -> None:
    cell = populations(ORDER, RESULTS).rows[1].cells[3]
    assert cell.values == (8.0, 17.0)
