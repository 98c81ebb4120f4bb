"""Two-way repeated measures: Σ = A ⊗ R, A unstructured over one factor, R a correlation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import Unstructured

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.correlation import Correlation


@dataclass(frozen=True, slots=True)
class Kronecker:
    """Σ[(i, k), (j, l)] = A_ij R_kl(ρ), the second factor running fastest (SAS's UN@AR(1)).

    The natural parameters are the entries of A and the correlations.

    Attributes
    ----------
    shape : tuple of int
        Levels of the first factor and of the second.
    correlation : Correlation
        Over the second.
    abbreviation, title : str
    """

    shape: tuple[int, int]
    correlation: Correlation
    abbreviation: str
    title: str

    @property
    def n_visits(self) -> int:
        """The product of the levels."""
        return self.shape[0] * self.shape[1]

    @property
    def n_parameters(self) -> int:
        """Entries of A and correlations."""
        return self._first.n_parameters + self.correlation.size(self.shape[1])

    @property
    def _first(self) -> Unstructured:
        return Unstructured(self.shape[0])

    def start(self, moments: Array) -> Array:
        """A from the mean blocks, ρ from the mean correlation within the first factor's levels."""
        a, b = self.shape
        blocks = moments.reshape(a, b, a, b)
        A = np.einsum("ikjk->ij", blocks) / b
        within = np.einsum("ikil->ikl", blocks)
        sd = np.sqrt(np.diagonal(within, axis1=1, axis2=2))
        rho = self.correlation.start((within / (sd[:, :, None] * sd[:, None, :])).mean(axis=0))
        x = self.correlation.scale(b).search(rho)
        return np.concatenate([self._first.start(A + 1e-6 * np.diag(np.diag(A))), x])

    def sigma(self, theta: Array) -> Array:
        """A ⊗ R."""
        A, rho, _, _ = self._parts(theta)
        found: Array = np.kron(A, self.correlation.matrix(rho, self.shape[1]))
        return found

    def jacobian(self, theta: Array) -> Array:
        """∂A ⊗ R and A ⊗ ∂R."""
        A, rho, slope, _ = self._parts(theta)
        first = self.correlation.first(rho, self.shape[1]) * slope[:, None, None]
        return self._both(self._first.jacobian(self._of_A(theta)), A, first, rho)

    def tangent(self, theta: Array) -> Array:
        """By the entries of A and the correlations."""
        A, rho, _, _ = self._parts(theta)
        first = self.correlation.first(rho, self.shape[1])
        return self._both(self._first.tangent(self._of_A(theta)), A, first, rho)

    def natural(self, theta: Array) -> Array:
        """The lower triangle of A, then the correlations."""
        _, rho, _, _ = self._parts(theta)
        return np.concatenate([self._first.natural(self._of_A(theta)), rho])

    def curvature(self, theta: Array, G: Array) -> Array:
        """The chain rule on either side, and ⟨G, ∂A ⊗ ∂R⟩ across."""
        a, b = self.shape
        A, rho, slope, bend = self._parts(theta)
        blocks = G.reshape(a, b, a, b)
        R = self.correlation.matrix(rho, b)
        first = self.correlation.first(rho, b)
        of_A = self._first.curvature(self._of_A(theta), np.einsum("ikjl,kl->ij", blocks, R))
        by_R = np.einsum("ikjl,ij->kl", blocks, A)
        inner = np.tensordot(self.correlation.second(rho, b), by_R, 2)
        own = np.tensordot(first, by_R, 2)
        of_R = np.outer(slope, slope) * inner + np.diag(bend * own)
        across = self._across(self._first.jacobian(self._of_A(theta)), blocks, first) * slope
        return np.block([[of_A, across], [across.T, of_R]])

    def natural_second(self, theta: Array) -> Array:
        """∂A ⊗ ∂R and A ⊗ ∂²R; A is linear in its entries."""
        T, m = self.n_visits, self._first.n_parameters
        A, rho, _, _ = self._parts(theta)
        basis = self._first.tangent(self._of_A(theta))
        first = self.correlation.first(rho, self.shape[1])
        second = self.correlation.second(rho, self.shape[1])
        found = np.zeros((self.n_parameters, self.n_parameters, T, T))
        for h, E in enumerate(basis):
            for r, dR in enumerate(first):
                found[h, m + r] = found[m + r, h] = np.kron(E, dR)
        for r in range(len(first)):
            for s in range(len(first)):
                found[m + r, m + s] = np.kron(A, second[r, s])
        return found

    def _both(self, dA: Array, A: Array, dR: Array, rho: Array) -> Array:
        R = self.correlation.matrix(rho, self.shape[1])
        T = self.n_visits
        parts = [np.kron(E, R) for E in dA] + [np.kron(A, E) for E in dR]
        return np.stack(parts).reshape(-1, T, T)

    @staticmethod
    def _across(dA: Array, blocks: Array, dR: Array) -> Array:
        """⟨G, E_h ⊗ ∂_rR⟩."""
        found: Array = np.einsum("hij,ikjl,rkl->hr", dA, blocks, dR, optimize=True)
        return found

    def _of_A(self, theta: Array) -> Array:
        return theta[: self._first.n_parameters]

    def _parts(self, theta: Array) -> tuple[Array, Array, Array, Array]:
        """A, the correlations, and both derivatives of these by the search."""
        scale = self.correlation.scale(self.shape[1])
        x = theta[self._first.n_parameters :]
        return self._first.sigma(self._of_A(theta)), *scale.natural(x)
