"""Adjusted p-values of stepwise procedures: functions of p-values alone."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray


def holm(p: Array) -> Array:
    """Holm (1979): Bonferroni over the hypotheses not yet rejected, smallest p first."""
    order = np.argsort(p, kind="stable")
    left = np.arange(p.size, 0, -1)
    return _back(np.maximum.accumulate(left * p[order]), order)


def hochberg(p: Array) -> Array:
    """Hochberg (1988): the same factors from the largest p on; for non-negative dependence."""
    order = np.argsort(-p, kind="stable")
    left = np.arange(1, p.size + 1)
    return _back(np.minimum.accumulate(left * p[order]), order)


def fixed_sequence(p: Array) -> Array:
    """Each hypothesis is tested, in the order given, only if all before it were rejected."""
    result: Array = np.maximum.accumulate(p)
    return result


def _back(values: Array, order: IntArray) -> Array:
    found = np.empty(values.size)
    found[order] = np.minimum(values, 1.0)
    return found
