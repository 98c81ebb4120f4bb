"""Numbers printed in a figure, rounded as the tables round them."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from math import isfinite
from typing import Final

#: stands for what cannot be estimated
NOT_ESTIMABLE: Final = "NE"


def fixed(value: float, decimals: int) -> str:
    """So many decimals, halves away from zero on the decimal value; no negative zero."""
    if not isfinite(value):
        return NOT_ESTIMABLE
    exact = Decimal(repr(float(f"{value:.15g}")))
    rounded = exact.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)
    return f"{abs(rounded) if rounded == 0 else rounded:f}"


def p_value(value: float, decimals: int) -> str:
    """Never 0 or 1: ``<0.001`` and ``>0.999``."""
    if not isfinite(value):
        return NOT_ESTIMABLE
    step = 10.0**-decimals
    if value < step:
        return f"<{fixed(step, decimals)}"
    return f">{fixed(1 - step, decimals)}" if value > 1 - step else fixed(value, decimals)


def with_interval(value: float, low: float, high: float, decimals: int) -> str:
    """``110.2 (31.0, 189.4)``."""
    if not isfinite(value):
        return NOT_ESTIMABLE
    return f"{fixed(value, decimals)} ({fixed(low, decimals)}, {fixed(high, decimals)})"
