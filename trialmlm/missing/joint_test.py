"""One test of several quantities pooled over imputations: a factor with more than two arms."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.inference.distributions import f_upper
from trialmlm.missing.pooling import ROUNDING

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class JointTest:
    """An F test.

    Attributes
    ----------
    statistic : float
        F.
    num_df, den_df : float
    p_value : float
    riv : float
        The average relative increase in variance through missing values.
    """

    statistic: float
    num_df: float
    den_df: float
    p_value: float
    riv: float


def joint_test(
    estimates: Array, covariances: Array, *, df_complete: float = np.inf, null: Array | float = 0.0
) -> JointTest:
    """Test k quantities at once, D1 of Li, Raghunathan and Rubin (1991).

    Parameters
    ----------
    estimates : ndarray, shape (M, k)
        Of M imputations, at least 2.
    covariances : ndarray, shape (M, k, k)
        Of the estimates, positive definite.
    df_complete : float
        Degrees of freedom had nothing been missing; those of Reiter (2007) are used where they
        are finite and k(M - 1) > 4.
    null : float or ndarray, shape (k,)

    Raises
    ------
    UsageError
        If shapes do not fit, or there are fewer than 2 imputations.

    Notes
    -----
    D1 = (θ̄ - θ0)'Ū⁻¹(θ̄ - θ0)/(k(1 + r)), r = (1 + 1/M) tr(BŪ⁻¹)/k: the fraction of missing
    information is taken to be alike for all combinations. The statistic does not depend on which
    contrasts span the hypothesis.
    """
    m, k = estimates.shape
    if covariances.shape != (m, k, k) or m < 2:
        msg = (
            f"found estimates {estimates.shape} and covariances {covariances.shape}; expected "
            "(M, k) and (M, k, k) of at least 2 imputations"
        )
        raise UsageError(msg)
    away = estimates.mean(axis=0) - null
    within = covariances.mean(axis=0)
    between = np.atleast_2d(np.cov(estimates, rowvar=False))
    riv = float((1 + 1 / m) * np.trace(np.linalg.solve(within, between)) / k)
    statistic = float(away @ np.linalg.solve(within, away)) / (k * (1 + riv))
    df = _denominator(riv, k * (m - 1), k, df_complete)
    return JointTest(statistic, float(k), df, f_upper(statistic, k, df), riv)


def _denominator(riv: float, t: int, k: int, df_complete: float) -> float:
    if np.isfinite(df_complete) and t > 4:
        return _reiter(riv * t / (t - 2), t, df_complete)
    large = _large_sample(riv, t, k) if riv > ROUNDING else np.inf
    return min(large, df_complete)


def _large_sample(riv: float, t: int, k: int) -> float:
    """Li, Raghunathan and Rubin (1991), eq. 1.17 and 1.18."""
    if t > 4:
        return 4 + (t - 4) * (1 + (1 - 2 / t) / riv) ** 2
    return t * (1 + 1 / k) * (1 + 1 / riv) ** 2 / 2


def _reiter(a: float, t: int, df_complete: float) -> float:
    """Reiter (2007), eq. 1 and 2; never more than the complete data have.

    The approximation is an expansion that fails where so much is missing that the observed-data
    df vanish; the smallest it can mean, 4, is then returned.
    """
    complete = (df_complete + 1) / (df_complete + 3) * df_complete
    c0, c1, c2 = 1 / (t - 4), complete - 2 * (1 + a), complete - 4 * (1 + a)
    if c2 <= 0:
        return 4.0
    z = (
        1 / c2
        + c0 * a**2 * c1 / ((1 + a) ** 2 * c2)
        + c0 * (8 * a**2 * c1 / ((1 + a) * c2**2) + 4 * a**2 / ((1 + a) * c2))
        + c0 * (4 * a**2 / (c2 * c1) + 16 * a**2 * c1 / c2**3)
        + c0 * 8 * a**2 / c2**2
    )
    return min(4 + 1 / z, df_complete)
