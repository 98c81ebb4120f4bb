"""Tail probabilities and quantiles of t and F, without the weight of scipy.stats."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def t_two_sided(statistic: Array, df: Array) -> Array:
    """P(|T| > |statistic|); df of infinity is the normal distribution."""
    finite = np.where(np.isfinite(df), df, 1.0)
    tail = np.where(
        np.isfinite(df), special.stdtr(finite, -np.abs(statistic)), special.ndtr(-np.abs(statistic))
    )
    return np.where(np.isnan(df) | np.isnan(statistic), np.nan, 2.0 * tail)


def t_quantile(probability: float, df: Array) -> Array:
    """The quantile of t; df of infinity is the normal distribution."""
    finite = np.where(np.isfinite(df), df, 1.0)
    normal = special.ndtri(probability)
    quantile = np.where(np.isfinite(df), special.stdtrit(finite, probability), normal)
    return np.where(np.isnan(df), np.nan, quantile)


def f_upper(statistic: float, num_df: float, den_df: float) -> float:
    """P(F > statistic); den_df of infinity is χ² over its df."""
    if np.isinf(den_df):
        return float(special.chdtrc(num_df, num_df * statistic))
    return float(special.fdtrc(num_df, den_df, statistic))
