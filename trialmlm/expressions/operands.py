"""What an operator may stand between, beyond its level.

A power of constants alone could keep the machine busy for days (9**9**9), so the size of every
power is bounded by its text: an exponent is a column or a number within bounds.
"""

from __future__ import annotations

from trialmlm.expressions.dialects import COMPARISONS
from trialmlm.expressions.nodes import Binary, Node, Number, Text, Unary, children, names
from trialmlm.expressions.refusal import refused

#: the largest power of terms, (A + B)^2, and of a column, I(X**2)
LARGEST_OF_TERMS = 9
LARGEST = 100


def check(text: str, node: Unary | Binary, *, of_terms: bool) -> None:
    """Refuse a power out of bounds, and a text constant where nothing is compared.

    Parameters
    ----------
    text : str
        The whole text, for the message.
    node : Unary or Binary
        An operator with its operands.
    of_terms : bool
        True among the terms of a model, false in arithmetic and where-clauses.
    """
    if isinstance(node, Binary) and node.operator == "**":
        _check_power(text, node, of_terms=of_terms)
    if node.operator in COMPARISONS:
        return
    for side in children(node):
        if isinstance(side, Text):
            message = f"a text cannot stand beside '{node.operator}'"
            raise refused(message, text, side.start, side.end)


def _check_power(text: str, node: Binary, *, of_terms: bool) -> None:
    exponent = node.right
    size = _number(exponent)
    if of_terms and not (size and 1 <= size <= LARGEST_OF_TERMS and size.is_integer()):
        message = (
            f"a power of terms is a whole number from 1 to {LARGEST_OF_TERMS}; "
            "the power of a column is written I(X**2)"
        )
        raise refused(message, text, exponent.start, exponent.end)
    if size is None and not names(exponent):
        message = f"an exponent is a column or one number of at most {LARGEST}"
        raise refused(message, text, exponent.start, exponent.end)
    if size is not None and (abs(size) > LARGEST or not names(node.left)):
        message = f"a column is raised to a number of at most {LARGEST}"
        raise refused(message, text, node.start, node.end)


def _number(node: Node) -> float | None:
    """Return the value of a number, signed or not."""
    if isinstance(node, Unary) and isinstance(node.operand, Number):
        return -node.operand.value if node.operator == "-" else node.operand.value
    return node.value if isinstance(node, Number) else None
