"""Sphericity of repeated measures: Mauchly's test and the corrections of the degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Sphericity:
    """How far a covariance is from one under which the univariate F tests are exact.

    Attributes
    ----------
    W, p_value : float
        Mauchly's statistic, 1 under sphericity, and its test; NaN where there are fewer than
        three occasions, or too few subjects.
    greenhouse_geisser, huynh_feldt : float
        Estimates of ε; Huynh and Feldt's may exceed 1, and is then used as 1.
    lower_bound : float
        1/(T − 1), the least that ε can be.
    """

    W: float
    p_value: float
    greenhouse_geisser: float
    huynh_feldt: float
    lower_bound: float


def orthonormal_contrasts(count: int) -> Array:
    """Columns that are orthonormal and sum to zero, count × (count − 1)."""
    centred = np.eye(count) - 1.0 / count
    contrasts: Array = np.linalg.svd(centred)[0][:, : count - 1]
    return contrasts


def sphericity(S: Array, df: int) -> Sphericity:
    """Judge the covariance of T occasions.

    Parameters
    ----------
    S : ndarray, shape (T, T)
        Estimated within groups.
    df : int
        Its degrees of freedom, subjects less groups.

    Notes
    -----
    With C = M'SM over orthonormal contrasts M and p = T − 1: W = |C| / (tr C / p)^p (Mauchly
    1940), its p-value by Box's expansion to the second order (Anderson 1958, section 10.7);
    ε̂ = (tr C)² / (p tr C²) (Greenhouse and Geisser 1959); Huynh and Feldt's (1976) with the
    correction of Lecoutre (1991) for several groups, ((df + 1) p ε̂ − 2) / (p (df − p ε̂)).
    """
    M = orthonormal_contrasts(len(S))
    C = M.T @ S @ M
    p = len(C)
    trace = float(np.trace(C))
    epsilon = trace**2 / (p * float((C * C).sum()))
    rest = p * (df - p * epsilon)
    corrected = ((df + 1) * p * epsilon - 2.0) / rest if rest > 0.0 else 1.0
    W = float(np.linalg.det(C * (p / trace))) if p > 1 and df >= p else float("nan")
    return Sphericity(W, _mauchly(W, p, df), epsilon, corrected, 1.0 / p)


def _mauchly(W: float, p: int, df: int) -> float:
    """P(W < w) under sphericity; ω is the weight of the expansion's second term."""
    if not W > 0.0:
        return W
    rho = 1.0 - (2.0 * p**2 + p + 2.0) / (6.0 * p * df)
    omega = (p + 2.0) * (p - 1.0) * (p - 2.0) * (2.0 * p**3 + 6.0 * p**2 + 3.0 * p + 2.0)
    omega /= 288.0 * (p * df * rho) ** 2
    z, free = -df * rho * np.log(W), p * (p + 1) / 2.0 - 1.0
    first, second = special.chdtrc(free, z), special.chdtrc(free + 4.0, z)
    return float(first + omega * (second - first))
