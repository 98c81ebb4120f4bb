from __future__ import annotations

from itertools import combinations

import pytest
from matplotlib import rcParams
from matplotlib.colors import to_rgb

from trialmlm.figures.style import arm_style, axes_or_new, in_house_style


def luminance(colour: str) -> float:
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in to_rgb(colour)]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize(("a", "b"), list(combinations(range(7), 2)))
def test_any_two_arms_can_be_told_apart_without_colour(a, b):
    assert arm_style(a).marker != arm_style(b).marker


@pytest.mark.parametrize(("a", "b"), list(combinations(range(4), 2)))
def test_lines_of_up_to_four_arms_differ_without_markers(a, b):
    assert arm_style(a).line != arm_style(b).line


def test_two_arms_differ_in_luminance():
    assert abs(luminance(arm_style(0).colour) - luminance(arm_style(1).colour)) > 0.1


def test_an_arm_beyond_the_palette_still_has_a_style_of_its_own():
    assert len({(s.colour, s.marker, s.line) for s in map(arm_style, range(20))}) == 20


def test_the_callers_settings_are_put_back_and_do_not_reach_a_figure():
    before = rcParams["font.size"]
    rcParams["font.size"] = 33
    try:
        seen = in_house_style(lambda: rcParams["font.size"])()
        assert (seen, rcParams["font.size"]) == (9.5, 33)
    finally:
        rcParams["font.size"] = before


def test_given_axes_are_drawn_into():
    ax = axes_or_new(None)
    assert axes_or_new(ax) is ax
