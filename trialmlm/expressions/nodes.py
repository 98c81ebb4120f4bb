"""The tree a formula or a where-clause is read into.

Two nodes are equal when they say the same; where they stood in the text does not count.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A part of an expression, and where it stands in the text.

    Attributes
    ----------
    start, end : int
        Offsets into the text, ``text[start:end]``.
    """

    start: int = field(default=0, compare=False, repr=False)
    end: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Name(Node):
    """A column."""

    name: str


@dataclass(frozen=True, slots=True)
class Number(Node):
    """A number, finite and without a sign."""

    value: float


@dataclass(frozen=True, slots=True)
class Text(Node):
    """A text constant, unquoted."""

    value: str


@dataclass(frozen=True, slots=True)
class Call(Node):
    """A registered function with its arguments; a contrast by name alone has none."""

    function: str
    arguments: tuple[Node, ...] = ()
    keywords: tuple[tuple[str, Node], ...] = ()


@dataclass(frozen=True, slots=True)
class Unary(Node):
    """A sign, ``not``, or the ``~`` of a formula without response."""

    operator: str
    operand: Node


@dataclass(frozen=True, slots=True)
class Binary(Node):
    """An operator between two parts; a power is ``**`` however it was written."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True, slots=True)
class Items(Node):
    """The constants that ``in`` looks among."""

    items: tuple[Node, ...]


def children(node: Node) -> tuple[Node, ...]:
    """Return the parts directly under `node`, in the order of the text."""
    match node:
        case Unary(_, operand):
            return (operand,)
        case Binary(_, left, right):
            return (left, right)
        case Call(_, arguments, keywords):
            return arguments + tuple(value for _, value in keywords)
        case Items(items):
            return items
    return ()


def walk(node: Node) -> Iterator[Node]:
    """Yield `node` and everything under it, each part before its own parts."""
    waiting = [node]
    while waiting:
        current = waiting.pop()
        yield current
        waiting.extend(reversed(children(current)))


def names(node: Node) -> frozenset[str]:
    """Return the columns named anywhere in `node`."""
    return frozenset(part.name for part in walk(node) if isinstance(part, Name))
