"""Correlation structures over ordered visits: ρ -> R and its derivatives.

Each is a function of few correlations, which the search moves along an unconstrained scale x.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.covariance.scales import Interval

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.scales import Scale

_ANY = Interval(-1.0)
#: what the smallest eigenvalue of a starting correlation is at least, and what it is shrunk by
_LEAST, _SHRINK = 0.01, 0.9


class Correlation(Protocol):
    """A family of T × T correlation matrices R(ρ)."""

    def size(self, T: int) -> int:
        """How many correlations it has over T visits."""

    def matrix(self, rho: Array, T: int) -> Array:
        """R(ρ)."""

    def first(self, rho: Array, T: int) -> Array:
        """∂R/∂ρ_k, k × T × T."""

    def second(self, rho: Array, T: int) -> Array:
        """∂²R/∂ρ_k∂ρ_l, k × k × T × T."""

    def scale(self, T: int) -> Scale:
        """What the search runs on."""

    def start(self, R: Array) -> Array:
        """ρ near a correlation matrix."""


def lags(T: int) -> Array:
    """|i − j|, T × T."""
    visit = np.arange(T, dtype=float)
    return np.abs(visit[:, None] - visit[None, :])


@dataclass(frozen=True, slots=True)
class Independent:
    """R = I: no correlations."""

    def size(self, T: int) -> int:
        """None."""
        del T
        return 0

    def matrix(self, rho: Array, T: int) -> Array:
        """The identity."""
        del rho
        return np.eye(T)

    def first(self, rho: Array, T: int) -> Array:
        """Empty."""
        del rho
        return np.zeros((0, T, T))

    def second(self, rho: Array, T: int) -> Array:
        """Empty."""
        del rho
        return np.zeros((0, 0, T, T))

    def scale(self, T: int) -> Scale:
        """No correlation to move."""
        del T
        return _ANY

    def start(self, R: Array) -> Array:
        """Empty."""
        del R
        return np.zeros(0)


@dataclass(frozen=True, slots=True)
class Exchangeable:
    """R_ij = ρ: the same between any two visits."""

    def size(self, T: int) -> int:
        """One, where there are two visits."""
        return min(1, T - 1)

    def matrix(self, rho: Array, T: int) -> Array:
        """ρ off the diagonal."""
        return np.where(lags(T) == 0.0, 1.0, rho[0] if rho.size else 0.0)

    def first(self, rho: Array, T: int) -> Array:
        """1 off the diagonal."""
        return np.repeat((lags(T) > 0.0).astype(float)[None], rho.size, axis=0)

    def second(self, rho: Array, T: int) -> Array:
        """R is linear in ρ."""
        return np.zeros((rho.size, rho.size, T, T))

    def scale(self, T: int) -> Scale:
        """Above −1/(T − 1)."""
        return Interval(-1.0 / max(1, T - 1))

    def start(self, R: Array) -> Array:
        """The mean correlation."""
        above = R[np.triu_indices(len(R), 1)]
        return np.array([above.mean()]) if above.size else np.zeros(0)


@dataclass(frozen=True, slots=True)
class Autoregressive:
    """R_ij = ρ^|i − j|: the order of the visits matters, their spacing does not."""

    def size(self, T: int) -> int:
        """One, where there are two visits."""
        return min(1, T - 1)

    def matrix(self, rho: Array, T: int) -> Array:
        """Powers of ρ."""
        return rho[0] ** lags(T) if rho.size else np.eye(T)

    def first(self, rho: Array, T: int) -> Array:
        """|i − j| ρ^(|i − j| − 1)."""
        d = lags(T)
        return (d * _power(rho[0], d - 1.0))[None] if rho.size else np.zeros((0, T, T))

    def second(self, rho: Array, T: int) -> Array:
        """|i − j| (|i − j| − 1) ρ^(|i − j| − 2)."""
        d = lags(T)
        if not rho.size:
            return np.zeros((0, 0, T, T))
        return (d * (d - 1.0) * _power(rho[0], d - 2.0))[None, None]

    def scale(self, T: int) -> Scale:
        """Any correlation."""
        del T
        return _ANY

    def start(self, R: Array) -> Array:
        """The mean correlation of neighbours."""
        return np.array([np.diag(R, 1).mean()]) if len(R) > 1 else np.zeros(0)


def _power(base: float, exponent: Array) -> Array:
    """base^exponent, 0 where the exponent is negative: its factor is 0 there."""
    result: Array = np.where(exponent >= 0.0, base ** exponent.clip(0.0), 0.0)
    return result


@dataclass(frozen=True, slots=True)
class Banded:
    """Toeplitz: R_ij = ρ_|i − j|, one correlation per lag, zero beyond so many bands.

    Attributes
    ----------
    bands : int, optional
        The diagonal counted, as in SAS's TOEP(q); all by default.
    """

    bands: int | None = None

    def size(self, T: int) -> int:
        """T − 1, or the bands beside the diagonal."""
        return T - 1 if self.bands is None else min(self.bands, T) - 1

    def matrix(self, rho: Array, T: int) -> Array:
        """A band per lag."""
        values = np.concatenate([[1.0], rho, np.zeros(T - 1 - rho.size)])
        matrix: Array = values[lags(T).astype(int)]
        return matrix

    def first(self, rho: Array, T: int) -> Array:
        """1 on the band."""
        return np.array([lags(T) == k for k in range(1, rho.size + 1)], dtype=float).reshape(
            rho.size, T, T
        )

    def second(self, rho: Array, T: int) -> Array:
        """R is linear in ρ."""
        return np.zeros((rho.size, rho.size, T, T))

    def scale(self, T: int) -> Scale:
        """Any correlation; that R is positive definite the likelihood sees to."""
        del T
        return _ANY

    def start(self, R: Array) -> Array:
        """The mean of each band, shrunk until the whole is positive definite."""
        T = len(R)
        rho = np.array([np.diag(R, k).mean() for k in range(1, self.size(T) + 1)])
        while rho.size and np.linalg.eigvalsh(self.matrix(rho, T))[0] < _LEAST:
            rho = rho * _SHRINK
        return rho


@dataclass(frozen=True, slots=True)
class AnteDependent:
    """First-order ante-dependence: R_ij is the product of the neighbours' ρ between i and j."""

    def size(self, T: int) -> int:
        """T − 1."""
        return T - 1

    def matrix(self, rho: Array, T: int) -> Array:
        """Products of neighbours."""
        return _product(rho, _between(T), ())

    def first(self, rho: Array, T: int) -> Array:
        """The product without one neighbour."""
        between = _between(T)
        return np.array([_product(rho, between, (k,)) for k in range(rho.size)]).reshape(
            rho.size, T, T
        )

    def second(self, rho: Array, T: int) -> Array:
        """The product without two neighbours."""
        between = _between(T)
        k = rho.size
        found = np.zeros((k, k, T, T))
        for a in range(k):
            for b in range(k):
                if a != b:
                    found[a, b] = _product(rho, between, (a, b))
        return found

    def scale(self, T: int) -> Scale:
        """Any correlation."""
        del T
        return _ANY

    def start(self, R: Array) -> Array:
        """The neighbours' correlations."""
        return np.diag(R, 1).copy()


def _between(T: int) -> Array:
    """Which neighbours (k, k + 1) lie between visits i and j: (T − 1) × T × T, 0 or 1."""
    visit = np.arange(T)
    low, high = np.minimum.outer(visit, visit), np.maximum.outer(visit, visit)
    k = np.arange(T - 1)[:, None, None]
    return ((low <= k) & (k < high)).astype(float)


def _product(rho: Array, between: Array, without: tuple[int, ...]) -> Array:
    """Π ρ_k over the neighbours between, leaving some out; 0 where those are not between."""
    T = between.shape[1]
    found = np.ones((T, T))
    for k, value in enumerate(rho):
        inside = between[k] > 0.0
        if k in without:
            found = np.where(inside, found, 0.0)
        else:
            found = np.where(inside, found * value, found)
    return found
