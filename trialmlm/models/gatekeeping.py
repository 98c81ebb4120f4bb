"""Graphical gatekeeping: hypotheses in families, α passed on from one to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.inference.graphical import graphical_p_values

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array


def graphical_test(
    p_values: Mapping[str, float],
    weights: Mapping[str, float],
    transitions: Mapping[str, Mapping[str, float]],
) -> pd.DataFrame:
    """Adjusted p-values of a sequentially rejective graphical procedure.

    Parameters
    ----------
    p_values : mapping
        Hypothesis to its unadjusted p-value.
    weights : mapping
        Hypothesis to its share of α at first; 0 where it is not named. Their sum is at most 1.
    transitions : mapping
        Hypothesis to where its share goes once it is rejected: hypothesis to fraction, their sum
        at most 1.

    Returns
    -------
    DataFrame
        hypothesis, weight, p_value, p_adjusted. A hypothesis is rejected at the familywise level
        α if p_adjusted ≤ α, whatever the joint distribution of the p-values.

    Raises
    ------
    UsageError
        If a name, p-value, weight or transition is wrong.

    References
    ----------
    Bretz F, Maurer W, Brannath W, Posch M (2009). A graphical approach to sequentially rejective
    multiple test procedures. Statistics in Medicine 28, 586–604.

    Examples
    --------
    >>> table = graphical_test(
    ...     {"H1": 0.01, "H2": 0.03}, {"H1": 0.5, "H2": 0.5}, {"H1": {"H2": 1}, "H2": {"H1": 1}}
    ... )
    >>> table["p_adjusted"].tolist()
    [0.02, 0.03]
    """
    names = tuple(p_values)
    p = np.array([p_values[name] for name in names], dtype=float)
    if not (names and ((p >= 0.0) & (p <= 1.0)).all()):
        raise UsageError("graphical_test: every p-value must be between 0 and 1")
    w = _row("weights", weights, names)
    G = np.stack([_row(f"transitions of {k}", transitions.get(k, {}), names) for k in names])
    _names("transitions", transitions, names)
    if np.diag(G).any():
        raise UsageError("graphical_test: a hypothesis cannot pass its share on to itself")
    return pd.DataFrame(
        {"hypothesis": names, "weight": w, "p_value": p, "p_adjusted": graphical_p_values(p, w, G)}
    )


def _row(what: str, given: Mapping[str, float], names: tuple[str, ...]) -> Array:
    _names(what, given, names)
    row = np.array([given.get(name, 0.0) for name in names], dtype=float)
    if not (row >= 0.0).all() or row.sum() > 1.0 + 1e-9:
        msg = f"graphical_test: {what} must not be negative, nor their sum above 1"
        raise UsageError(msg)
    return row


def _names(what: str, given: Mapping[str, object], names: tuple[str, ...]) -> None:
    unknown = [name for name in given if name not in names]
    if unknown:
        msg = f"graphical_test: {what} names {unknown[0]}, which has no p-value"
        raise UsageError(msg)
