"""Limits of agreement of two methods, with intervals of the bias and of the limits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.distributions import t_quantile
from trialmlm.inference.quantiles import (
    chi2_quantile,
    noncentral_t_quantile,
    normal_quantile,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array, IntArray

Interval = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Limit:
    """An estimate and its interval."""

    estimate: float
    ci_low: float
    ci_high: float


@dataclass(frozen=True, slots=True)
class Differences:
    """Differences between two methods, of subjects measured once or several times.

    Attributes
    ----------
    bias : float
        Mean of the subjects' means.
    variance : float
        Of a single difference: of the subjects' means plus what averaging hid.
    between, within : float
        Its parts; `between` may be negative as estimated, `within` is NaN of single pairs.
    means_variance : float
        Of the subjects' means.
    hidden : float
        1 − 1/m, m the harmonic mean of the pairs per subject; 0 of single pairs.
    n, pairs : int
        Subjects and pairs.
    """

    bias: float
    variance: float
    between: float
    within: float
    means_variance: float
    hidden: float
    n: int
    pairs: int


def differences(d: Array, subject: IntArray) -> Differences:
    """Sum up differences by subject (codes from 0)."""
    count = np.bincount(subject)
    n, pairs = count.size, d.size
    means = np.bincount(subject, d) / count
    spread = float(means.var(ddof=1))
    if pairs == n:
        return Differences(float(means.mean()), spread, spread, np.nan, spread, 0.0, n, pairs)
    within = float(np.square(d - means[subject]).sum()) / (pairs - n)
    hidden = 1.0 - float((1.0 / count).mean())
    total = spread + hidden * within
    bias, between = float(means.mean()), total - within
    return Differences(bias, total, between, within, spread, hidden, n, pairs)


def bias(of: Differences, alpha: float) -> Limit:
    """The mean difference and its t interval on the subjects' means."""
    t = float(t_quantile(1.0 - alpha / 2.0, np.array(of.n - 1.0)))
    half = t * float(np.sqrt(of.means_variance / of.n))
    return Limit(of.bias, of.bias - half, of.bias + half)


def exact(of: Differences, z: float, alpha: float) -> Interval:
    """Interval of the bias + z SD, by the noncentral t distribution (Carkeet 2015)."""
    root, sd = float(np.sqrt(of.n)), float(np.sqrt(of.variance))
    low, high = (
        noncentral_t_quantile(tail, of.n - 1.0, z * root)
        for tail in (alpha / 2.0, 1.0 - alpha / 2.0)
    )
    return of.bias + sd * low / root, of.bias + sd * high / root


def approximate(of: Differences, z: float, alpha: float) -> Interval:
    """Symmetric, with variance SD²(1/n + z²/(2(n − 1))) (Bland and Altman 1999)."""
    t = float(t_quantile(1.0 - alpha / 2.0, np.array(of.n - 1.0)))
    half = t * float(np.sqrt(of.variance * (1.0 / of.n + z**2 / (2.0 * (of.n - 1)))))
    centre = of.bias + z * float(np.sqrt(of.variance))
    return centre - half, centre + half


def mover(of: Differences, z: float, alpha: float) -> Interval:
    """From the intervals of the bias and of the variance, each recovered (Zou 2013)."""
    low, high = variance_interval(of, alpha)
    sd = float(np.sqrt(of.variance))
    own = normal_quantile(1.0 - alpha / 2.0) ** 2 * of.means_variance / of.n
    inner = float(np.sqrt(own + z**2 * (sd - np.sqrt(low)) ** 2))
    outer = float(np.sqrt(own + z**2 * (np.sqrt(high) - sd) ** 2))
    centre = of.bias + z * sd
    down, up = (inner, outer) if z > 0.0 else (outer, inner)
    return centre - down, centre + up


def variance_interval(of: Differences, alpha: float) -> Interval:
    """Of the variance of a single difference; exact χ² of single pairs."""
    parts = [(of.means_variance, of.n - 1)]
    if of.hidden:
        parts.append((of.hidden * of.within, of.pairs - of.n))
    tail = alpha / 2.0
    down = sum((s * (1.0 - df / chi2_quantile(1.0 - tail, df))) ** 2 for s, df in parts)
    up = sum((s * (df / chi2_quantile(tail, df) - 1.0)) ** 2 for s, df in parts)
    return of.variance - float(np.sqrt(down)), of.variance + float(np.sqrt(up))


#: name -> the interval of a limit, of subjects measured once
SINGLE: Mapping[str, Callable[[Differences, float, float], Interval]] = {
    "exact": exact,
    "approximate": approximate,
    "mover": mover,
}
#: and several times
REPEATED: Mapping[str, Callable[[Differences, float, float], Interval]] = {"mover": mover}
