"""How often each subject counts: jackknife and bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import IntArray


def jackknife_counts(n: int) -> IntArray:
    """Everyone once but one, n × n: row i leaves subject i out."""
    return np.ones((n, n), dtype=np.intp) - np.eye(n, dtype=np.intp)


def bootstrap_counts(arm: IntArray, rng: np.random.Generator) -> IntArray:
    """Subjects drawn with replacement within their arm, as often as the arm has subjects, (n,)."""
    counts = np.zeros(arm.size, dtype=np.intp)
    for own in (np.flatnonzero(arm == a) for a in np.unique(arm)):
        np.add.at(counts, rng.choice(own, own.size), 1)
    return counts
