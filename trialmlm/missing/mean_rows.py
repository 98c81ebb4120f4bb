"""Rows of LS means for many resamples of the same subjects at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.formula.grid import WEIGHTS
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.coding import Coding


def mean_rows(
    coding: Coding, data: Mapping[str, Variable], arm: str, counts: Array, weights: str
) -> Array:
    """Rows of coefficients of each arm's LS mean, for every resample.

    Parameters
    ----------
    coding : Coding
    data : mapping of str to Variable
        Of the n subjects.
    arm : str
        The column of the arm.
    counts : ndarray, shape (C, n)
        How often each subject counts. Numbers are held at their mean over the subjects counted,
        and observed margins are theirs.
    weights : {"equal", "observed-margins"}
        As in :func:`~trialmlm.formula.grid.reference_grid`, which this equals for each resample.

    Returns
    -------
    ndarray, shape (C, arms, columns)
    """
    others = tuple(name for name in sorted(coding.categorical) if name != arm)
    combinations, shares = WEIGHTS[weights](others, coding, data)
    if weights == "observed-margins" and others:
        shares = _margins(coding, data, others, combinations, counts)
    shares = np.broadcast_to(shares, (len(counts), len(combinations)))
    table = _table(coding, data, others, combinations, counts)
    rows = len(counts) * len(combinations)
    levels = coding.categorical[arm].levels
    made = []
    for code in range(len(levels)):
        table[arm] = Variable(arm, levels, np.full(rows, code, dtype=np.intp))
        cells = coding.matrix(table, rows).reshape(len(counts), len(combinations), -1)
        made.append((shares[:, None, :] @ cells)[:, 0])
    return np.stack(made, axis=1)


def _table(
    coding: Coding,
    data: Mapping[str, Variable],
    others: tuple[str, ...],
    combinations: IntArray,
    counts: Array,
) -> dict[str, Variable]:
    """The grids' rows, resample by resample, but for the arm."""
    table = {}
    for place, name in enumerate(others):
        codes = np.tile(combinations[:, place], len(counts))
        table[name] = Variable(name, coding.categorical[name].levels, codes)
    for name in coding.numeric:
        means = counts @ data[name].numbers() / counts.sum(axis=1)
        table[name] = Variable(name, None, np.repeat(means, len(combinations)))
    return table


def _margins(
    coding: Coding,
    data: Mapping[str, Variable],
    others: tuple[str, ...],
    combinations: IntArray,
    counts: Array,
) -> Array:
    """Shares of the combinations among the subjects counted, C × combinations."""
    codes = np.column_stack([coding.categorical[name].codes(data) for name in others])
    member = (codes[:, None, :] == combinations[None, :, :]).all(axis=2)
    shares: Array = counts @ member / counts.sum(axis=1)[:, None]
    return shares
