"""The factor-analytic covariance: few common factors and a variance of its own for every visit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import FitError

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray

#: the least share of a visit's variance that is its own in a start
_OWN = 0.1


@dataclass(frozen=True, slots=True)
class FactorAnalytic:
    """Σ = ΛΛ' + D, Λ: T × q with zeros above its diagonal, D diagonal (SAS's TYPE=FA(q)).

    The search runs on the loadings and on the square roots of D, free in sign, so that an own
    variance of zero is an interior point. The natural parameters are the loadings and D.

    Attributes
    ----------
    n_visits : int
    factors : int
        q; what is left of the T(T + 1)/2 entries of Σ must carry the parameters.
    """

    n_visits: int
    factors: int = 1
    abbreviation: str = "fa"

    def __post_init__(self) -> None:
        T = self.n_visits
        if not 1 <= self.factors <= T or self.n_parameters > T * (T + 1) // 2:
            msg = (
                f"fa: {self.factors} factors over {T} visits have {self.n_parameters} parameters, "
                f"more than the {T * (T + 1) // 2} of an unstructured covariance; use fewer factors"
            )
            raise FitError(msg)

    @property
    def title(self) -> str:
        """In words."""
        return f"Factor-analytic ({self.factors})"

    @property
    def n_parameters(self) -> int:
        """Loadings and own variances."""
        q = self.factors
        return self.n_visits * q - q * (q - 1) // 2 + self.n_visits

    def start(self, moments: Array) -> Array:
        """Principal factors of `moments`, turned so that Λ has its zeros."""
        sd = np.sqrt(np.diag(moments))
        values, vectors = np.linalg.eigh(moments / np.outer(sd, sd))
        q = self.factors
        strength = np.sqrt((values[-q:] - values[: self.n_visits - q].mean()).clip(0.05))
        loadings = vectors[:, -q:] * strength
        common = (loadings**2).sum(axis=1).clip(1.0 - _OWN)
        loadings = loadings * np.sqrt((1.0 - _OWN) / common)[:, None]
        turned = np.linalg.qr(loadings[:q].T).Q
        factor = (loadings @ turned) * sd[:, None]
        rows, columns = self.loadings()
        own = np.sqrt((np.diag(moments) - (factor**2).sum(axis=1)).clip(_OWN * sd**2))
        return np.concatenate([factor[rows, columns], own])

    def sigma(self, theta: Array) -> Array:
        """ΛΛ' + D."""
        factor, own = self._parts(theta)
        return factor @ factor.T + np.diag(own**2)

    def jacobian(self, theta: Array) -> Array:
        """By the loadings and the roots of D."""
        _, own = self._parts(theta)
        found = self.tangent(theta)
        found[-self.n_visits :] *= 2.0 * own[:, None, None]
        return found

    def curvature(self, theta: Array, G: Array) -> Array:
        """2 G[i, j] where two loadings are of one factor; 2 G[i, i] for a root of D."""
        del theta
        found = np.zeros((self.n_parameters, self.n_parameters))
        k = self.n_parameters - self.n_visits
        rows, _ = self.loadings()
        found[:k, :k] = self._same_factor() * 2.0 * G[rows[:, None], rows]
        found[k:, k:] = np.diag(2.0 * np.diag(G))
        return found

    def natural(self, theta: Array) -> Array:
        """Loadings, then D."""
        k = self.n_parameters - self.n_visits
        return np.concatenate([theta[:k], theta[k:] ** 2])

    def tangent(self, theta: Array) -> Array:
        """By the loadings and D."""
        factor, _ = self._parts(theta)
        T = self.n_visits
        rows, columns = self.loadings()
        half = np.zeros((rows.size, T, T))
        half[np.arange(rows.size), rows] = factor.T[columns]
        own = np.zeros((T, T, T))
        own[np.arange(T), np.arange(T), np.arange(T)] = 1.0
        return np.concatenate([half + half.transpose(0, 2, 1), own])

    def natural_second(self, theta: Array) -> Array:
        """e_i e_j' + e_j e_i' where two loadings are of one factor."""
        del theta
        T, k = self.n_visits, self.n_parameters - self.n_visits
        rows, _ = self.loadings()
        found = np.zeros((self.n_parameters, self.n_parameters, T, T))
        h, j = np.nonzero(self._same_factor())
        np.add.at(found[:k, :k], (h, j, rows[h], rows[j]), 1.0)
        np.add.at(found[:k, :k], (h, j, rows[j], rows[h]), 1.0)
        return found

    def loadings(self) -> tuple[IntArray, IntArray]:
        """Row and column of each loading."""
        rows, columns = np.nonzero(np.tril(np.ones((self.n_visits, self.factors))))
        return rows, columns

    def _same_factor(self) -> Array:
        _, columns = self.loadings()
        return np.asarray(columns[:, None] == columns, dtype=float)

    def _parts(self, theta: Array) -> tuple[Array, Array]:
        factor = np.zeros((self.n_visits, self.factors))
        factor[self.loadings()] = theta[: -self.n_visits]
        return factor, theta[-self.n_visits :]
