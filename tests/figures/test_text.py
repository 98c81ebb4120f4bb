from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.figures.text import clipped, shown, width, wrapped

ANY = st.text(max_size=300)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  FVC \n (mL)\t", "FVC (mL)"),
        ("cost $a_b$", "cost $a_b$"),
        ("\u202eabc\u0000", "abc"),
        ("\U0001fae0", "□"),
        ("\ud800x", "x"),
    ],
)
def test_text_is_one_line_that_the_font_can_draw(text, expected):
    assert shown(text) == expected


@given(ANY, st.floats(20, 400))
def test_clipped_text_fits_its_room(text, room):
    assert width(clipped(text, room, 9), 9) <= room


@given(ANY, st.floats(60, 400), st.integers(1, 5))
def test_wrapped_lines_fit_and_are_no_more_than_asked(text, room, most):
    lines = wrapped(text, room, 9, most)
    assert len(lines) <= most
    assert all(width(line, 9) <= room for line in lines)


@given(st.lists(st.sampled_from(["FVC", "declines", "a", "placebo"]), max_size=30))
def test_wrapping_loses_no_word_where_there_is_room(words):
    assert " ".join(wrapped(" ".join(words), 120, 9, 99)) == " ".join(words)


def test_what_is_cut_ends_in_an_ellipsis():
    assert clipped("x" * 10_000, 100, 9).endswith("…")
