"""Columns stand in the same place on all pages, their decimals one under the other."""

from __future__ import annotations

import pytest

from trialmlm.tables.display import Column
from trialmlm.tables.grid import before_point, lay_out
from trialmlm.tables.layout import GAP, Layout


@pytest.mark.parametrize(
    ("text", "positions"),
    [
        ("24.1 (12.19)", 2),
        ("79", 2),
        ("79 (12.3%)", 2),
        ("(-2.1;1.1)", 3),
        ("<0.001", 2),
        ("<.0001", 1),
        ("1,234.5", 5),
        ("1,234", 5),
        ("5, 61", 1),
        ("NE", 2),
        ("", 0),
    ],
)
def test_the_decimal_point_is_that_of_the_first_number(text, positions):
    assert before_point(text) == positions


def test_decimal_points_stand_one_under_the_other(row):
    rows = [row("a", "79"), row("b", "-0.5 (0.82)"), row("c", "NE"), row("d", "103.25")]
    column = lay_out((Column(("",)), Column(("x",))), rows, Layout()).columns[1]
    points = {column.pad(r.cells[1].text) + before_point(r.cells[1].text) for r in rows}
    assert points == {column.point}


def test_the_first_column_stands_left_whatever_it_asks(row):
    grid = lay_out((Column(("",)), Column(("x",))), [row("a", "1")], Layout())
    assert grid.columns[0].align == "left"


def test_numbers_are_not_broken_where_the_line_holds_them(row):
    columns = (Column(("Statistic",), 2.0, "left"), *(Column(("V",)) for _ in range(8)))
    rows = [row("Mean (SD)", *["24.1 (12.19)"] * 8), row("n", *["1740"] * 8)]
    grid = lay_out(columns, rows, Layout())
    assert grid.gap < GAP
    assert all(column.width >= len("24.1 (12.19)") for column in grid.columns[1:])
    assert grid.columns[-1].stop == grid.total
