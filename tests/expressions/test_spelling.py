"""A tree is written back with the fewest parentheses that keep its meaning."""

from __future__ import annotations

import pytest

from trialmlm.expressions import FORMULA, read_expression
from trialmlm.expressions.nodes import Binary, Call, Items, Name, Number
from trialmlm.expressions.spelling import quoted, spell


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("y~((a))+(b*c)", "y ~ a + b * c"),
        ("y~(a+b)*c", "y ~ (a + b) * c"),
        ("~a-(b-c)", "~ a - (b - c)"),
        ("~(1|g)+(a||g/h)", "~ (1 | g) + (a || g / h)"),
        ("~us(V|A/S)", "~ us(V | A / S)"),
        ("~I((-a)^2)+I(-(a^2))", "~ I((-a)**2) + I(-a**2)"),
        ("~I((a^b)^c)+I(a^(b^c))", "~ I((a**b)**c) + I(a**b**c)"),
        ("~I(X>=1e300)+I(X<1e-8)", "~ I(X >= 1e+300) + I(X < 1e-08)"),
    ],
)
def test_a_formula_is_spelled_and_read_again(text: str, spelled: str) -> None:
    tree = read_expression(text, FORMULA)
    assert spell(tree) == spelled
    assert read_expression(spelled, FORMULA) == tree


def test_columns_may_be_written_otherwise() -> None:
    tree = read_expression("~ `Treatment group` * log(x)", FORMULA)
    assert spell(tree, column=str) == "~ Treatment group * log(x)"


def test_arithmetic_is_spelled_alone() -> None:
    assert spell(Binary(">", Name("X"), Number(65))) == "X > 65"


@pytest.mark.parametrize(
    "name", ["log", "C", "us", "Sum", "class", "None", "print", "a b", "é", ""]
)
def test_a_name_that_means_something_else_is_quoted(name: str) -> None:
    assert quoted(name) == f'Q("{name}")'


def test_what_is_no_part_of_a_formula_is_not_spelled() -> None:
    with pytest.raises(TypeError, match="Items"):
        spell(Items((Number(1),)))
    with pytest.raises(TypeError, match="missing"):
        spell(Call("missing", (Name("X"),)))
