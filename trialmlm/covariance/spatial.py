"""Correlations that fall with distance: visits at any times, in one coordinate or several."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.covariance.scales import Interval, Positive

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.scales import Scale

#: where a correlation taken from the data is clipped before a parameter is made of it
_LEAST, _MOST = 0.05, 0.95
#: a correlation at distance one as good as zero, whose powers below one are finite
_VANISHED = 1e-100


class Decay(Protocol):
    """A correlation as a function of distance d and one parameter."""

    @property
    def scale(self) -> Scale:
        """What the search runs on."""

    def value(self, d: Array, rho: float) -> Array:
        """The correlation at distance d."""

    def first(self, d: Array, rho: float) -> Array:
        """Its derivative by the parameter."""

    def second(self, d: Array, rho: float) -> Array:
        """Its second derivative by the parameter."""

    def parameter(self, d: Array, correlation: Array) -> Array:
        """The parameter whose correlation at distance d > 0 is the given one."""


@dataclass(frozen=True, slots=True)
class RangeDecay:
    """exp(−(d/ρ)^power): SAS's SP(EXP) with power 1, SP(GAU) with power 2; ρ is a distance."""

    power: int

    @property
    def scale(self) -> Scale:
        """A range is positive."""
        return Positive()

    def value(self, d: Array, rho: float) -> Array:
        """exp(−(d/ρ)^p)."""
        found: Array = np.exp(-((d / rho) ** self.power))
        return found

    def first(self, d: Array, rho: float) -> Array:
        """R p (d/ρ)^p / ρ."""
        p = self.power
        found: Array = self.value(d, rho) * p * (d / rho) ** p / rho
        return found

    def second(self, d: Array, rho: float) -> Array:
        """R [(p z/ρ)² − p(p + 1) z/ρ²] with z = (d/ρ)^p."""
        p, z = self.power, (d / rho) ** self.power
        found: Array = self.value(d, rho) * (p * p * z * z - p * (p + 1) * z) / rho**2
        return found

    def parameter(self, d: Array, correlation: Array) -> Array:
        """D / (−log R)^(1/p)."""
        found: Array = d / (-np.log(correlation)) ** (1.0 / self.power)
        return found


@dataclass(frozen=True, slots=True)
class PowerDecay:
    """ρ^d: SAS's SP(POW), autoregressive in continuous time; ρ is the correlation at distance 1."""

    @property
    def scale(self) -> Scale:
        """Between 0 and 1."""
        return Interval(0.0)

    def value(self, d: Array, rho: float) -> Array:
        """ρ^d."""
        found: Array = rho**d
        return found

    def first(self, d: Array, rho: float) -> Array:
        """D ρ^(d − 1)."""
        found: Array = d * max(rho, _VANISHED) ** (d - 1.0)
        return found

    def second(self, d: Array, rho: float) -> Array:
        """D (d − 1) ρ^(d − 2)."""
        found: Array = d * (d - 1.0) * max(rho, _VANISHED) ** (d - 2.0)
        return found

    def parameter(self, d: Array, correlation: Array) -> Array:
        """R^(1/d)."""
        found: Array = correlation ** (1.0 / d)
        return found


@dataclass(frozen=True, slots=True, eq=False)
class Spatial:
    """A decay over given distances.

    Attributes
    ----------
    decay : Decay
    distances : ndarray, shape (T, T) or (n, T, T)
        Between the occasions of all subjects, or of each.
    """

    decay: Decay
    distances: Array

    def size(self, T: int) -> int:
        """One, where there are two occasions."""
        return min(1, T - 1)

    def scale(self, T: int) -> Scale:
        """The decay's."""
        del T
        return self.decay.scale

    def matrix(self, rho: Array, T: int) -> Array:
        """R(ρ), of every subject where their distances differ."""
        if not rho.size:
            return np.broadcast_to(np.eye(T), self.distances.shape)
        return self.decay.value(self.distances, float(rho[0]))

    def first(self, rho: Array, T: int) -> Array:
        """∂R/∂ρ."""
        del T
        if not rho.size:
            return np.zeros((0, *self.distances.shape))
        return self.decay.first(self.distances, float(rho[0]))[None]

    def second(self, rho: Array, T: int) -> Array:
        """∂²R/∂ρ²."""
        del T
        if not rho.size:
            return np.zeros((0, 0, *self.distances.shape))
        return self.decay.second(self.distances, float(rho[0]))[None, None]

    def start(self, R: Array) -> Array:
        """The median over the pairs of occasions of the parameter that gives their correlation."""
        d = np.broadcast_to(self.distances, np.broadcast_shapes(self.distances.shape, R.shape))
        apart = d > 0.0
        if not apart.any():
            return np.zeros(0)
        correlation = np.broadcast_to(R, d.shape)[apart].clip(_LEAST, _MOST)
        return np.array([np.median(self.decay.parameter(d[apart], correlation))])
