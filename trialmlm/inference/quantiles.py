"""Quantiles of χ², F and the noncentral t, without the weight of scipy.stats."""

from __future__ import annotations

from scipy import special


def chi2_quantile(probability: float, df: float) -> float:
    """The quantile of χ² on `df` degrees of freedom, which may be fractional."""
    return float(special.chdtri(df, 1.0 - probability))


def f_quantile(probability: float, num_df: float, den_df: float) -> float:
    """The quantile of F."""
    return float(special.fdtri(num_df, den_df, probability))


def noncentral_t_quantile(probability: float, df: float, shift: float) -> float:
    """The quantile of (Z + shift) / √(χ²/df)."""
    return float(special.nctdtrit(df, shift, probability))


def normal_quantile(probability: float) -> float:
    """The quantile of the standard normal distribution."""
    return float(special.ndtri(probability))
