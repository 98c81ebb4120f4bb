"""What random effects add to the rank of [X Z], effect after effect."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.crossed_summary import Grouping, summarise_crossed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray

#: an eigenvalue below this, relatively, is zero
_ZERO = 1e-9


@dataclass(frozen=True, slots=True)
class Effect:
    """Columns that are random by the levels of a factor.

    Attributes
    ----------
    factor : int
        Which; effects of one factor have the same code.
    code : ndarray of int, shape (N,)
        The level of every row, without gaps.
    Z : ndarray, shape (N, r)
    """

    factor: int
    code: IntArray
    Z: Array


def rank_contributions(X: Array, effects: Sequence[Effect]) -> tuple[int, tuple[int, ...]]:
    """Rank of [X Z], and what each effect adds to that of X and the effects before it.

    Parameters
    ----------
    X : ndarray, shape (N, columns)
    effects : sequence of Effect
    """
    ranks = [_rank(X, effects[:end]) for end in range(len(effects) + 1)]
    return ranks[-1], tuple(np.diff(ranks).tolist())


def _rank(X: Array, effects: Sequence[Effect]) -> int:
    """Level by level of the leading factor, then of what it leaves of the others and of X."""
    if not effects:
        return int(np.linalg.matrix_rank(X / np.linalg.norm(X, axis=0).clip(1e-300)))
    summary = summarise_crossed(X, _groupings(effects), X.sum(axis=1))
    inverse, first = _pseudo_inverses(summary.S, summary.S)
    q = summary.WW.shape[0] - 1
    ZX, links = summary.ZW[..., :q], summary.links
    others = summary.S_others - links.gram(links.weighted(inverse))
    IZX = inverse @ ZX
    OX = summary.ZW_others[..., :q] - links.back(IZX)
    XX = summary.WW[:q, :q] - np.tensordot(ZX, IZX, ((0, 1), (0, 1)))
    inverse, second = _pseudo_inverses(others, summary.S_others)
    XX = XX - np.tensordot(OX, inverse @ OX, ((0, 1), (0, 1)))
    third = int((np.linalg.eigvalsh(XX) > _ZERO).sum())  # X is orthonormal
    return first + second + third


def _groupings(effects: Sequence[Effect]) -> list[Grouping]:
    """The effects of one factor side by side."""
    found: dict[int, Grouping] = {}
    for effect in effects:
        held = found.get(effect.factor)
        Z = effect.Z if held is None else np.concatenate([held.Z, effect.Z], axis=1)
        found[effect.factor] = Grouping(effect.code, Z, (Z.shape[1],))
    return list(found.values())


def _pseudo_inverses(matrices: Array, sizes: Array) -> tuple[Array, int]:
    """Of symmetric matrices, and the sum of their ranks; zero is judged by the sizes' diagonal."""
    if not matrices.size:
        return matrices, 0
    scale = float(np.diagonal(sizes, axis1=1, axis2=2).max())
    values, vectors = np.linalg.eigh((matrices + matrices.transpose(0, 2, 1)) / 2.0)
    large: BoolArray = values > _ZERO * scale
    inverse = np.where(large, 1.0 / np.where(large, values, 1.0), 0.0)
    return (vectors * inverse[:, None, :]) @ vectors.transpose(0, 2, 1), int(large.sum())
