"""Nothing a file says is run: what is not allowed is refused by name, before anything else."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import ExpressionError
from trialmlm.expressions import FORMULA, WHERE, read_expression, read_where

FRAGMENTS = (
    *("x", "y", "ARM", "`a b`", "us(", "log(", "C(", "Q(", "bs(", "missing(", "eval(", "'PBO'"),
    *('"a"', "1", "2.5", "1e-8", "+", "-", "*", "/", ":", "^", "**", "~", "|", "||", "(", ")"),
    *(",", "=", "==", "!=", "<", "<=", "[", "]", "and", "or", "not", "in", "lambda", ".", "%"),
    *(
        "Sum",
        "Sum(",
        "C(x,",
        "us(V | S)",
        "(1 | g)",
        "df=",
        "I(",
        "poly(",
        "Treatment(",
        "\\",
        "'",
        "`",
        "é",
        "\n",
        "\x00",
        "1 |",
    ),
)

ANYTHING = st.one_of(
    st.text(max_size=60),
    st.text(alphabet=string.printable, max_size=60),
    st.lists(st.sampled_from(FRAGMENTS), max_size=25).map(" ".join),
    st.lists(st.sampled_from(FRAGMENTS), max_size=25).map("".join),
)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("__import__('os').system('true')", "'__import__' is a name of Python's own"),
        ("y ~ `__class__`", "'__class__' is a name of Python's own"),
        ("y ~ x.__class__", "attribute access"),
        ("y ~ np.log(x)", "attribute access"),
        ("y ~ x.1", "attribute access"),
        ("y ~ 'a'.join", "attribute access"),
        ("y ~ d['a']", "subscripts"),
        ("y ~ (lambda: 1)()", "'lambda'"),
        ("y ~ x if x else z", "'if'"),
        ("import os", "'import'"),
        ("y ~ (x for x in z)", "'for'"),
        ('y ~ eval("1")', "'eval' is not allowed"),
        ("open('f')", "'open' is not allowed"),
        ("y ~ (log)(x)", "only a function's name can be called"),
        ("y ~ `log`(x)", "only a function's name can be called"),
        ("y ~ log(x)(x)", "only a function's name can be called"),
        ("y ~ bs(x, df=eval('4'))", "a constant is expected here, not 'eval'"),
        ("y ~ bs(x, df=log(4))", "a constant is expected here, not 'log'"),
        ("y ~ bs(x, df=z)", "a constant is expected here, not 'z'"),
        ("y ~ f'a'", "'f' stands before a text"),
        ("y ~ f'{x}'", "'f' stands before a text"),
        ("y ~ {x}", "braces"),
        ("y := x", "':='"),
        ("y ~ x; z", "';'"),
        ("y ~ x @ z", "'@'"),
        ("y ~ x \\ z", "a backslash"),
        ("y ~ x # z", "'#'"),
        ("y ~ d$x", "'$'"),
        ("y ~ a %in% b", "'%in%'"),
        ("y ~ a % b", "'%'"),
        ("y ~ a // b", "'//'"),
        ("y ~ a & b", "'&'"),
        ("y ~ !a", "'!'"),
        ("y ~ a and b", "'and'"),
        ("y ~ größe", "the letter 'ö'"),
        ("y ~ “a”", "typographic quote"),
        ("y ~ a − b", "typographic minus"),
        ("y ~\xa0a", "no-break space"),
        ("y ~ 'a", "is not closed"),
        ("y ~ `a", "is not closed"),
        ("y ~ 1x", "begins with a digit"),
        ("y ~ a\x00", "is not allowed here"),
        ("y ~ `a\u202eb`", "an invisible character"),
        ("y ~ C(x, Treatment('a\nb'))", "an invisible character"),
        ("y ~ C(x, Treatment('a\\nb'))", "a backslash within a text"),
        ("y ~ C(x, Treatment('a''b'))", "two texts side by side"),
        ("y ~ I(9**9**9)", "raised to a number of at most 100"),
        ("y ~ I(x**(9**9))", "raised to a number of at most 100"),
        ("y ~ I(x**(9*9))", "an exponent is a column or one number"),
        ("y ~ (a + b)^10", "a power of terms is a whole number from 1 to 9"),
        ("y ~ 1e999", "too large"),
        ("y ~ Q(x)", "a constant is expected"),
        ("y ~ Q(1)", "Q(…) takes a column's name in quotes"),
        ("y ~ Q('__builtins__')", "a name of Python's own"),
        ("y ~ f(**d)", "'f' is not allowed"),
        ("y ~ log(**d)", "'**' stands where"),
        ("y ~ log '(' x)", "stands where an operator is expected"),
        ("", "the text is empty"),
        (" \n ", "the text is empty"),
    ],
)
def test_a_formula_that_is_refused_says_why(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        read_expression(text, FORMULA)
    assert said in refused.value.message


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("X", "a condition is expected"),
        ("1", "a condition is expected"),
        ("X + 1", "a condition is expected"),
        ("X and Y == 1", "a condition, as X == 'A', is expected beside 'and'"),
        ("not X", "is expected beside 'not'"),
        ("(X == 1) == 1", "a column or a value is expected beside '=='"),
        ("missing(X == 1)", "a column or a value is expected beside 'missing'"),
        ("1 < X < 3", "write 1 < X and X < 3"),
        ("X == 1 == 1", "a chained comparison"),
        ("X = 1", "write =="),
        ("X <> 1", "write !="),
        ("X ^= 1", "write !="),
        ("X => 1", "write >="),
        ("X eq 1", "write =="),
        ("X == 1 AND Y == 1", "write and"),
        ("X == 1 | Y == 1", "write or"),
        ("X == 1 & Y == 1", "writes and"),
        ("!missing(X)", "writes not"),
        ("X is None", "missing(X)"),
        ("X == None", "missing(X)"),
        ("X == True", "counts as 1 and 0"),
        ("X ** 2 > 1", "a power is not allowed"),
        ("X in 'A'", "a list is expected after 'in'"),
        ("X in []", "a constant"),
        ("X in [Y]", "a constant is expected here, not 'Y'"),
        ("X in [eval('1')]", "a constant is expected here, not 'eval'"),
        ("X[0] == 1", "subscripts"),
        ("['A'] == X", "a list stands only after 'in'"),
        ("X.str == 1", "attribute access"),
        ("len(X) == 1", "'len' is not allowed in a where-clause (allowed: missing, abs"),
        ("upcase(X) == 'A'", "did you mean upper?"),
        ("misssing(X)", "did you mean missing?"),
        ("log(X) > 1", "a function of model formulas"),
        ("missing()", "missing(…) takes 1 argument; 0 given"),
        ("'a' + X == 'b'", "a text cannot stand beside '+'"),
        ("X == -'a'", "a text cannot stand beside '-'"),
        ("(X == 1", "the text ends where ')' is expected"),
        ("X == 1)", "')' stands where an operator is expected"),
        ("X ==", "the text ends"),
    ],
)
def test_a_where_clause_that_is_refused_says_why(text: str, said: str) -> None:
    with pytest.raises(ExpressionError) as refused:
        read_where(text)
    assert said in refused.value.message


@pytest.mark.parametrize(
    "text",
    [
        "y ~ " + "(" * 2_000 + "x" + ")" * 2_000,
        "y ~ " + "-" * 5_000 + "x",
        "y ~ I(" + "**".join("x" * 3_000) + ")",
        "y ~ " + "log(" * 1_000 + "x",
        "y ~ " + "+".join("x" * 4_000),
        "y ~ " + "x" * 10_000,
    ],
)
def test_a_text_too_deep_or_too_long_is_refused(text: str) -> None:
    with pytest.raises(ExpressionError, match=r"more than|at most"):
        read_expression(text, FORMULA)


def test_two_hundred_operators_are_read() -> None:
    where = read_where(" or ".join(f"X == {number}" for number in range(120)))
    assert where.names == {"X"}


def test_the_place_is_marked_under_the_text() -> None:
    with pytest.raises(ExpressionError) as refused:
        read_expression("y ~ a +\n eval(x)", FORMULA)
    _, shown, carets = str(refused.value).splitlines()
    assert shown[carets.index("^") : carets.rindex("^") + 1] == "eval"


def test_a_message_prints_no_control_character() -> None:
    with pytest.raises(ExpressionError) as refused:
        read_where("X == 1 \x1b[2J")
    assert "\x1b" not in str(refused.value)


@given(ANYTHING)
def test_reading_any_text_raises_nothing_but_an_expression_error(text: str) -> None:
    for dialect in (FORMULA, WHERE):
        try:
            node = read_expression(text, dialect)
        except ExpressionError as refused:
            assert refused.message  # noqa: PT017
        else:
            assert node.end <= len(text)


@given(ANYTHING)
def test_reading_any_text_as_a_where_clause_raises_nothing_but_an_expression_error(
    text: str,
) -> None:
    try:
        where = read_where(text)
    except ExpressionError:
        return
    assert where.text == text
