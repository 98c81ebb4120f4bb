"""Text is made fit for print without losing any of it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from trialmlm.tables.wrap import breadth, clean, wrap

WORDS = st.text(st.sampled_from("ab ,é日\n"), max_size=80).map(clean)


@given(WORDS, st.integers(2, 20), st.integers(0, 4))
def test_lines_joined_are_the_text_again(text, width, hang):
    assert "".join(wrap(text, width, hang)) == text


@given(WORDS, st.integers(2, 20))
def test_no_line_is_wider_than_asked(text, width):
    assert all(breadth(line.rstrip()) <= width for line in wrap(text, width))


def test_words_are_kept_and_only_over_long_ones_broken():
    assert wrap("Xanomeline Low Dose", 12) == ("Xanomeline ", "Low Dose")
    assert wrap("Xanomeline", 6) == ("Xanome", "line")


def test_lines_after_the_first_leave_room_for_their_indentation():
    assert wrap("aaaa bbbb cc", 7, hang=2) == ("aaaa ", "bbbb ", "cc")


def test_wide_characters_take_two_positions_and_marks_none():
    assert breadth("日本") == 4
    assert breadth("e\u0301") == 1


def test_control_characters_go_and_white_space_becomes_a_blank():
    assert clean(" a\x00b\tc\fd\r\ne\u202e ") == "ab c d\ne"


def test_half_a_surrogate_pair_is_replaced():
    assert clean("a\ud800b") == "a\ufffdb"


@given(st.text())
def test_cleaned_text_can_be_written_and_stays_on_its_page(text):
    cleaned = clean(text)
    cleaned.encode()
    assert not set(cleaned) & set("\f\v\t\r\x00\x1b")
