"""Covariances whose estimate may be singular: of random effects, and what they stand beside.

G = ΛΛ' with Λ free in sign, so that a variance of zero is an interior point of the search.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.covariance.unstructured import lower_indices, symmetric_basis

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray


class EffectsCovariance(Protocol):
    """A family of r × r covariance matrices G(θ), singular ones among them."""

    @property
    def r(self) -> int:
        """Random effects per cluster."""

    @property
    def n_parameters(self) -> int:
        """Length of θ."""

    def start(self, share: float) -> Array:
        """θ at which the effects have this variance together."""

    def sigma(self, theta: Array) -> Array:
        """G(θ), r × r."""

    def jacobian(self, theta: Array) -> Array:
        """∂G/∂θ_h, k × r × r."""

    def curvature(self, theta: Array, slope: Array) -> Array:
        """⟨slope, ∂²G/∂θ_h∂θ_k⟩ for a symmetric r × r matrix, k × k."""

    def tangent(self, theta: Array) -> Array:
        """∂G by its natural parameters, in which it is linear, m × r × r."""


@dataclass(frozen=True, slots=True)
class Bordered:
    """G of r effects, the covariance of the last d of which the residual takes over.

    What is left of G is A, of the first k effects, and their covariances B with the last d; in
    between stand effects without variance. The block of the last d is zero: any other that makes
    G positive semidefinite gives the same V with another residual. θ is Λ, A = ΛΛ', then B.

    Attributes
    ----------
    r, k, d : int
        d = 0 and k = r: an unstructured G, positive semidefinite.
    """

    r: int
    k: int
    d: int = 0

    @property
    def n_parameters(self) -> int:
        """Entries of Λ and of B."""
        return self.k * (self.k + 1) // 2 + self.k * self.d

    def start(self, share: float) -> Array:
        """Spread over the first k effects."""
        rows, columns = lower_indices(self.k)
        factor = np.where(rows == columns, np.sqrt(share / max(1, self.k)), 0.0)
        return np.concatenate([factor, np.zeros(self.k * self.d)])

    def sigma(self, theta: Array) -> Array:
        """A and B in their places."""
        factor, G = self._factor(theta), np.zeros((self.r, self.r))
        G[: self.k, : self.k] = factor @ factor.T
        m = self.k * (self.k + 1) // 2
        return G + np.tensordot(theta[m:], self.tangent(theta)[m:], 1)

    def jacobian(self, theta: Array) -> Array:
        """∂ΛΛ' + Λ∂Λ'; B moves by itself."""
        rows, columns = lower_indices(self.k)
        half = np.zeros((rows.size, self.r, self.r))
        half[np.arange(rows.size), rows, : self.k] = self._factor(theta).T[columns]
        by_B = self.tangent(theta)[rows.size :]
        return np.concatenate([half + half.transpose(0, 2, 1), by_B])

    def curvature(self, theta: Array, slope: Array) -> Array:
        """Two entries of the same column of Λ meet."""
        rows, columns = lower_indices(self.k)
        found = np.zeros((theta.size, theta.size))
        meet = columns[:, None] == columns
        found[: rows.size, : rows.size] = 2.0 * slope[np.ix_(rows, rows)] * meet
        return found

    def tangent(self, theta: Array) -> Array:
        """Entries of A and of B."""
        del theta
        rows, columns = lower_indices(self.r)
        own = (rows < self.k) & (columns < self.k)
        border = (rows >= self.r - self.d) & (columns < self.k)
        basis = symmetric_basis(self.r)
        return np.concatenate([basis[own], basis[border]])

    def _factor(self, theta: Array) -> Array:
        factor = np.zeros((self.k, self.k))
        factor[lower_indices(self.k)] = theta[: self.k * (self.k + 1) // 2]
        return factor


@dataclass(frozen=True, slots=True, eq=False)
class Uncorrelated:
    """G diagonal: θ are standard deviations, free in sign.

    Attributes
    ----------
    kept : ndarray of bool, shape (r,)
        Which effects have a variance; that of the others the residual takes over.
    """

    kept: BoolArray

    @property
    def r(self) -> int:
        """Random effects per cluster."""
        return self.kept.size

    @property
    def n_parameters(self) -> int:
        """Variances."""
        return int(self.kept.sum())

    def start(self, share: float) -> Array:
        """The same of each."""
        return np.full(self.n_parameters, np.sqrt(share / max(1, self.n_parameters)))

    def sigma(self, theta: Array) -> Array:
        """The squares on the diagonal."""
        return np.tensordot(theta**2, self._units, 1)

    def jacobian(self, theta: Array) -> Array:
        """A standard deviation moves its variance."""
        found: Array = 2.0 * theta[:, None, None] * self._units
        return found

    def curvature(self, theta: Array, slope: Array) -> Array:
        """Of each with itself."""
        del theta
        return np.diag(2.0 * np.diag(slope)[self.kept])

    def tangent(self, theta: Array) -> Array:
        """The variances."""
        del theta
        return self._units

    @property
    def _units(self) -> Array:
        one = np.eye(self.r)[self.kept]
        return one[:, :, None] * one[:, None, :]
