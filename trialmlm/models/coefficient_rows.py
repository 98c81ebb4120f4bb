"""Rows of weights given by the names of coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, TypeAlias, cast

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array

    Rows: TypeAlias = Mapping[str, Mapping[str, float]]


def named_rows(
    who: str,
    weights: Mapping[str, float] | Mapping[str, Mapping[str, float]],
    names: tuple[str, ...],
) -> dict[str, Array]:
    """A row per name; weights without a name of their own make the row named contrast.

    Raises
    ------
    UsageError
        If there is none, a term is not a coefficient, a weight not a number, or some weights
        have a name of their own and others not.
    """
    if not isinstance(weights, Mapping) or not weights:
        msg = f"{who}: no coefficient is named; give a mapping of coefficients to weights"
        raise UsageError(msg)
    named = [isinstance(value, Mapping) for value in weights.values()]
    if any(named) and not all(named):
        msg = (
            f"{who}: some rows are named, but the weight of {list(weights)[named.index(False)]} "
            "stands alone; give every row a name"
        )
        raise UsageError(msg)
    rows = cast("Rows", weights if all(named) else {"contrast": weights})
    return {label: _row(who, row, names) for label, row in rows.items()}


def _row(who: str, weights: Mapping[str, float], names: tuple[str, ...]) -> Array:
    row = np.zeros(len(names))
    for term, weight in weights.items():
        if term not in names:
            msg = f"{who}: {term} is not a coefficient; they are {', '.join(names)}"
            raise UsageError(msg)
        if not isinstance(weight, Real) or not np.isfinite(float(weight)):
            msg = f"{who}: the weight of {term} is {weight!r}, expected a number"
            raise UsageError(msg)
        row[names.index(term)] = float(weight)
    return row
