"""Standard errors and intervals of covariance parameters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array

Limits = tuple[float, float]


def std_error(slope: Array, tangent: Array, W: Array) -> float:
    """√(g'Wg) with g_h = ⟨slope, ∂_hΣ⟩, W the covariance of the parameters h.

    The delta method, whatever the parameterisation.
    """
    g = np.tensordot(tangent, slope, 2)
    return float(np.sqrt(max(0.0, float(g @ W @ g))))


def _wald(value: float, error: float, confidence: float) -> Limits:
    half = float(special.ndtri(0.5 + confidence / 2.0)) * error
    return value - half, value + half


def _satterthwaite(value: float, error: float, confidence: float) -> Limits:
    """νs²/χ² with ν = 2(s²/SE)²: PROC MIXED's CL for what cannot be negative."""
    if not (error > 0.0 and value > 0.0):
        return np.nan, np.nan
    nu = 2.0 * (value / error) ** 2
    low, high = (float(special.chdtri(nu, (1.0 + s * confidence) / 2.0)) for s in (-1, 1))
    return nu * value / low, nu * value / high


def _fisher(value: float, error: float, confidence: float) -> Limits:
    """Wald on artanh r, whose standard error is SE / (1 − r²)."""
    room = 1.0 - value**2
    if room <= 0.0:
        return np.nan, np.nan
    low, high = _wald(float(np.arctanh(value)), error / room, confidence)
    return float(np.tanh(low)), float(np.tanh(high))


def _logarithmic(value: float, error: float, confidence: float) -> Limits:
    """Wald on log value: above zero, and without end where the data know no upper limit."""
    low, high = _wald(float(np.log(value)), error / value, confidence)
    with np.errstate(over="ignore"):
        return float(np.exp(low)), float(np.exp(high))


#: kind of parameter -> (estimate, standard error, confidence) to its limits
LIMITS: Mapping[str, Callable[[float, float, float], Limits]] = {
    "variance": _satterthwaite,
    "residual": _satterthwaite,
    "covariance": _wald,
    "correlation": _fisher,
    "loading": _wald,
    "range": _logarithmic,
}
