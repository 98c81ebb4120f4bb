"""A where-clause applied to the rows of a frame."""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from functools import reduce
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
import pandas as pd

from trialmlm.expressions.nodes import (
    Binary,
    Call,
    Items,
    Name,
    Node,
    Number,
    Text,
    Unary,
    walk,
)
from trialmlm.expressions.refusal import did_you_mean, refused
from trialmlm.expressions.values import (
    Sort,
    Values,
    column_values,
    example,
    like,
    sort_of,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Array = np.ndarray[Any, Any]

_COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_COMBINE: dict[str, Callable[[Any, Any], Any]] = {"and": operator.and_, "or": operator.or_}


def _divide(left: Array, right: Array) -> Array:
    """Divide; by zero gives a missing number."""
    return left / np.where(right == 0, np.nan, right)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
}
_OF_TEXT: dict[str, Callable[[str], str]] = {
    "upper": str.upper,
    "lower": str.lower,
    "trim": lambda text: text.strip(" "),
}


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The columns a where-clause names, read once, and the text for messages.

    Attributes
    ----------
    text : str
        The where-clause.
    columns : mapping
        Column name -> its values.
    """

    text: str
    columns: Mapping[str, Values]

    @classmethod
    def of(cls, text: str, node: Node, frame: pd.DataFrame, dataset: str) -> Evaluation:
        """Read what `node` names from `frame`; a column it does not have is an error."""
        named = {part.name: part for part in walk(node) if isinstance(part, Name)}
        return cls(text, {key: _column(text, part, frame, dataset) for key, part in named.items()})

    def condition(self, node: Node) -> Array:
        """Return which rows fulfil `node`; shape (n_rows,), or () where it names no column."""
        match node:
            case Binary("and" | "or" as word, left, right):
                sides = self.condition(left), self.condition(right)
                return np.asarray(_COMBINE[word](*sides), dtype=bool)
            case Unary("not", operand):
                return np.logical_not(self.condition(operand))
            case Call("missing", (argument,)):
                return self.values(argument).missing
            case Binary("in", left, Items(items)):
                return reduce(operator.or_, (self.compare("==", left, item) for item in items))
            case Binary("not in", left, Items(items)):
                return reduce(operator.and_, (self.compare("!=", left, item) for item in items))
            case Binary(sign, left, right):
                return self.compare(sign, left, right)
        return self.refuse("a condition is expected", node)

    def compare(self, sign: str, left: Node, right: Node) -> Array:
        """Compare row by row; false where a number or a date is missing."""
        one, other = self.alike(left, right)
        if one.sort is Sort.DATE and (one.constant or other.constant):
            one, other = _by_day(one), _by_day(other)
        found = np.asarray(_COMPARE[sign](one.data, other.data), dtype=bool)
        if one.sort is Sort.TEXT:
            return found
        return np.asarray(found & ~one.missing & ~other.missing, dtype=bool)

    def alike(self, left: Node, right: Node) -> tuple[Values, Values]:
        """Return both sides as the same sort; unlike ones are an error."""
        one, other = self.values(left), self.values(right)
        for sort in (one.sort, other.sort):
            first, second = like(one, sort), like(other, sort)
            if sort is not Sort.EMPTY and first is not None and second is not None:
                return first, second
        if one.sort is other.sort is Sort.EMPTY:
            return one, other
        return self.refuse(_unlike(one, other), left, right)

    def values(self, node: Node) -> Values:
        """Return what `node` says of every row."""
        match node:
            case Name(name):
                return self.columns[name]
            case Number(value):
                return Values(Sort.NUMBER, np.asarray(value), f"the number {value:g}", True)
            case Text(value):
                data = np.asarray(value.rstrip(" "), dtype=object)
                return Values(Sort.TEXT, data, f"the text {value!r}", True)
            case Unary(sign, operand):
                data = self.numbers(sign, operand)
                return _result(Sort.NUMBER, -data if sign == "-" else data, sign)
            case Call("abs", (argument,)):
                return _result(Sort.NUMBER, np.abs(self.numbers("abs", argument)), "abs")
            case Call(function, (argument,)):
                return _result(Sort.TEXT, self.texts(function, argument), function)
            case Binary(sign, left, right):
                with np.errstate(all="ignore"):
                    sides = self.numbers(sign, left), self.numbers(sign, right)
                    return _result(Sort.NUMBER, _ARITHMETIC[sign](*sides), sign)
        return self.refuse("a column or a value is expected", node)

    def numbers(self, sign: str, node: Node) -> Array:
        """Return the numbers `sign` works on."""
        values = self.values(node)
        found = like(values, Sort.NUMBER)
        if found is None:
            self.refuse(f"'{sign}' takes numbers, not {values.told}", node)
        return found.data

    def texts(self, function: str, node: Node) -> Array:
        """Return the texts of `node`, each changed by `function`."""
        values = self.values(node)
        found = like(values, Sort.TEXT)
        if found is None:
            self.refuse(f"{function}(…) takes text, not {values.told}", node)
        return np.asarray(np.frompyfunc(_OF_TEXT[function], 1, 1)(found.data), dtype=object)

    def refuse(self, message: str, node: Node, last: Node | None = None) -> NoReturn:
        """Raise the error that marks `node`, or from it to the end of `last`."""
        raise refused(message, self.text, node.start, (last or node).end)


def _result(sort: Sort, data: Array, word: str) -> Values:
    return Values(sort, data, f"the result of {word} ({sort})")


def _by_day(values: Values) -> Values:
    """Return dates without their time of day."""
    return replace(values, data=values.data.astype("datetime64[D]"))


def _unlike(one: Values, other: Values) -> str:
    """Say why two sides cannot be compared, and what to write for a missing value."""
    message = f"{one.told} cannot be compared with {other.told}"
    texts = [side.data.item() for side in (one, other) if side.constant and side.sort is Sort.TEXT]
    if "" in texts:
        return f"{message}; a missing value is tested with missing(…)"
    if texts and Sort.DATE in (one.sort, other.sort):
        return f"{message}; a date is written 'YYYY-MM-DD'"
    return message


def _column(text: str, node: Name, frame: pd.DataFrame, dataset: str) -> Values:
    """Read one column; say what is wrong where it cannot be used."""
    where, name = dataset or "the dataset", node.name
    count = int((frame.columns == name).sum())
    if count == 0:
        near = did_you_mean(name, map(str, frame.columns))
        advice = near or f"; if the text is meant, put it in quotes: '{name}'"
        raise refused(f"{where} has no column '{name}'{advice}", text, node.start, node.end)
    if count > 1:
        message = f"{where} has {count} columns named '{name}'"
        raise refused(message, text, node.start, node.end)
    column = frame[name]
    sort = sort_of(column)
    if sort is None:
        held = pd.api.types.infer_dtype(column, skipna=True)
        message = (
            f"column {name} of {where} holds neither numbers, text nor dates alone but {held} "
            f"values (for example {example(column)})"
        )
        raise refused(message, text, node.start, node.end)
    return column_values(column, sort)
