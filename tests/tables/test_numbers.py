"""Numbers are printed as a clinical study report prints them."""

from __future__ import annotations

import math
from decimal import ROUND_HALF_UP, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import UsageError
from trialmlm.tables.numbers import NumberFormat, round_half_away

HOUSE = NumberFormat()
DROP = NumberFormat(negative_zero="drop")
SAS = NumberFormat(p_decimals=4, p_style="sas")


@given(st.integers(-(10**14), 10**14), st.integers(0, 9), st.integers(0, 6))
def test_a_decimal_number_is_rounded_as_that_decimal(digits, scale, decimals):
    exact = Decimal(digits).scaleb(-scale)
    expected = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    assert round_half_away(float(exact), decimals) == expected


@given(st.floats(-1e12, 1e12), st.integers(0, 8))
def test_rounding_is_odd_and_within_half_a_step(value, decimals):
    rounded = round_half_away(value, decimals)
    half = Decimal(5).scaleb(-decimals - 1)
    assert abs(rounded - Decimal(value)) <= half + abs(Decimal(value)) * Decimal("1e-14")
    assert round_half_away(-value, decimals) == -rounded


@given(st.floats(allow_nan=False, allow_infinity=False), st.integers(0, 8))
def test_any_finite_number_prints_with_its_decimals(value, decimals):
    text = HOUSE.number(value, decimals)
    assert "E" not in text
    assert len(text.partition(".")[2]) == decimals


@pytest.mark.parametrize(
    ("value", "decimals", "text"),
    [
        (42.649999999999999, 1, "42.7"),
        (0.5, 0, "1"),
        (-2.5, 0, "-3"),
        (1.005, 2, "1.01"),
        (79.0, 0, "79"),
        (1e20, 1, "100000000000000000000.0"),
    ],
)
def test_halves_go_away_from_zero(value, decimals, text):
    assert HOUSE.number(value, decimals) == text


def test_a_small_negative_number_keeps_or_drops_its_sign_by_the_house_rule():
    assert HOUSE.number(-0.0399, 1) == "-0.0"
    assert DROP.number(-0.0399, 1) == "0.0"
    assert DROP.number(-0.06, 1) == "-0.1"


def test_zero_itself_never_has_a_sign():
    assert HOUSE.number(-0.0, 1) == "0.0"


def test_no_value_and_no_estimate_print_differently():
    assert HOUSE.number(None, 1) == HOUSE.p_value(None) == HOUSE.count(None) == ""
    assert HOUSE.number(math.nan, 1) == HOUSE.p_value(math.nan) == "NE"
    assert HOUSE.number(math.inf, 1) == "NE"


def test_rounding_refuses_what_is_not_finite():
    with pytest.raises(UsageError, match="expected a finite number"):
        round_half_away(math.nan, 1)


@pytest.mark.parametrize(
    ("value", "plain", "sas"),
    [
        (0.0, "<0.001", "<.0001"),
        (0.00009, "<0.001", "<.0001"),
        (0.00099, "<0.001", "0.0010"),
        (0.001, "0.001", "0.0010"),
        (0.0499999999, "0.050", "0.0500"),
        (0.5934, "0.593", "0.5934"),
        (0.999, "0.999", "0.9990"),
        (0.99905, ">0.999", "0.9991"),
        (1.0, ">0.999", ">.9999"),
    ],
)
def test_p_values_never_print_zero_or_one(value, plain, sas):
    assert HOUSE.p_value(value) == plain
    assert SAS.p_value(value) == sas


def test_a_p_value_outside_its_range_is_refused():
    with pytest.raises(UsageError, match=r"p-value of 1\.2"):
        HOUSE.p_value(1.2)


@pytest.mark.parametrize(
    ("n", "denominator", "text"),
    [
        (0, 86, "0"),
        (0, 0, "0"),
        (12, 80, "12 (15%)"),
        (86, 86, "86 (100%)"),
        (1, 8, "1 (13%)"),
        (2, 400, "2 (<1%)"),
        (399, 400, "399 (>99%)"),
        (None, 10, ""),
    ],
)
def test_percentages_follow_their_count(n, denominator, text):
    assert HOUSE.percent(n, denominator) == text


def test_percentages_may_be_rounded_and_padded_instead():
    rule = NumberFormat(small_percent="round", percent_width=3)
    assert rule.percent(1, 400) == "1 (  0%)"
    assert rule.percent(80, 80) == "80 (100%)"
    assert NumberFormat(percent_decimals=1).percent(1, 2000) == "1 (<0.1%)"


def test_a_count_above_its_denominator_is_refused():
    with pytest.raises(UsageError, match="3 of 2"):
        HOUSE.percent(3, 2)
