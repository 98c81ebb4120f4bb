"""Pointwise confidence intervals of a survival probability, on the scale that each is made on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array

    #: survival, the standard error of its logarithm, the normal quantile -> low, high
    Interval = Callable[[Array, Array, float], tuple[Array, Array]]


def _log_log(survival: Array, spread: Array, z: float) -> tuple[Array, Array]:
    # log(-log S) has the standard error of log S over |log S|
    half = z * spread / np.abs(np.log(survival))
    return survival ** np.exp(half), survival ** np.exp(-half)


def _log(survival: Array, spread: Array, z: float) -> tuple[Array, Array]:
    return survival * np.exp(-z * spread), np.minimum(1.0, survival * np.exp(z * spread))


def _plain(survival: Array, spread: Array, z: float) -> tuple[Array, Array]:
    half = z * spread * survival
    return np.maximum(0.0, survival - half), np.minimum(1.0, survival + half)


#: name -> how the interval is made
INTERVALS: Final[Mapping[str, Interval]] = {"log-log": _log_log, "log": _log, "plain": _plain}


def survival_interval(kind: str, survival: Array, spread: Array, z: float) -> tuple[Array, Array]:
    """Low and high ends; NaN where survival is 0 or 1, of which the data know no spread.

    Parameters
    ----------
    kind : {"log-log", "log", "plain"}
    survival, spread : ndarray
        S and the standard error of log S.
    z : float
        The normal quantile.

    Raises
    ------
    UsageError
        If there is no such interval.
    """
    if kind not in INTERVALS:
        msg = f"interval: found {kind!r}, expected one of {', '.join(INTERVALS)}"
        raise UsageError(msg)
    inside = np.where((survival > 0.0) & (survival < 1.0), survival, np.nan)
    return INTERVALS[kind](inside, spread, z)
