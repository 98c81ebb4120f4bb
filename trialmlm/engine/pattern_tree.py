"""V_p⁻¹ of every pattern from Σ⁻¹, one visit taken out at a time."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, chain
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.summary import Summary

#: a group and the visits taken out of its Σ, the last first
_Node = tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Level:
    """Matrices with one visit fewer than the level before.

    Attributes
    ----------
    parent : ndarray of int
        The matrix of the level before that each comes from.
    visit : ndarray of int
        The visit that it lacks beside.
    """

    parent: IntArray
    visit: IntArray

    def without(self, Omega: Array) -> Array:
        """The level's matrices from those of the level before, D × number × T × T."""
        parent, own = Omega[:, self.parent], np.arange(len(self.visit))
        column = parent[:, own, :, self.visit].swapaxes(0, 1)
        pivot = column[:, own, self.visit]
        less: Array = parent - (column / pivot[:, :, None])[..., None] @ column[:, :, None, :]
        less[:, own, self.visit, :] = 0.0
        less[:, own, :, self.visit] = 0.0
        return less


@dataclass(frozen=True, slots=True)
class PatternTree:
    """How the patterns' matrices follow from each other; dropouts share a branch.

    Without visit j, Ω becomes Ω − ω_j ω_j' / ω_jj with ω_j its column: the inverse of Σ without
    the visit, at a tenth of the cost of inverting that. Its rounding is a share of 1e-16/λ, λ the
    smallest eigenvalue of the correlation matrix.

    Attributes
    ----------
    levels : tuple of Level
        After that of the groups, in which no visit is missing.
    pattern : ndarray of int, shape (P,)
        Each pattern's place among all matrices, level by level.
    """

    levels: tuple[Level, ...]
    pattern: IntArray

    @classmethod
    def of(cls, summary: Summary) -> PatternTree:
        """For the patterns of a summary."""
        ends = _ends(summary)
        nodes = {end[:k] for end in ends for k in range(2, len(end) + 1)}
        sizes = range(2, max(map(len, ends)) + 1)
        tiers: list[list[_Node]] = [[(g,) for g in range(len(summary.groups))]]
        tiers += [sorted(node for node in nodes if len(node) == size) for size in sizes]
        place = {node: k for tier in tiers for k, node in enumerate(tier)}
        levels = [_level([(place[node[:-1]], node[-1]) for node in tier]) for tier in tiers[1:]]
        among_all = {node: k for k, node in enumerate(chain.from_iterable(tiers))}
        return cls(tuple(levels), np.array([among_all[end] for end in ends]))

    def inverses(self, Sigma: Array) -> Array:
        """Ω_p, zero outside the pattern's visits: D × G × T × T in, D × P × T × T out."""
        found = list(accumulate(self.levels, _less, initial=np.linalg.inv(Sigma)))
        return np.concatenate(found, axis=1)[:, self.pattern]


def _ends(summary: Summary) -> list[_Node]:
    """Each pattern's group and the visits it lacks, the last first."""
    absent = [np.flatnonzero(~row)[::-1].tolist() for row in summary.visits]
    return [(g, *absent[p]) for g, piece in enumerate(summary.groups) for p in _numbers(piece)]


def _numbers(piece: slice) -> range:
    return range(piece.start, piece.stop)


def _level(pairs: list[tuple[int, int]]) -> Level:
    parent, visit = np.array(pairs).T
    return Level(parent, visit)


def _less(Omega: Array, level: Level) -> Array:
    return level.without(Omega)
