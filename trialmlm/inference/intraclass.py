"""Intraclass correlations of targets rated by raters, with intervals from the F distribution."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.distributions import f_upper
from trialmlm.inference.quantiles import f_quantile

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Ratings:
    """Mean squares of n targets by k raters.

    Attributes
    ----------
    n, k : int
    targets, raters, error, within : float
        Mean squares between targets, between raters, of what is left, and within targets.
    """

    n: int
    k: int
    targets: float
    raters: float
    error: float
    within: float


@dataclass(frozen=True, slots=True)
class Intraclass:
    """An intraclass correlation.

    Attributes
    ----------
    estimate, statistic, num_df, den_df, p_value, ci_low, ci_high : float
        The test is of no variance between targets.
    """

    estimate: float
    statistic: float
    num_df: float
    den_df: float
    p_value: float
    ci_low: float
    ci_high: float


def ratings(Y: Array) -> Ratings:
    """Mean squares of a table of ratings, targets × raters."""
    n, k = Y.shape
    rest = Y - Y.mean()
    rows, columns = rest.mean(axis=1), rest.mean(axis=0)
    left = rest - rows[:, None] - columns
    within = rest - rows[:, None]
    return Ratings(
        n=n,
        k=k,
        targets=float(k * rows @ rows) / (n - 1),
        raters=float(n * columns @ columns) / (k - 1),
        error=float((left * left).sum()) / ((n - 1) * (k - 1)),
        within=float((within * within).sum()) / (n * (k - 1)),
    )


def one_way(of: Ratings, confidence: float) -> Intraclass:
    """ICC(1): raters differ from target to target; (MSB − MSW) / (MSB + (k − 1) MSW)."""
    return _of_ratio(of, of.within, of.n * (of.k - 1), confidence)


def consistency(of: Ratings, confidence: float) -> Intraclass:
    """ICC(C,1): differences between raters do not count; (MSR − MSE) / (MSR + (k − 1) MSE)."""
    return _of_ratio(of, of.error, (of.n - 1) * (of.k - 1), confidence)


def absolute(of: Ratings, confidence: float) -> Intraclass:
    """ICC(A,1): differences between raters count.

    Notes
    -----
    (MSR − MSE) / (MSR + (k − 1) MSE + k (MSC − MSE) / n). The interval is that of McGraw and Wong
    (1996, table 7; 1996 erratum), after Fleiss and Shrout (1978), on Satterthwaite's v.
    """
    n, k, total = of.n, of.k, of.k * of.raters + (of.k * of.n - of.k - of.n) * of.error
    rho = (of.targets - of.error) / (
        of.targets + (k - 1) * of.error + k * (of.raters - of.error) / n
    )
    a = k * rho / (n * (1.0 - rho))
    b = 1.0 + k * rho * (n - 1) / (n * (1.0 - rho))
    v = (a * of.raters + b * of.error) ** 2 / (
        (a * of.raters) ** 2 / (k - 1) + (b * of.error) ** 2 / ((n - 1) * (k - 1))
    )
    tail = 0.5 + confidence / 2.0
    F, f = f_quantile(tail, n - 1, v), f_quantile(tail, v, n - 1)
    low = n * (of.targets - F * of.error) / (F * total + n * of.targets)
    high = n * (f * of.targets - of.error) / (total + n * f * of.targets)
    df = (n - 1, (n - 1) * (k - 1))
    statistic = of.targets / of.error
    return Intraclass(rho, statistic, *df, f_upper(statistic, *df), low, high)


def averaged(single: Intraclass, k: int) -> Intraclass:
    """The same of the mean of k ratings (Spearman 1910, Brown 1910), which is monotone in it."""
    estimate, low, high = (
        k * value / (1.0 + (k - 1) * value)
        for value in (single.estimate, single.ci_low, single.ci_high)
    )
    test = (single.statistic, single.num_df, single.den_df, single.p_value)
    return Intraclass(estimate, *test, low, high)


def _of_ratio(of: Ratings, error: float, den_df: int, confidence: float) -> Intraclass:
    """(F − 1) / (F + k − 1), which is monotone in F."""
    tail, num_df = 0.5 + confidence / 2.0, of.n - 1
    F = of.targets / error
    low, high = F / f_quantile(tail, num_df, den_df), F * f_quantile(tail, den_df, num_df)
    estimate, ci_low, ci_high = ((f - 1.0) / (f + of.k - 1.0) for f in (F, low, high))
    return Intraclass(estimate, F, num_df, den_df, f_upper(F, num_df, den_df), ci_low, ci_high)


def swept(Y: Array) -> bool:
    """Whether nothing is left after targets and raters."""
    rest = Y - Y.mean(axis=1)[:, None] - Y.mean(axis=0) + Y.mean()
    return bool(np.abs(rest).max() <= 1e-12 * max(float(np.abs(Y).max()), 1e-300))
