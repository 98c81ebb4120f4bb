"""Tests and confidence intervals of pooled estimates, two-sided or in a stated direction."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.inference.distributions import t_quantile, t_two_sided

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Alternative:
    """The direction of an alternative hypothesis.

    Attributes
    ----------
    bounded : (bool, bool)
        Whether the confidence interval has a lower, an upper limit.
    tails : int
        That share the error.
    """

    bounded: tuple[bool, bool]
    tails: int = 1

    def limits(self, low: Array, high: Array) -> tuple[Array, Array]:
        """Both limits, infinite on the side that is not bounded."""
        below, above = self.bounded
        return (
            low if below else np.full(low.shape, -np.inf),
            high if above else np.full(high.shape, np.inf),
        )

    def p_value(self, lower: Array, upper: Array) -> Array:
        """From the tail probabilities below and above what was found.

        What speaks for the alternative lies where the interval is bounded on the far side of the
        null value: for "greater" the upper tail, with the interval (low, ∞).
        """
        if self.tails == 2:
            both: Array = np.minimum(2 * np.minimum(lower, upper), 1.0)
            return both
        return upper if self.bounded[0] else lower


#: name -> the estimate is other, larger, smaller than the null value
ALTERNATIVES: Mapping[str, Alternative] = {
    "two-sided": Alternative((True, True), 2),
    "greater": Alternative((True, False)),
    "less": Alternative((False, True)),
}


def find_alternative(name: str, confidence: float) -> tuple[Alternative, float]:
    """The alternative, and the share of error beyond each limit.

    Raises
    ------
    UsageError
        If there is no such alternative, or the confidence is no number between 0 and 1.
    """
    if name not in ALTERNATIVES:
        msg = f"alternative: found {name!r}, expected one of {', '.join(ALTERNATIVES)}"
        raise UsageError(msg)
    if not isinstance(confidence, Real) or not 0 < confidence < 1:
        msg = f"confidence: found {confidence!r}, expected a number between 0 and 1, such as 0.95"
        raise UsageError(msg)
    found = ALTERNATIVES[name]
    return found, (1 - confidence) / found.tails


@dataclass(frozen=True, slots=True, eq=False)
class Inference:
    """Estimates with their tests; every attribute has the shape of `estimate`.

    Attributes
    ----------
    estimate, std_error : ndarray
    df : ndarray
        Infinite for a normal distribution, NaN where quantiles of resamples are used.
    statistic : ndarray
        (estimate - null)/std_error.
    p_value : ndarray
    ci_low, ci_high : ndarray
        Infinite on the side that a one-sided interval leaves open.
    """

    estimate: Array
    std_error: Array
    df: Array
    statistic: Array
    p_value: Array
    ci_low: Array
    ci_high: Array


def t_tests(
    estimate: Array,
    std_error: Array,
    df: Array,
    *,
    null: float = 0.0,
    alternative: str = "two-sided",
    confidence: float = 0.95,
) -> Inference:
    """Test each estimate by t.

    Parameters
    ----------
    estimate, std_error, df : ndarray
        Of one shape; df of infinity is the normal distribution.
    null : float
        Value of no effect.
    alternative : {"two-sided", "greater", "less"}
        What the estimate is to the null value if there is an effect.
    confidence : float

    Raises
    ------
    UsageError
        If there is no such alternative, or the confidence is no number between 0 and 1.

    Examples
    --------
    >>> found = t_tests(np.array([2.0]), np.array([1.0]), np.array([np.inf]), alternative="greater")
    >>> f"{found.p_value[0]:.4f}, ({found.ci_low[0]:.3f}, {found.ci_high[0]})"
    '0.0228, (0.355, inf)'
    """
    direction, error = find_alternative(alternative, confidence)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (estimate - null) / std_error
    smaller = t_two_sided(statistic, df) / 2
    lower, upper = (np.where(statistic * s < 0, smaller, 1 - smaller) for s in (1, -1))
    half = t_quantile(1 - error, df) * std_error
    low, high = direction.limits(estimate - half, estimate + half)
    # the smaller tail itself, not 1 minus the larger: no digits are lost in a small p-value
    p_value = 2 * smaller if direction.tails == 2 else direction.p_value(lower, upper)
    return Inference(estimate, std_error, df, statistic, p_value, low, high)
