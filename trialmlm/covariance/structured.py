"""Covariances made of variances and a correlation structure: Σ_ij = √(v_i v_j) R_ij(ρ).

The natural parameters are the variances and the correlations, those of SAS's listing. The search
runs on log v and on x with ρ = low + (1 − low)(1 + tanh x)/2, low the structure's floor.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.correlation import Correlation

#: a starting correlation keeps this distance from the ends of its range
_MARGIN = 0.05


@dataclass(frozen=True, slots=True)
class Structured:
    """A correlation structure with one variance, or one per visit.

    Attributes
    ----------
    n_visits : int
    correlation : Correlation
    heterogeneous : bool
        One variance per visit.
    abbreviation, title : str
    """

    n_visits: int
    correlation: Correlation
    heterogeneous: bool
    abbreviation: str
    title: str

    @property
    def n_variances(self) -> int:
        """T, or 1."""
        return self.n_visits if self.heterogeneous else 1

    @property
    def n_parameters(self) -> int:
        """Variances and correlations."""
        return self.n_variances + self.correlation.size(self.n_visits)

    def start(self, moments: Array) -> Array:
        """θ of the variances and mean correlations of `moments`."""
        variances = np.diag(moments)
        sd = np.sqrt(variances)
        rho = self.correlation.start(moments / np.outer(sd, sd))
        v = variances if self.heterogeneous else np.array([variances.mean()])
        low = self.correlation.floor(self.n_visits)
        share = ((rho - low) / (1.0 - low)).clip(_MARGIN, 1.0 - _MARGIN)
        return np.concatenate([np.log(v), np.arctanh(2.0 * share - 1.0)])

    def sigma(self, theta: Array) -> Array:
        """Σ(θ)."""
        v, rho, _, _ = self._natural(theta)
        return self._scale(v) * self.correlation.matrix(rho, self.n_visits)

    def jacobian(self, theta: Array) -> Array:
        """∂Σ/∂θ_h, by the chain rule."""
        v, rho, slope, _ = self._natural(theta)
        return slope[:, None, None] * self._first(v, rho)

    def curvature(self, theta: Array, G: Array) -> Array:
        """⟨G, ∂²Σ/∂θ_h∂θ_k⟩."""
        v, rho, slope, bend = self._natural(theta)
        inner = np.tensordot(self._second(v, rho), G, 2)
        own = np.tensordot(self._first(v, rho), G, 2)
        result: Array = np.outer(slope, slope) * inner + np.diag(bend * own)
        return result

    def tangent(self, theta: Array) -> Array:
        """∂Σ by the variances and correlations."""
        v, rho, _, _ = self._natural(theta)
        return self._first(v, rho)

    def natural_second(self, theta: Array) -> Array:
        """∂²Σ by the variances and correlations, k × k × T × T."""
        v, rho, _, _ = self._natural(theta)
        return self._second(v, rho)

    def _natural(self, theta: Array) -> tuple[Array, Array, Array, Array]:
        """Variances, correlations, and both derivatives of each by its θ."""
        m = self.n_variances
        v = np.exp(theta[:m])
        low = self.correlation.floor(self.n_visits)
        t = np.tanh(theta[m:])
        half = (1.0 - low) / 2.0
        rho = low + half * (1.0 + t)
        slope = half * (1.0 - t * t)
        return v, rho, np.concatenate([v, slope]), np.concatenate([v, -2.0 * t * slope])

    def _scale(self, v: Array) -> Array:
        """√(v_i v_j)."""
        full = v if self.heterogeneous else np.full(self.n_visits, v[0])
        scale: Array = np.sqrt(np.outer(full, full))
        return scale

    def _weights(self, v: Array) -> Array:
        """∂ log √(v_i v_j)/∂v_a, m × T × T."""
        T = self.n_visits
        if not self.heterogeneous:
            return np.full((1, T, T), 1.0 / v[0])
        one = np.eye(T)
        weights: Array = (one[:, :, None] + one[:, None, :]) / (2.0 * v[:, None, None])
        return weights

    def _first(self, v: Array, rho: Array) -> Array:
        scale, T = self._scale(v), self.n_visits
        by_v = self._weights(v) * (scale * self.correlation.matrix(rho, T))
        both: Array = np.concatenate([by_v, scale * self.correlation.first(rho, T)])
        return both

    def _second(self, v: Array, rho: Array) -> Array:
        T, m = self.n_visits, self.n_variances
        k = rho.size
        scale, weights = self._scale(v), self._weights(v)
        Sigma = scale * self.correlation.matrix(rho, T)
        found = np.zeros((m + k, m + k, T, T))
        found[:m, :m] = (weights[:, None] * weights[None, :]) * Sigma
        if self.heterogeneous:
            # ∂²√v/∂v² = −√v/(4v²): the product of the weights counts +1/4 too much where i ≠ j = a
            one = np.eye(T)
            touched = one[:, :, None] + one[:, None, :]
            a = np.arange(m)
            found[a, a] -= touched / (2.0 * v[:, None, None] ** 2) * Sigma
        else:
            found[0, 0] = 0.0
        mixed = weights[:, None] * (scale * self.correlation.first(rho, T))[None, :]
        found[:m, m:] = mixed
        found[m:, :m] = mixed.transpose(1, 0, 2, 3)
        found[m:, m:] = scale * self.correlation.second(rho, T)
        return found


@dataclass(frozen=True, slots=True)
class LinearStructure:
    """Σ linear in its variances and covariances: compound symmetry and Toeplitz.

    The natural parameters are the variance and the covariances, as in SAS's TYPE=CS and
    TYPE=TOEP, so Kenward-Roger and its linear form are one.
    """

    n_visits: int
    correlation: Correlation
    abbreviation: str
    title: str

    @property
    def n_parameters(self) -> int:
        """The variance and the covariances."""
        return 1 + self.correlation.size(self.n_visits)

    @property
    def _inner(self) -> Structured:
        return Structured(self.n_visits, self.correlation, False, self.abbreviation, self.title)

    def start(self, moments: Array) -> Array:
        """As of the structure with correlations."""
        return self._inner.start(moments)

    def sigma(self, theta: Array) -> Array:
        """Σ(θ)."""
        return self._inner.sigma(theta)

    def jacobian(self, theta: Array) -> Array:
        """∂Σ/∂θ_h."""
        return self._inner.jacobian(theta)

    def curvature(self, theta: Array, G: Array) -> Array:
        """⟨G, ∂²Σ/∂θ_h∂θ_k⟩."""
        return self._inner.curvature(theta, G)

    def tangent(self, theta: Array) -> Array:
        """The identity and the bands: constants."""
        del theta
        T = self.n_visits
        rho = np.zeros(self.correlation.size(T))
        return np.concatenate([np.eye(T)[None], self.correlation.first(rho, T)])

    def natural_second(self, theta: Array) -> Array:
        """Σ is linear."""
        k = theta.size
        return np.zeros((k, k, self.n_visits, self.n_visits))
