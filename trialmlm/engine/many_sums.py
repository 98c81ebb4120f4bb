"""The sums of one design with its subjects counted otherwise, many ways at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.reweight import Subjects
    from trialmlm.engine.summary import Summary

#: products of subjects that are held at a time, in numbers
_HELD = 200_000


@dataclass(frozen=True, slots=True)
class Sums:
    """What D reweighted data sets contribute, in the basis and units of one `Summary`.

    Attributes
    ----------
    n : ndarray, shape (D, P)
    M, N, Y : ndarray, shapes (D, P, s, s), (D, P, s, T), (D, P, T, T)
    """

    n: Array
    M: Array
    N: Array
    Y: Array

    @classmethod
    def of(cls, summary: Summary) -> Sums:
        """Of the one data set in which everyone counts once."""
        return cls(*(part[None] for part in (summary.n, summary.M, summary.N, summary.Y)))

    def repeated(self, D: int) -> Sums:
        """D copies of the first, to be changed."""
        parts = (part[:1] for part in (self.n, self.M, self.N, self.Y))
        return Sums(*(np.repeat(part, D, axis=0) for part in parts))

    def __getitem__(self, rows: BoolArray | IntArray) -> Sums:
        """Those of some of the data sets."""
        return Sums(self.n[rows], self.M[rows], self.N[rows], self.Y[rows])


def recounted(summary: Summary, subjects: Subjects, counts: IntArray) -> Sums:
    """Subject i counts ``counts[d, i]`` times in data set d: one matrix product per pattern."""
    D, P, s = len(counts), len(summary.visits), subjects.U.shape[1]
    weights = counts.astype(float)
    W = np.concatenate([subjects.U, subjects.Y], axis=1)
    n = np.zeros((D, P))
    C = np.zeros((D, P, W.shape[1] ** 2))
    for p, piece in _pieces(subjects.pattern, P, W.shape[1] ** 2):
        products = (W[piece, :, None] * W[piece, None, :]).reshape(len(piece), -1)
        own = np.ascontiguousarray(weights[:, piece])
        n[:, p] += own.sum(axis=1)
        C[:, p] += (own[:, None] @ products)[:, 0]  # each by itself: the others leave no trace
    return _blocks(n, C.reshape(D, P, W.shape[1], W.shape[1]), s)


def without_each(summary: Summary, subjects: Subjects, left: IntArray) -> Sums:
    """One subject left out of each data set: its pattern loses it, the others stay."""
    found = Sums.of(summary).repeated(len(left))
    d, p = np.arange(len(left)), subjects.pattern[left]
    u, y = subjects.U[left], subjects.Y[left]
    found.n[d, p] -= 1.0
    found.M[d, p] -= u[:, :, None] * u[:, None, :]
    found.N[d, p] -= u[:, :, None] * y[:, None, :]
    found.Y[d, p] -= y[:, :, None] * y[:, None, :]
    gone = found.n == 0.0  # exactly nothing is left, not the rounding of it
    for part in (found.M, found.N, found.Y):
        part[gone] = 0.0
    return found


def _pieces(pattern: IntArray, P: int, width: int) -> Iterator[tuple[int, IntArray]]:
    """The subjects of each pattern, a bounded number at a time."""
    size = max(1, _HELD // width)
    for p in range(P):
        members = np.flatnonzero(pattern == p)
        for start in range(0, len(members), size):
            yield p, members[start : start + size]


def _blocks(n: Array, C: Array, s: int) -> Sums:
    """C_p = Σ w w' with w = (u, y), taken apart."""
    parts = (C[:, :, :s, :s], C[:, :, :s, s:], C[:, :, s:, s:])
    M, N, Y = (np.ascontiguousarray(part) for part in parts)
    return Sums(n, M, N, Y)
