"""Operators bind as in R among terms, as in Python within a function."""

from __future__ import annotations

import pytest

from trialmlm.expressions import FORMULA, WHERE, read_expression
from trialmlm.expressions.nodes import Binary, Call, Items, Name, Number, Text, Unary, names, walk

A, B, C, X = Name("a"), Name("b"), Name("c"), Name("X")


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a + b*c", Binary("+", A, Binary("*", B, C))),
        ("a*b:c", Binary("*", A, Binary(":", B, C))),
        ("a - b - c", Binary("-", Binary("-", A, B), C)),
        ("a/b/c", Binary("/", Binary("/", A, B), C)),
        ("(a + b)^2", Binary("**", Binary("+", A, B), Number(2))),
        ("a:(b + c)**2", Binary(":", A, Binary("**", Binary("+", B, C), Number(2)))),
        ("-1 + a", Binary("+", Unary("-", Number(1)), A)),
        ("-a*b", Unary("-", Binary("*", A, B))),
        ("a ~ b + c", Binary("~", A, Binary("+", B, C))),
        ("~ a", Unary("~", A)),
        ("(1 + a | b/c)", Binary("|", Binary("+", Number(1), A), Binary("/", B, C))),
        ("(a || b)", Binary("||", A, B)),
        ("I(-a**2)", Call("I", (Unary("-", Binary("**", A, Number(2))),))),
        ("I(-a*b)", Call("I", (Binary("*", Unary("-", A), B),))),
        ("I(a**-2*b)", Call("I", (Binary("*", Binary("**", A, Unary("-", Number(2))), B),))),
        ("I(a**b**c)", Call("I", (Binary("**", A, Binary("**", B, C)),))),
        ("I(a > 1e2)", Call("I", (Binary(">", A, Number(100)),))),
        ("C(a, Sum)", Call("C", (A, Call("Sum")))),
        ("C(a, Treatment('P'))", Call("C", (A, Call("Treatment", (Text("P"),))))),
        ("bs(a, df=4)", Call("bs", (A,), (("df", Number(4)),))),
        ("cr(log(a), 3)", Call("cr", (Call("log", (A,)), Number(3)))),
        ("Q('Treatment group')", Name("Treatment group")),
        ("`Treatment group`", Name("Treatment group")),
        ("log", Name("log")),
    ],
)
def test_a_formula_is_read_into_its_tree(text: str, tree: object) -> None:
    assert read_expression(text, FORMULA) == tree


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        (
            "X == 1 or X == 2 and not X < 3",
            Binary(
                "or",
                Binary("==", X, Number(1)),
                Binary(
                    "and",
                    Binary("==", X, Number(2)),
                    Unary("not", Binary("<", X, Number(3))),
                ),
            ),
        ),
        ("X + 1 >= -2", Binary(">=", Binary("+", X, Number(1)), Unary("-", Number(2)))),
        ("X not in ('A', \"B\")", Binary("not in", X, Items((Text("A"), Text("B"))))),
        ("X in [1, -2]", Binary("in", X, Items((Number(1), Unary("-", Number(2)))))),
        ("missing(X)", Call("missing", (X,))),
        (r"X == 'it\'s \\'", Binary("==", X, Text("it's \\"))),
    ],
)
def test_a_where_clause_is_read_into_its_tree(text: str, tree: object) -> None:
    assert read_expression(text, WHERE) == tree


def test_a_node_knows_where_it_stands() -> None:
    text = "y ~ a + (b + log(c))"
    spans = {text[node.start : node.end] for node in walk(read_expression(text, FORMULA))}
    assert {"y", "a", "(b + log(c))", "log(c)", "a + (b + log(c))", text} <= spans


def test_contrasts_and_functions_are_no_columns() -> None:
    node = read_expression("log(y) ~ C(ARM, Helmert) + bs(AGE, df=4)", FORMULA)
    assert names(node) == {"y", "ARM", "AGE"}
