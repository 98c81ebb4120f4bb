"""Parameters of several terms of random effects and of one residual variance.

Every term has a Cholesky factor of its own, its diagonal free in sign, so that a variance of zero
is an interior point; the natural parameters are the lower triangles of the G's, then σ².
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import lower_indices
from trialmlm.engine.objective import block_diagonal
from trialmlm.engine.random_parameters import chained, factor_chain

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.engine.likelihood import Curve


@dataclass(frozen=True)
class TermParameters:
    """Terms with so many random effects each.

    Attributes
    ----------
    sizes : tuple of int
        Random effects of every term.
    """

    sizes: tuple[int, ...]

    @cached_property
    def slices(self) -> tuple[slice, ...]:
        """Where the triangle of each term stands in θ."""
        ends = np.cumsum([0, *(r * (r + 1) // 2 for r in self.sizes)]).tolist()
        return tuple(slice(a, b) for a, b in pairwise(ends))

    def starts(self) -> tuple[Array, ...]:
        """Half of a variance of one spread over the terms; then less."""
        found = []
        for share in (0.5, 0.1):
            own = share / len(self.sizes)
            found.append(self.start([np.eye(r) * own / r for r in self.sizes], 1.0 - share))
        return tuple(found)

    def start(self, G: Sequence[Array], sigma2: float) -> Array:
        """θ of positive definite G's and a residual variance."""
        triangles = [np.linalg.cholesky(own)[lower_indices(len(own))] for own in G]
        return np.append(np.concatenate(triangles), 0.5 * np.log(sigma2))

    def nothing(self) -> Array:
        """θ without any effect, and a residual variance of one."""
        return np.zeros(self.slices[-1].stop + 1)

    def blocks(self, eta: Array) -> tuple[Array, ...]:
        """The G of every term, from the natural parameters."""
        found = []
        for r, piece in zip(self.sizes, self.slices, strict=True):
            G = np.zeros((r, r))
            rows, columns = lower_indices(r)
            G[rows, columns] = G[columns, rows] = eta[piece]
            found.append(G)
        return tuple(found)

    def factors(self, theta: Array) -> tuple[Array, ...]:
        """Λ of every term."""
        found = []
        for r, piece in zip(self.sizes, self.slices, strict=True):
            factor = np.zeros((r, r))
            factor[lower_indices(r)] = theta[piece]
            found.append(factor)
        return tuple(found)

    def sigma2(self, theta: Array) -> float:
        """The residual variance."""
        return float(np.exp(2.0 * theta[-1]))

    def natural(self, theta: Array) -> Array:
        """Lower triangles of every G, then σ²."""
        triangles = [
            (factor @ factor.T)[lower_indices(len(factor))] for factor in self.factors(theta)
        ]
        return np.append(np.concatenate(triangles), self.sigma2(theta))

    def jacobian(self, theta: Array, g: Array) -> tuple[Array, Array]:
        """∂η/∂θ (row: θ) of the natural parameters η, and Σ_h g_h ∂²η_h/∂θ²."""
        parts = [
            factor_chain(factor, g[piece])
            for factor, piece in zip(self.factors(theta), self.slices, strict=True)
        ]
        sigma2 = self.sigma2(theta)
        own = np.array([[2.0 * sigma2]])
        C = block_diagonal([*(C for C, _ in parts), own])
        return C, block_diagonal([*(bend for _, bend in parts), 2.0 * g[-1] * own])

    def chain(self, theta: Array, natural: Curve) -> Curve:
        """Derivatives by θ from those by the natural parameters."""
        return chained(*self.jacobian(theta, natural.g), natural)
