"""What a where-clause means, on every kind of column."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import ExpressionError
from trialmlm.expressions import read_where

JANUARY, FEBRUARY = dt.date(2026, 1, 5), dt.date(2026, 2, 1)


def rows(text: str, **columns: object) -> list[int]:
    """Which rows of a small frame fulfil `text`; the index is no help."""
    frame = pd.DataFrame(columns)
    frame.index = pd.Index(range(10, 10 + len(frame)))
    mask = read_where(text).mask(frame, "adsl")
    assert mask.dtype == np.bool_
    assert mask.shape == (len(frame),)
    return [int(place) for place in np.flatnonzero(mask)]


@pytest.mark.parametrize(
    "kind", [object, "string", "category", *(["str"] if pd.__version__ >= "3" else [])]
)
class TestText:
    def column(self, kind: str) -> pd.Series:
        return pd.Series(["Y", "N  ", None, ""], dtype=kind)

    def test_trailing_blanks_do_not_count(self, kind: str) -> None:
        assert rows("X == 'N'", X=self.column(kind)) == [1]
        assert rows("X == 'Y '", X=self.column(kind)) == [0]

    def test_a_missing_text_is_blank(self, kind: str) -> None:
        assert rows("X == ''", X=self.column(kind)) == [2, 3]
        assert rows("missing(X)", X=self.column(kind)) == [2, 3]
        assert rows("X != 'Y'", X=self.column(kind)) == [1, 2, 3]

    def test_in_looks_among_texts(self, kind: str) -> None:
        assert rows("X in ['Y', 'N']", X=self.column(kind)) == [0, 1]
        assert rows("X not in ['Y', 'N']", X=self.column(kind)) == [2, 3]

    def test_a_number_is_refused(self, kind: str) -> None:
        said = r"column X \(text, for example 'Y'\) cannot be compared with the number 1"
        with pytest.raises(ExpressionError, match=said):
            rows("X == 1", X=self.column(kind))


@pytest.mark.parametrize(
    "values",
    [
        np.array([1.0, np.nan, 3.0]),
        pd.array([1, None, 3], dtype="Int64"),
        np.array([1, None, 3], dtype=object),
        np.array([Decimal(1), None, Decimal(3)], dtype=object),
    ],
)
class TestNumbers:
    @pytest.mark.parametrize(
        ("text", "found"),
        [
            ("X == 3", [2]),
            ("X != 3", [0]),
            ("X > 0", [0, 2]),
            ("X in [1, 3]", [0, 2]),
            ("X not in [3]", [0]),
            ("not X == 3", [0, 1]),
            ("not (X in [3])", [0, 1]),
            ("missing(X)", [1]),
            ("missing(X + 1)", [1]),
            ("2 * X - 1 == 5", [2]),
            ("abs(-X) >= 3", [2]),
        ],
    )
    def test_a_missing_number_fulfils_no_comparison(
        self, values: np.ndarray, text: str, found: list[int]
    ) -> None:
        assert rows(text, X=values) == found

    def test_a_text_is_refused(self, values: np.ndarray) -> None:
        with pytest.raises(ExpressionError, match=r"column X \(numbers, for example 1"):
            rows("X == 'A'", X=values)

    def test_blank_text_is_refused_with_advice(self, values: np.ndarray) -> None:
        with pytest.raises(ExpressionError, match="tested with missing"):
            rows("X == ''", X=values)


def test_a_division_by_zero_is_missing() -> None:
    assert rows("1 / X > 0", X=[0, 2]) == [1]
    assert rows("missing(1 / X)", X=[0, 2]) == [0]


@pytest.mark.parametrize(
    "values",
    [
        pd.to_datetime(["2026-01-05T10:30", None, "2026-02-01T00:00"]),
        pd.to_datetime(["2026-01-05T23:30", None, "2026-02-01T00:00"]).tz_localize("Asia/Tokyo"),
        np.array([JANUARY, None, FEBRUARY], dtype=object),
        np.array(["2026-01-05", "NaT", "2026-02-01"], dtype="datetime64[s]"),
    ],
)
class TestDates:
    def test_a_date_is_compared_by_its_day(self, values: object) -> None:
        assert rows("X == '2026-01-05'", X=values) == [0]
        assert rows("X <= '2026-01-05'", X=values) == [0]
        assert rows("'2026-01-05' < X", X=values) == [2]

    def test_a_missing_date_fulfils_no_comparison(self, values: object) -> None:
        assert rows("X != '2026-01-05'", X=values) == [2]
        assert rows("X not in ['2026-01-05']", X=values) == [2]
        assert rows("missing(X)", X=values) == [1]

    @pytest.mark.parametrize("text", ["5JAN2026", "2026-02-30", "2026-1-5", "20260105", "2026"])
    def test_a_text_that_is_no_date_is_refused(self, values: object, text: str) -> None:
        with pytest.raises(ExpressionError, match="a date is written 'YYYY-MM-DD'"):
            rows(f"X == '{text}'", X=values)

    def test_a_date_is_not_compared_with_a_number(self, values: object) -> None:
        with pytest.raises(ExpressionError, match=r"dates, for example 2026-01-05"):
            rows("X > 3", X=values)


def test_two_date_columns_are_compared_to_the_moment() -> None:
    first = pd.to_datetime(["2026-01-05T10:00", "2026-01-05T10:00"])
    second = pd.to_datetime(["2026-01-05T11:00", None])
    assert rows("X < Z", X=first, Z=second) == [0]


def test_a_date_column_is_not_compared_with_a_text_column() -> None:
    with pytest.raises(ExpressionError, match="cannot be compared"):
        rows("X == Z", X=pd.to_datetime(["2026-01-05"]), Z=["2026-01-05"])


@pytest.mark.parametrize("values", [[np.nan, np.nan], [None, None]])
def test_a_column_of_missing_values_compares_with_anything(values: list[object]) -> None:
    assert rows("X == ''", X=values) == [0, 1]
    assert rows("X != 3", X=values) == []
    assert rows("X == Y", X=values, Y=["", "a"]) == [0]
    assert rows("X > '2026-01-01'", X=values) == []


def test_a_true_false_column_counts_as_one_and_zero() -> None:
    assert rows("X == 1", X=[True, False]) == [0]


def test_functions_change_text() -> None:
    assert rows("upper(X) == 'WEEK 8' and lower(X) == 'week 8'", X=["Week 8", "Week 4"]) == [0]
    assert rows("trim(X) == 'a'", X=[" a ", "b"]) == [0]


def test_texts_are_compared_column_with_column() -> None:
    assert rows("X == Y", X=["a ", None, "c"], Y=["a", "", "d"]) == [0, 1]


def test_a_column_of_any_name_stands_in_backquotes() -> None:
    frame = pd.DataFrame({"Treatment group": ["A", "B"], "a.b": [1, 2]})
    where = read_where("`Treatment group` == 'B' and `a.b` > 1")
    assert where.names == {"Treatment group", "a.b"}
    assert where.mask(frame).tolist() == [False, True]


def test_a_condition_without_columns_holds_for_every_row() -> None:
    assert rows("1 == 1", X=[1, 2]) == [0, 1]


def test_an_empty_frame_has_an_empty_mask() -> None:
    frame = pd.DataFrame({"X": pd.Series(dtype=object), "Y": pd.Series(dtype=float)})
    assert read_where("X == 'A' and Y > 1 or missing(X)").mask(frame).shape == (0,)


def test_an_unknown_column_is_named_with_a_near_one() -> None:
    with pytest.raises(ExpressionError, match="adsl has no column 'SAFL'; did you mean SAFFL"):
        rows("SAFL == 'Y'", SAFFL=["Y"])


def test_a_text_without_quotes_is_told_from_a_column() -> None:
    with pytest.raises(ExpressionError, match="put it in quotes: 'Y'"):
        rows("SAFFL == Y", SAFFL=["Y"])


@pytest.mark.parametrize(
    ("values", "said"),
    [(["a", 1], "mixed"), (pd.to_timedelta([1, 2]), "timedelta"), ([1j, 2j], "complex")],
)
def test_a_column_of_other_values_is_refused(values: object, said: str) -> None:
    with pytest.raises(ExpressionError, match=said):
        rows("X == 1", X=values)


def test_a_column_that_stands_twice_is_refused() -> None:
    frame = pd.DataFrame([[1, 2]], columns=["X", "X"])
    with pytest.raises(ExpressionError, match="2 columns named 'X'"):
        read_where("X == 1").mask(frame)


def test_text_is_not_calculated_with() -> None:
    with pytest.raises(ExpressionError, match=r"'\+' takes numbers, not column X \(text"):
        rows("X + 1 > 2", X=["a"])
    with pytest.raises(ExpressionError, match=r"upper\(…\) takes text, not column X \(numbers"):
        rows("upper(X) == 'A'", X=[1])


NUMBERS = st.lists(st.one_of(st.none(), st.floats(allow_nan=False)), min_size=1, max_size=8)


@given(NUMBERS, st.floats(allow_nan=False, allow_infinity=False, min_value=0))
def test_a_number_is_less_equal_more_or_missing(values: list[float | None], bound: float) -> None:
    frame = pd.DataFrame({"X": pd.Series(values, dtype=float)})
    texts = (f"X < {bound!r}", f"X == {bound!r}", f"X > {bound!r}", "missing(X)")
    masks = [read_where(text).mask(frame).astype(int) for text in texts]
    assert (sum(masks) == 1).all()
