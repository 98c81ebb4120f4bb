"""The value of a factor on a table of columns: a walk over its tree, never Python's eval."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trialmlm.errors import FitError
from trialmlm.expressions.nodes import Binary, Call, Name, Node, Number, Text, Unary
from trialmlm.expressions.spelling import spell
from trialmlm.formula.transforms import LEARNERS, PLAIN, State

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array

States: TypeAlias = "tuple[tuple[Call, State], ...]"

_OPERATORS: Mapping[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "**": operator.pow,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}


def learn(node: Node, columns: Mapping[str, Array]) -> States:
    """What the stateful functions in `node` learn from these columns, innermost first."""
    match node:
        case Binary(_, left, right):
            return learn(left, columns) + learn(right, columns)
        case Unary(_, operand):
            return learn(operand, columns)
        case Call(function, arguments, keywords):
            inner = learn(arguments[0], columns)
            if function not in LEARNERS:
                return inner
            x = evaluate(arguments[0], columns, inner)
            rest = [_constant(argument) for argument in arguments[1:]]
            options = {name: _constant(value) for name, value in keywords}
            return (*inner, (node, _learnt(node, LEARNERS[function], x, rest, options)))
    return ()


def _learnt(
    node: Node, learner: Callable[..., State], x: Array, rest: list[Any], options: dict[str, Any]
) -> State:
    """Learn, turning what a basis refuses into an error that names the factor."""
    try:
        # sorted, so that what is learnt does not depend on the order of the data
        return learner(np.sort(x, axis=0), *rest, **options)
    except (ValueError, TypeError) as error:
        msg = f"{spell(node, column=str)} cannot be computed from these data: {error}"
        raise FitError(msg) from error


def evaluate(node: Node, columns: Mapping[str, Array], states: States = ()) -> Array:
    """The value of `node`, (m,) or (m, k).

    Raises
    ------
    FitError
        If a value is not finite, as the logarithm of zero; names the factor and the value.
    """
    with np.errstate(all="ignore"):
        value = _value(node, columns, dict(states))
    if not np.isfinite(value).all():
        where = np.flatnonzero(~np.isfinite(np.asarray(value).reshape(len(value), -1)).all(axis=1))
        at = {name: columns[name][where[0]] for name in sorted(_columns_of(node))}
        msg = f"{spell(node, column=str)} is not a finite number where " + ", ".join(
            f"{name} = {value:g}" for name, value in at.items()
        )
        raise FitError(msg)
    return value


def _value(node: Node, columns: Mapping[str, Array], states: Mapping[Call, State]) -> Array:
    match node:
        case Name(name):
            return columns[name]
        case Number(value):
            return np.float64(value)  # type: ignore[return-value]
        case Unary("-", operand):
            return -_value(operand, columns, states)
        case Unary("+", operand):
            return _value(operand, columns, states)
        case Binary(sign, left, right):
            # a comparison counts 1 where it holds
            result: Array = 1.0 * _OPERATORS[sign](
                _value(left, columns, states), _value(right, columns, states)
            )
            return result
        case Call(function, arguments) if function in PLAIN:
            return PLAIN[function](_value(arguments[0], columns, states))
        case Call(function, arguments) if function in LEARNERS:
            return states[node].apply(_value(arguments[0], columns, states))
    msg = f"{spell(node, column=str)} has no numeric value"
    raise FitError(msg)


def _constant(node: Node) -> Any:
    """A constant argument: a number, a signed number, or text."""
    match node:
        case Number(value) | Text(value):
            return value
        case Unary("-", Number(value)):
            return -value
    msg = f"{spell(node)} is not a constant"
    raise FitError(msg)


def _columns_of(node: Node) -> frozenset[str]:
    match node:
        case Name(name):
            return frozenset({name})
        case Binary(_, left, right):
            return _columns_of(left) | _columns_of(right)
        case Unary(_, operand):
            return _columns_of(operand)
        case Call(_, arguments):
            return _columns_of(arguments[0])
    return frozenset()
