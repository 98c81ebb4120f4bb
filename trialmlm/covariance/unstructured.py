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
    """Σ = ΛΛ', Λ lower triangular, with log-diagonal: θ = (log Λ_11, Λ_21, log Λ_22, …).

    The log-Cholesky form keeps every θ positive definite, so the search is unconstrained; the
    natural parameters are the entries of Σ themselves, in which Σ is linear.
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
        rows, columns = lower_indices(self.n_visits)
        theta = factor[rows, columns]
        theta[rows == columns] = np.log(theta[rows == columns])
        return theta

    def sigma(self, theta: Array) -> Array:
        """ΛΛ'."""
        factor = self._factor(theta)
        return factor @ factor.T

    def jacobian(self, theta: Array) -> Array:
        """∂Λ_h Λ' + Λ ∂Λ_h'."""
        factor = self._factor(theta)
        rows, columns = lower_indices(self.n_visits)
        half = np.zeros((rows.size, self.n_visits, self.n_visits))
        h = np.arange(rows.size)
        half[h, rows] = self._weights(factor)[:, None] * factor.T[columns]
        return half + half.transpose(0, 2, 1)

    def curvature(self, theta: Array, G: Array) -> Array:
        """2 w_h w_k G[i_h, i_k] where h and k share a column of Λ, and the log-diagonal's own."""
        factor = self._factor(theta)
        rows, columns = lower_indices(self.n_visits)
        w = self._weights(factor)
        result = G[rows[:, None], rows] * (2.0 * w[:, None] * w) * _same_column(self.n_visits)
        diagonal = np.flatnonzero(rows == columns)
        result[diagonal, diagonal] += (2.0 * np.diag(factor)) * (G * factor.T).sum(axis=1)
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

    def _factor(self, theta: Array) -> Array:
        rows, columns = lower_indices(self.n_visits)
        factor = np.zeros((self.n_visits, self.n_visits))
        factor[rows, columns] = np.where(rows == columns, np.exp(theta), theta)
        return factor

    def _weights(self, factor: Array) -> Array:
        """∂Λ_ij/∂θ_h: Λ_ii for a log-diagonal parameter, else 1."""
        rows, columns = lower_indices(self.n_visits)
        weights: Array = np.where(rows == columns, factor[rows, columns], 1.0)
        return weights
