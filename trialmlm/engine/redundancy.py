"""Whether random effects and a residual covariance can be told apart, before anything is fitted.

V_i is linear in G and, at a point, in the residual's parameters: they are identified where the
matrices ∂V_i, stacked over subjects, are linearly independent, that is where the Gram matrix
Σ_i tr(∂_hV_i ∂_kV_i) has full rank. That is a property of the design.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray

#: an eigenvalue of the scaled Gram matrix, or a part of a null vector, below this is zero
LEAST, PART = 1e-10, 1e-6


@dataclass(frozen=True, slots=True)
class Redundancy:
    """What the Gram matrix of ∂V says.

    Attributes
    ----------
    values : ndarray, shape (m,)
        Its eigenvalues, scaled to a unit diagonal, in ascending order.
    null : ndarray, shape (m − rank, m)
        Directions of the parameters, each over the size of its ∂V, along which V does not move.
    gram : ndarray, shape (m, m)
        Σ_i tr(∂_hV_i ∂_kV_i).
    """

    values: Array
    null: Array
    gram: Array

    @property
    def size(self) -> Array:
        """Root of Σ_i tr(∂_hV_i²)."""
        return np.sqrt(np.diag(self.gram))

    @property
    def rank(self) -> int:
        """Parameters that V can tell."""
        return len(self.gram) - len(self.null)

    def overlap(self, m: int) -> float:
        """(1 + ρ)/(1 − ρ), ρ the largest canonical correlation below one of the first m ∂V.

        With the others: it does not depend on what the first and the others are made of.
        """
        first, cross, others = self.gram[:m, :m], self.gram[:m, m:], self.gram[m:, m:]
        half = np.linalg.solve(np.linalg.cholesky(first), cross)
        whole = half @ np.linalg.solve(others, half.T)
        shared = np.sort(np.linalg.eigvalsh(whole))[::-1][len(self.null) :]
        rho = float(np.sqrt(shared.clip(0.0, 1.0).max(initial=0.0)))
        return (1.0 + rho) / (1.0 - rho) if rho < 1.0 else float("inf")

    @property
    def aliased(self) -> BoolArray:
        """Which parameters take part in a null direction."""
        return np.asarray((np.abs(self.null) > PART).any(axis=0))


def redundancy(tangent: Array) -> Redundancy:
    """Of ∂V, m × n × t × t, zero where there is no row; no ∂V is zero throughout."""
    flat = tangent.reshape(len(tangent), -1)
    gram = flat @ flat.T
    values, vectors = np.linalg.eigh(scaled(gram))
    zero = values < LEAST
    return Redundancy(values, vectors[:, zero].T, gram)


def scaled(gram: Array) -> Array:
    """A Gram matrix with a unit diagonal."""
    size = np.sqrt(np.diag(gram))
    found: Array = gram / np.outer(size, size)
    return found


def condition(gram: Array) -> float:
    """Largest over smallest eigenvalue of the scaled matrix; infinite where that is zero."""
    values = np.linalg.eigvalsh(scaled(gram))
    return float(values[-1] / values[0]) if values[0] > LEAST else float("inf")


def movable_effects(directions: Array, nullity: int) -> Array | None:
    """The random effects whose whole covariance the residual can take over.

    Parameters
    ----------
    directions : ndarray, shape (nullity, r, r)
        Of G, along which V can be kept by moving the residual.
    nullity : int

    Returns
    -------
    ndarray, shape (r, d), or None
        An orthonormal basis of their space; None where what is redundant is not the covariance of
        some random effects, so that no simpler G stands for all.
    """
    r = directions.shape[1]
    if not nullity:
        return np.zeros((r, 0))
    left, sizes, _ = np.linalg.svd(np.concatenate([*directions], axis=1))
    d = int((sizes > PART * sizes[0]).sum()) if sizes[0] > 0.0 else 0
    return left[:, :d] if d * (d + 1) // 2 == nullity else None


def movable_variances(directions: Array, nullity: int) -> BoolArray | None:
    """The same of uncorrelated effects (directions: nullity × r): whose variance can be moved."""
    if not nullity:
        return np.zeros(directions.shape[1], dtype=bool)
    _, sizes, right = np.linalg.svd(directions, full_matrices=False)
    space = right[sizes > PART * max(sizes[0], PART)]
    found: BoolArray = (space**2).sum(axis=0) > 1.0 - PART
    return found if int(found.sum()) == nullity == len(space) else None
