"""Where a falling function crosses zero, without the weight of scipy.optimize."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable


def crossing(
    f: Callable[[float], float], low: float, high: float, tolerance: float = 1e-10
) -> float:
    """The x between `low` and `high` where f, positive at `low` and negative at `high`, is zero.

    Notes
    -----
    Regula falsi with the Illinois rule (Dowell and Jarratt 1971): the end that stays has its
    value halved, so that both ends close in. An end without the expected sign is returned.
    """
    at_low, at_high = f(low), f(high)
    if at_low <= 0.0:
        return low
    if at_high >= 0.0:
        return high
    kept = 0
    while True:
        x = (low * at_high - high * at_low) / (at_high - at_low)
        value = f(x)
        if value == 0.0:
            return x
        if value > 0.0:
            step, low, at_low = x - low, x, value
            at_high = at_high / 2.0 if kept == 1 else at_high
            kept = 1
        else:
            step, high, at_high = high - x, x, value
            at_low = at_low / 2.0 if kept == -1 else at_low
            kept = -1
        if min(step, high - low) <= tolerance:
            return x
