"""A factor of a formula as assignments of a DATA step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trialmlm.errors import NotAvailableError
from trialmlm.expressions.nodes import Binary, Call, Name, Node, Number, Unary
from trialmlm.expressions.spelling import spell
from trialmlm.programs.analysis import NumberFactor, Recurrence, Shift
from trialmlm.programs.sas_text import number, variable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_SIGNS = {"==": "=", "!=": "ne"}
_SAME = frozenset({"log", "exp", "sqrt"})


def assignments(factor: NumberFactor, targets: Sequence[str]) -> list[str]:
    """Statements that make the factor's columns.

    Raises
    ------
    NotAvailableError
        For a spline: its basis has no equivalent in a DATA step.
    """
    learnt = dict(factor.learnt)
    match factor.node:
        case Call("poly", (argument, *_)) as call if isinstance(learnt.get(call), Recurrence):
            found = learnt[call]
            assert isinstance(found, Recurrence)  # noqa: S101
            return _polynomial(expression(argument, learnt), found, targets)
    return [f"{targets[0]} = {expression(factor.node, learnt)};"]


def expression(node: Node, learnt: Mapping[Call, Shift | Recurrence | None]) -> str:
    """Arithmetic; every operation in parentheses, so that precedence does not matter."""
    match node:
        case Name(name):
            return variable(name)
        case Number(value):
            return number(value)
        case Unary(sign, operand):
            return f"({sign}{expression(operand, learnt)})"
        case Binary(sign, left, right):
            sides = expression(left, learnt), expression(right, learnt)
            return f"({sides[0]} {_SIGNS.get(sign, sign)} {sides[1]})"
        case Call("I", (argument,)):
            return expression(argument, learnt)
        case Call(function, (argument,)) if function in _SAME:
            return f"{function}({expression(argument, learnt)})"
        case Call(_, (argument, *_)) if isinstance(found := learnt.get(node), Shift):
            shifted = f"({expression(argument, learnt)} - ({number(found.shift)}))"
            return shifted if found.unit == 1.0 else f"({shifted} / {number(found.unit)})"
    msg = (
        f"SAS: {spell(node, column=str)} has no equivalent in PROC MIXED; make its columns in the "
        "data, and name them in the formula"
    )
    raise NotAvailableError(msg)


def _polynomial(x: str, found: Recurrence, targets: Sequence[str]) -> list[str]:
    """The three-term recurrence, then each column over its norm."""
    lines = []
    for j, (target, alpha) in enumerate(zip(targets, found.alpha, strict=True)):
        before = [targets[j - 1]] if j else []
        line = " * ".join([f"({x} - ({number(alpha)}))", *before])
        if j:
            ratio = number(found.norm2[j + 1] / found.norm2[j])
            line += f" - {ratio}" + (f" * {targets[j - 2]}" if j > 1 else "")
        lines.append(f"{target} = {line};")
    norms = (number(math.sqrt(found.norm2[j + 2])) for j in range(len(targets)))
    return lines + [f"{t} = {t} / {norm};" for t, norm in zip(targets, norms, strict=True)]
