"""A tree written back as text that patsy reads, and that this room reads to the same tree."""

from __future__ import annotations

import builtins
import json
import keyword
from typing import TYPE_CHECKING

from trialmlm.expressions.dialects import DIALECTS, FORMULA, Dialect
from trialmlm.expressions.functions import BASES, CONTRASTS, COVARIANCES, QUOTE, TRANSFORMATIONS
from trialmlm.expressions.nodes import Binary, Call, Name, Node, Number, Text, Unary

if TYPE_CHECKING:
    from collections.abc import Callable

_TAKEN = frozenset(
    {*TRANSFORMATIONS, *BASES, *QUOTE, *CONTRASTS, *COVARIANCES, *keyword.kwlist, *dir(builtins)}
)
_TIGHTEST = 9
#: whole numbers up to here are written without a decimal point (df=4)
_LARGEST_WHOLE = 1e15


def quoted(name: str) -> str:
    """Return a column's name as patsy reads it: plain, or ``Q("…")``.

    Quoted are names that are no plain identifier, Python's words, and names of functions.
    """
    plain = name.isascii() and name.isidentifier() and name not in _TAKEN
    return name if plain else f"Q({constant_text(name)})"


def constant_text(value: str) -> str:
    """Return a text constant in double quotes, escaped."""
    return json.dumps(value, ensure_ascii=False)


def spell(
    node: Node,
    column: Callable[[str], str] = quoted,
    dialect: Dialect = FORMULA,
    floor: int = 0,
) -> str:
    """Write the tree of a formula, or a part of it, as text.

    Parameters
    ----------
    node : Node
        A tree that was read in the dialect `FORMULA`.
    column : callable
        How a column's name is written; by default as patsy reads it.
    dialect : Dialect
        The dialect `node` stands in.
    floor : int
        The level below which parentheses are needed.

    Returns
    -------
    str
        With the fewest parentheses that keep the meaning.
    """
    match node:
        case Name(name):
            return column(name)
        case Number(value):
            whole = float(value).is_integer() and value < _LARGEST_WHOLE
            return str(int(value)) if whole else repr(float(value))
        case Text(value):
            return constant_text(value)
        case Call():
            return _spell_call(node, column)
        case Unary(operator, operand):
            level = dialect.prefix[operator]
            blank = " " if operator == "~" else ""
            written = f"{operator}{blank}{spell(operand, column, dialect, level + 1)}"
            return f"({written})" if level < floor else written
        case Binary():
            return _spell_binary(node, column, dialect, floor)
    message = f"{type(node).__name__} is no part of a formula"
    raise TypeError(message)


def _spell_binary(node: Binary, column: Callable[[str], str], dialect: Dialect, floor: int) -> str:
    operator = node.operator
    if operator in {"|", "||"}:
        terms = spell(node.left, column, dialect, 1)
        groups = spell(node.right, column, DIALECTS["groups"], 1)
        written = f"{terms} {operator} {groups}"
        return f"({written})" if dialect is FORMULA else written
    if operator not in dialect.infix:
        # a part of a formula spelled alone may be arithmetic: the X > 65 of I(X > 65)
        dialect = DIALECTS["arithmetic"]
    level = dialect.infix[operator]
    to_right = operator == "**"
    left = spell(node.left, column, dialect, level + to_right)
    right = spell(node.right, column, dialect, level + (not to_right))
    tight = operator in {":", "**"}
    written = f"{left}{operator}{right}" if tight else f"{left} {operator} {right}"
    return f"({written})" if level < floor else written


def _spell_call(call: Call, column: Callable[[str], str]) -> str:
    function = FORMULA.functions.get(call.function, CONTRASTS.get(call.function))
    if function is None:
        message = f"{call.function} is no function of a formula"
        raise TypeError(message)
    if call.function in CONTRASTS and not call.arguments and not call.keywords:
        return call.function
    written = [
        spell(argument, column, DIALECTS[function.place(number)], 1)
        for number, argument in enumerate(call.arguments)
    ]
    constant = DIALECTS["constant"]
    written += [f"{name}={spell(value, column, constant, 1)}" for name, value in call.keywords]
    return f"{call.function}({', '.join(written)})"
