"""A layout knows what fits on its page."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import UsageError
from trialmlm.tables.layout import GAP, Layout, Margins


def test_letter_landscape_at_nine_points_holds_119_characters_by_45_lines():
    layout = Layout()
    assert layout.paper_size == (15840, 12240)
    assert (layout.characters, layout.lines) == (119, 45)


def test_a_full_line_and_a_full_page_stay_within_the_margins():
    layout = Layout(paper="a4", landscape=False, size=10, margins=Margins(left=1.25))
    assert layout.twips(layout.characters) <= layout.text_width
    assert layout.lines * layout.line <= layout.text_height


@given(st.lists(st.tuples(st.floats(0.1, 9), st.integers(2, 30)), min_size=1, max_size=9))
def test_columns_fill_the_line_and_get_what_they_need_where_it_fits(columns):
    weights, minima = zip(*columns, strict=True)
    widths = Layout().widths(weights, minima)
    room = Layout().characters - GAP * (len(columns) - 1)
    assert sum(widths) == room
    if sum(minima) <= room:
        assert all(width >= least for width, least in zip(widths, minima, strict=True))


def test_widths_follow_the_weights():
    assert Layout().widths((2.0, 1.0, 1.0), (2, 2, 2)) == (57, 29, 29)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"paper": "legal"}, "paper: found 'legal', expected one of a4, letter"),
        ({"font": "Comic Sans"}, "font: found 'Comic Sans'"),
        ({"size": 20.0}, "font size: found 20"),
        ({"margins": Margins(left=5, right=5)}, "reduce the margins"),
    ],
)
def test_a_page_that_cannot_be_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        Layout(**wrong)


def test_more_columns_than_fit_are_refused():
    with pytest.raises(UsageError, match="found 60 columns"):
        Layout().widths([1.0] * 60, [2] * 60)
