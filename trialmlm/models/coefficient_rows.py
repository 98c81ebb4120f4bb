"""Rows of weights given by the names of coefficients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def named_rows(
    who: str,
    weights: Mapping[str, float] | Mapping[str, Mapping[str, float]],
    names: tuple[str, ...],
) -> dict[str, Array]:
    """A row per name; weights without a name of their own make the row named contrast.

    Raises
    ------
    UsageError
        If there is none, or a term is not a coefficient.
    """
    if not weights:
        msg = f"{who}: no coefficient is named"
        raise UsageError(msg)
    plain = {name: value for name, value in weights.items() if not isinstance(value, Mapping)}
    nested = {name: value for name, value in weights.items() if isinstance(value, Mapping)}
    rows = {**({"contrast": plain} if plain else {}), **nested}
    return {label: _row(who, row, names) for label, row in rows.items()}


def _row(who: str, weights: Mapping[str, float], names: tuple[str, ...]) -> Array:
    row = np.zeros(len(names))
    for term, weight in weights.items():
        if term not in names:
            msg = f"{who}: {term} is not a coefficient; they are {', '.join(names)}"
            raise UsageError(msg)
        row[names.index(term)] = weight
    return row
