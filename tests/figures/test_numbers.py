from __future__ import annotations

from math import nan

import pytest

from trialmlm.figures.numbers import fixed, p_value, with_interval


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [(42.65, 1, "42.7"), (-0.04, 1, "0.0"), (-2.5, 0, "-3"), (1e6, 0, "1000000"), (nan, 1, "NE")],
)
def test_halves_are_rounded_away_from_zero(value, decimals, text):
    assert fixed(value, decimals) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "<0.001"), (0.0049, "0.005"), (0.9996, ">0.999"), (0.001, "0.001"), (nan, "NE")],
)
def test_a_p_value_is_never_0_or_1(value, text):
    assert p_value(value, 3) == text


def test_an_estimate_is_printed_with_its_limits():
    assert with_interval(82.75, 17.21, 148.29, 1) == "82.8 (17.2, 148.3)"
