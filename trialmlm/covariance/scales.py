"""How a correlation parameter moves along the unconstrained scale of the search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array

#: a starting value keeps this distance from the ends of its range, relatively
_MARGIN = 0.05


class Scale(Protocol):
    """A smooth map from the real line onto the range of a parameter."""

    def natural(self, x: Array) -> tuple[Array, Array, Array]:
        """The parameters at x, and their first and second derivatives by x."""

    def search(self, value: Array) -> Array:
        """X near a value, away from the ends of the range."""


@dataclass(frozen=True, slots=True)
class Interval:
    """Values in (low, 1): low + (1 − low)(1 + tanh x)/2."""

    low: float

    def natural(self, x: Array) -> tuple[Array, Array, Array]:
        """By tanh."""
        t = np.tanh(x)
        half = (1.0 - self.low) / 2.0
        slope = half * (1.0 - t * t)
        return self.low + half * (1.0 + t), slope, -2.0 * t * slope

    def search(self, value: Array) -> Array:
        """By artanh."""
        share = ((value - self.low) / (1.0 - self.low)).clip(_MARGIN, 1.0 - _MARGIN)
        x: Array = np.arctanh(2.0 * share - 1.0)
        return x


@dataclass(frozen=True, slots=True)
class Positive:
    """Values above zero: exp x."""

    def natural(self, x: Array) -> tuple[Array, Array, Array]:
        """Exp x is its own derivative."""
        value = np.exp(x)
        return value, value, value

    def search(self, value: Array) -> Array:
        """The logarithm."""
        x: Array = np.log(value)
        return x
