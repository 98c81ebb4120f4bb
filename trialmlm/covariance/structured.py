"""Covariances made of variances and a correlation structure: Σ_ij = √(v_i v_j) R_ij(ρ).

The natural parameters are the variances and the correlations (or the range of a spatial decay),
those of SAS's listing. The search runs on log v and on the scale of the correlation. Where each
subject has distances of its own, Σ is n × T × T, and so is every derivative of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.correlation import Correlation


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
        x = self.correlation.scale(self.n_visits).search(rho)
        return np.concatenate([np.log(v), x])

    def sigma(self, theta: Array) -> Array:
        """Σ(θ)."""
        v, rho, _, _ = self._natural(theta)
        return self._scale(v) * self.correlation.matrix(rho, self.n_visits)

    def jacobian(self, theta: Array) -> Array:
        """∂Σ/∂θ_h, by the chain rule."""
        v, rho, slope, _ = self._natural(theta)
        first = self._first(v, rho)
        return slope.reshape(-1, *(1,) * (first.ndim - 1)) * first

    def curvature(self, theta: Array, G: Array) -> Array:
        """⟨G, ∂²Σ/∂θ_h∂θ_k⟩."""
        v, rho, slope, bend = self._natural(theta)
        inner = np.tensordot(self._second(v, rho), G, G.ndim)
        own = np.tensordot(self._first(v, rho), G, G.ndim)
        result: Array = np.outer(slope, slope) * inner + np.diag(bend * own)
        return result

    def natural(self, theta: Array) -> Array:
        """Variances, then correlations."""
        v, rho, _, _ = self._natural(theta)
        return np.concatenate([v, rho])

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
        rho, slope, bend = self.correlation.scale(self.n_visits).natural(theta[m:])
        return v, rho, np.concatenate([v, slope]), np.concatenate([v, bend])

    def _scale(self, v: Array) -> Array:
        """√(v_i v_j)."""
        full = v if self.heterogeneous else np.repeat(v, self.n_visits)
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
        by_v = _each(self._weights(v), scale * self.correlation.matrix(rho, T))
        both: Array = np.concatenate([by_v, scale * self.correlation.first(rho, T)])
        return both

    def _second(self, v: Array, rho: Array) -> Array:
        T, m = self.n_visits, self.n_variances
        k = rho.size
        scale, weights = self._scale(v), self._weights(v)
        Sigma = scale * self.correlation.matrix(rho, T)
        found = np.zeros((m + k, m + k, *Sigma.shape))
        found[:m, :m] = _each(weights[:, None] * weights[None, :], Sigma)
        if self.heterogeneous:
            # ∂²√v/∂v² = −√v/(4v²): the product of the weights counts +1/4 too much where i ≠ j = a
            one = np.eye(T)
            touched = one[:, :, None] + one[:, None, :]
            a = np.arange(m)
            found[a, a] -= _each(touched / (2.0 * v[:, None, None] ** 2), Sigma)
        else:
            found[0, 0] = 0.0
        by_rho = scale * self.correlation.first(rho, T)
        for b in range(k):
            found[:m, m + b] = found[m + b, :m] = _each(weights, by_rho[b])
        found[m:, m:] = scale * self.correlation.second(rho, T)
        return found


def _each(weights: Array, Sigma: Array) -> Array:
    """Each T × T matrix of weights times every T × T matrix of Σ, entry by entry."""
    own = Sigma.ndim - 2
    lead = weights.shape[:-2]
    result: Array = weights.reshape(*lead, *(1,) * own, *weights.shape[-2:]) * Sigma
    return result


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

    def natural(self, theta: Array) -> Array:
        """The variance, then the covariances."""
        found = self._inner.natural(theta)
        return np.concatenate([found[:1], found[:1] * found[1:]])

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
