"""The left side of a model, as numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import FitError, UsageError
from trialmlm.expressions.nodes import names
from trialmlm.formula.evaluate import evaluate, learn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array
    from trialmlm.expressions.nodes import Node
    from trialmlm.formula.variables import Variable


def response_values(node: Node | None, variables: Mapping[str, Variable]) -> Array:
    """The response on the rows used, (N,).

    Raises
    ------
    UsageError
        If the formula has no response.
    FitError
        If the response is text or a factor, or not finite.
    """
    if node is None:
        raise UsageError("the formula has no response; write it left of ~")
    columns = {}
    for name in sorted(names(node)):
        if variables[name].categorical:
            msg = f"the response {name} is text or a factor; a model needs a number"
            raise FitError(msg)
        columns[name] = variables[name].numbers()
    return evaluate(node, columns, learn(node, columns))
