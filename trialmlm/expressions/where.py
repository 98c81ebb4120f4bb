"""Where-clauses: which rows of a dataset a protocol means.

``SAFFL == 'Y' and AVISITN in [2, 4] and not missing(AVAL)``

* Text is compared with text, numbers with numbers, dates with dates; anything else is an error.
* A missing text is the same as '' and trailing blanks do not count, as in SAS. Categories compare
  as their text; text is ordered by code point.
* A comparison with a missing number or date is false, whatever the operator: ``X != 3`` and
  ``X not in [3]`` are false where X is missing. ``missing(X)`` tests for it; of a text, for blank.
* A date is compared with the text of a day, '2026-01-31'; its time of day does not count then. Two
  date columns are compared to the moment, each as its own clock shows it.
* A column of nothing but missing values compares with anything.
* A true/false column counts as 1 and 0.
* Arithmetic is on numbers; a division by zero is missing.
* ``upper``, ``lower`` and ``trim`` (blanks at both ends) change text, ``abs`` numbers.
* ``not`` binds more tightly than ``and``, ``and`` more tightly than ``or``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.expressions.dialects import COMPARISONS, WHERE
from trialmlm.expressions.evaluation import Evaluation
from trialmlm.expressions.nodes import Binary, Call, Items, Node, Unary, children, names, walk
from trialmlm.expressions.parser import read_expression
from trialmlm.expressions.refusal import refused

if TYPE_CHECKING:
    import pandas as pd

_LOGICAL = frozenset({"and", "or", "not"})


@dataclass(frozen=True, slots=True)
class Where:
    """A where-clause that was read.

    Attributes
    ----------
    text : str
        As it was written.
    node : Node
        Its tree.
    names : frozenset of str
        The columns it names.
    """

    text: str
    node: Node
    names: frozenset[str]

    def mask(self, frame: pd.DataFrame, dataset: str = "") -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Return which rows of `frame` fulfil the condition.

        Parameters
        ----------
        frame : DataFrame
            The rows.
        dataset : str, optional
            The frame's name, for messages.

        Returns
        -------
        ndarray of bool, shape (n_rows,)
            In the order of the rows, whatever the index.

        Raises
        ------
        ExpressionError
            For a column the frame does not have, a comparison of unlike values, or a text that is
            no date where one is compared.
        """
        rows = Evaluation.of(self.text, self.node, frame, dataset).condition(self.node)
        return np.array(np.broadcast_to(rows, len(frame)), dtype=bool)


def read_where(text: str) -> Where:
    """Read a where-clause.

    Parameters
    ----------
    text : str
        A condition on the columns of one dataset.

    Raises
    ------
    ExpressionError
        For what is not allowed, and for a text that is no condition.

    Examples
    --------
    >>> sorted(read_where("SAFFL == 'Y' and AGE >= 65").names)
    ['AGE', 'SAFFL']
    """
    node = read_expression(text, WHERE)
    if not _is_condition(node):
        message = "a condition is expected, as X == 'A' or missing(X)"
        raise refused(message, text, node.start, node.end)
    for part in walk(node):
        _check_operands(text, part)
    return Where(text, node, names(node))


def _is_condition(node: Node) -> bool:
    match node:
        case Binary(operator) | Unary(operator):
            return operator in COMPARISONS or operator in _LOGICAL
        case Call(function):
            return function == "missing"
    return False


def _check_operands(text: str, node: Node) -> None:
    """Refuse a value where a condition is expected, and the other way round."""
    if not isinstance(node, Binary | Unary | Call):
        return
    operator = node.function if isinstance(node, Call) else node.operator
    wanted = operator in _LOGICAL
    for part in children(node):
        if _is_condition(part) != wanted and not isinstance(part, Items):
            expected = "a condition, as X == 'A'," if wanted else "a column or a value"
            message = f"{expected} is expected beside '{operator}'"
            raise refused(message, text, part.start, part.end)
