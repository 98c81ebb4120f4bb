"""The unstructured covariance: every variance and covariance is a parameter of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray


@lru_cache(maxsize=64)
def lower_indices(T: int) -> tuple[IntArray, IntArray]:
    """Rows and columns of the lower triangle, row by row: (1,1), (2,1), (2,2), …, (T,T)."""
    return np.tril_indices(T)


@lru_cache(maxsize=64)
def _same_column(T: int) -> BoolArray:
    """Which entries of the lower triangle share a column, m × m, read-only."""
    _, columns = lower_indices(T)
    same: BoolArray = columns[:, None] == columns
    same.setflags(write=False)
    return same


@lru_cache(maxsize=64)
def symmetric_basis(T: int) -> Array:
    """E_h = ∂Σ/∂σ_h for σ the lower triangle of Σ, m × T × T, read-only."""
    rows, columns = lower_indices(T)
    basis = np.zeros((rows.size, T, T))
    h = np.arange(rows.size)
    basis[h, rows, columns] = basis[h, columns, rows] = 1.0
    basis.setflags(write=False)
    return basis


@dataclass(frozen=True, slots=True)
class Unstructured:
    """Σ = ΛΛ', Λ = LD, L unit lower triangular, D diagonal: θ = (log D_1, L_21, log D_2, …).

    L holds the coefficients of each visit's regression on the earlier ones, D the residual SDs.
    Every θ is positive definite, so the search is unconstrained; and near to a singular Σ the
    coefficients stay where they are while a variance is sought, as the entries of Λ would not.
    The natural parameters are the entries of Σ themselves, in which Σ is linear.
    """

    n_visits: int
    abbreviation: str = "us"
    title: str = "Unstructured"

    @property
    def n_parameters(self) -> int:
        """T(T+1)/2."""
        return self.n_visits * (self.n_visits + 1) // 2

    def start(self, moments: Array) -> Array:
        """The θ of `moments` itself."""
        factor = np.linalg.cholesky(moments)
        sd = np.diag(factor)
        rows, columns = lower_indices(self.n_visits)
        theta: Array = (factor / sd)[rows, columns]
        theta[rows == columns] = np.log(sd)
        return theta

    def sigma(self, theta: Array) -> Array:
        """ΛΛ'."""
        factor, _ = self._factor(theta)
        return factor @ factor.T

    def jacobian(self, theta: Array) -> Array:
        """∂Λ_h Λ' + Λ ∂Λ_h': a log SD scales its column of Λ, a coefficient moves one entry."""
        factor, sd = self._factor(theta)
        rows, columns = lower_indices(self.n_visits)
        half = np.zeros((rows.size, self.n_visits, self.n_visits))
        h = np.arange(rows.size)
        half[h, rows] = (sd * factor).T[columns]
        half[rows == columns] = factor.T[:, :, None] * factor.T[:, None, :]
        return half + half.transpose(0, 2, 1)

    def curvature(self, theta: Array, G: Array) -> Array:
        """Of two θ of the same column j; those of different columns do not meet.

        Two coefficients: 2 d_j² G[i, k]; a coefficient and the log SD: 4 d_j (GΛ)[i, j]; the log SD
        twice: 4 (Λ'GΛ)[j, j].
        """
        factor, sd = self._factor(theta)
        rows, columns = lower_indices(self.n_visits)
        GF = G @ factor
        result = G[rows[:, None], rows] * (2.0 * sd[columns] ** 2)[:, None]
        diagonal = np.flatnonzero(rows == columns)
        slopes = 4.0 * (sd * GF)[rows][:, columns[diagonal]]
        result[:, diagonal] = slopes
        result[diagonal] = slopes.T
        result[diagonal, diagonal] = 4.0 * (factor * GF).sum(axis=0)
        result *= _same_column(self.n_visits)
        return result

    def natural(self, theta: Array) -> Array:
        """The lower triangle of Σ."""
        return self.sigma(theta)[lower_indices(self.n_visits)]

    def tangent(self, theta: Array) -> Array:
        """The symmetric basis: Σ is linear in its entries."""
        del theta
        return symmetric_basis(self.n_visits)

    def natural_second(self, theta: Array) -> Array:
        """Σ is linear in its entries."""
        k = theta.size
        return np.zeros((k, k, self.n_visits, self.n_visits))

    def _factor(self, theta: Array) -> tuple[Array, Array]:
        """Λ and the SDs D."""
        rows, columns = lower_indices(self.n_visits)
        L = np.zeros((self.n_visits, self.n_visits))
        on_diagonal = rows == columns
        L[rows, columns] = np.where(on_diagonal, 1.0, theta)
        sd = np.exp(theta[on_diagonal])
        return L * sd, sd
