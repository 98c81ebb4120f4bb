"""What many trials say of one number, and how far chance may have moved it."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, slots=True)
class Simulated:
    """A number from many trials.

    Attributes
    ----------
    value : float
    error : float or None
        Monte-Carlo standard error; None where the number owes nothing to chance.
    """

    value: float
    error: float | None = None


def mean(values: pd.Series) -> Simulated:
    """The mean over trials."""
    return Simulated(float(values.mean()), float(values.std(ddof=1)) / sqrt(len(values)))


def percent(happens: pd.Series) -> Simulated:
    """The percentage of trials in which something happens; binomial error."""
    share = float(happens.mean())
    return Simulated(100 * share, 100 * sqrt(share * (1 - share) / len(happens)))


def spread(values: pd.Series) -> Simulated:
    """The standard deviation over trials; its error is that of normal values."""
    found = float(values.std(ddof=1))
    return Simulated(found, found / sqrt(2 * (len(values) - 1)))


def errors_to_spread(errors: pd.Series, values: pd.Series) -> Simulated:
    """Mean standard error of a model over the standard deviation of what it estimates."""
    observed = spread(values)
    ratio = float(errors.mean()) / observed.value
    return Simulated(ratio, ratio * (observed.error or 0.0) / observed.value)


def without_chance(values: pd.Series, chance: pd.Series) -> Simulated:
    """The mean that `values` would have if `chance`, known to be zero on average, were zero.

    A control variate: the intercept of the regression of the one on the other.
    """
    moved = chance.to_numpy() - chance.mean()
    slope = float(values.to_numpy() @ moved / (moved @ moved))
    residuals = values.to_numpy() - values.mean() - slope * moved
    freed = float(values.mean()) - slope * float(chance.mean())
    variance = float(residuals @ residuals) / (len(values) - 2)
    share = 1 / len(values) + float(chance.mean()) ** 2 / float(moved @ moved)
    return Simulated(freed, sqrt(variance * share))
