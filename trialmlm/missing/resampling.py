"""Standard errors, intervals and tests from resampled subjects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr, ndtri

from trialmlm.errors import UsageError
from trialmlm.missing.hypothesis_tests import Inference, find_alternative, t_tests

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def jackknife(
    estimate: Array,
    left_out: Array,
    *,
    null: float = 0.0,
    alternative: str = "two-sided",
    confidence: float = 0.95,
) -> Inference:
    """Normal tests with the jackknife's variance, (n - 1)/n Σ(θ_(i) - θ̄)² (Efron 1982, 3.1).

    Parameters
    ----------
    estimate : ndarray, shape (q,)
        Of all subjects.
    left_out : ndarray, shape (n, q)
        Without each subject in turn.
    null, alternative, confidence
        As of `t_tests`.

    Raises
    ------
    UsageError
        If there are fewer than 2 subjects, or as of `t_tests`.
    """
    _check("left_out", estimate, left_out, 2)
    std_error = np.sqrt((len(left_out) - 1) * left_out.var(axis=0))
    return t_tests(estimate, std_error, np.full(estimate.shape, np.inf), null=null,
                   alternative=alternative, confidence=confidence)  # fmt: skip


def bootstrap_normal(
    estimate: Array,
    resampled: Array,
    *,
    null: float = 0.0,
    alternative: str = "two-sided",
    confidence: float = 0.95,
) -> Inference:
    """Normal tests with the standard deviation over resamples.

    Parameters
    ----------
    estimate : ndarray, shape (q,)
        Of all subjects as they are.
    resampled : ndarray, shape (B, q)
        Of subjects drawn with replacement.
    null, alternative, confidence
        As of `t_tests`.

    Raises
    ------
    UsageError
        If there are fewer than 2 resamples, or as of `t_tests`.
    """
    _check("resampled", estimate, resampled, 2)
    std_error = resampled.std(axis=0, ddof=1)
    return t_tests(estimate, std_error, np.full(estimate.shape, np.inf), null=null,
                   alternative=alternative, confidence=confidence)  # fmt: skip


def bootstrap_percentile(
    estimate: Array,
    resampled: Array,
    *,
    null: float = 0.0,
    alternative: str = "two-sided",
    confidence: float = 0.95,
) -> Inference:
    """Intervals between quantiles of the resamples, and the tests that invert them.

    Quantiles interpolate at the ranks p(B + 1) (type 6 of Hyndman and Fan, as rbmi). No p-value
    below 1/(B + 1) to each side can be told.

    Parameters
    ----------
    estimate, resampled, null, alternative, confidence
        As of `bootstrap_normal`.

    Raises
    ------
    UsageError
        As of `bootstrap_normal`.
    """
    return _by_quantiles(estimate, resampled, np.zeros(estimate.shape), np.zeros(estimate.shape),
                         null, alternative, confidence)  # fmt: skip


def bootstrap_bca(
    estimate: Array,
    resampled: Array,
    left_out: Array,
    *,
    null: float = 0.0,
    alternative: str = "two-sided",
    confidence: float = 0.95,
) -> Inference:
    """Quantiles corrected for bias and skewness: BCa of Efron (1987), and tests that invert it.

    The limit of level α is the quantile of level Φ(z0 + (z0 + z_α)/(1 - a(z0 + z_α))): z0 from
    the share of resamples below the estimate (half of those equal to it), the acceleration
    a = Σd³/(6(Σd²)^1.5) from the jackknife, d = θ̄ - θ_(i).

    Parameters
    ----------
    estimate, resampled, null, alternative, confidence
        As of `bootstrap_normal`.
    left_out : ndarray, shape (n, q)
        Without each subject in turn.

    Raises
    ------
    UsageError
        As of `bootstrap_normal` and `jackknife`, and where all resamples lie to one side of an
        estimate.
    """
    _check("resampled", estimate, resampled, 2)
    _check("left_out", estimate, left_out, 2)
    below = (resampled < estimate).mean(axis=0) + (resampled == estimate).mean(axis=0) / 2
    if ((below == 0) | (below == 1)).any():
        msg = (
            f"BCa: all {len(resampled)} resamples lie to one side of an estimate, so its bias "
            "cannot be corrected; make more resamples or take the percentile interval"
        )
        raise UsageError(msg)
    d = left_out.mean(axis=0) - left_out
    squares = (d**2).sum(axis=0)
    acceleration = (d**3).sum(axis=0) / (6 * np.where(squares > 0, squares, 1.0) ** 1.5)
    return _by_quantiles(estimate, resampled, ndtri(below), acceleration,
                         null, alternative, confidence)  # fmt: skip


def bootstrapped_imputations(
    estimates: Array,
    *,
    null: float = 0.0,
    alternative: str = "two-sided",
    confidence: float = 0.95,
) -> Inference:
    """Imputations within bootstrap samples: von Hippel and Bartlett (2021).

    Parameters
    ----------
    estimates : ndarray, shape (B, M, q)
        Of M ≥ 2 random imputations of each of B ≥ 2 resamples.
    null, alternative, confidence
        As of `t_tests`.

    Returns
    -------
    Inference
        The estimate is the mean of all. Standard error and df are NaN where resamples vary so
        little beside imputations that the variance comes out negative: more resamples are needed.

    Raises
    ------
    UsageError
        If there are too few resamples or imputations, or as of `t_tests`.

    Notes
    -----
    With the mean squares between and within resamples, σ²_B = (MSB - MSW)/M and
    V = (1 + 1/B) σ²_B + MSW/(BM), on the df of Satterthwaite, at least 3. V is the
    repeated-sampling variance, valid where imputation and analysis models differ.
    """
    if estimates.ndim != 3 or min(estimates.shape[:2]) < 2:
        msg = (
            f"found estimates of shape {estimates.shape}, expected resamples × imputations × "
            "quantities with at least 2 resamples of 2 imputations"
        )
        raise UsageError(msg)
    b, m, _ = estimates.shape
    means = estimates.mean(axis=1)
    between = m * means.var(axis=0, ddof=1)
    within = estimates.var(axis=1, ddof=1).mean(axis=0)
    parts = (b + 1) / (b * m) * between, within / m
    variance = parts[0] - parts[1]
    variance = np.where(variance > 0, variance, np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = variance**2 / (parts[0] ** 2 / (b - 1) + parts[1] ** 2 / (b * (m - 1)))
    return t_tests(means.mean(axis=0), np.sqrt(variance), np.fmax(df, 3.0) + 0 * variance,
                   null=null, alternative=alternative, confidence=confidence)  # fmt: skip


def _by_quantiles(
    estimate: Array,
    resampled: Array,
    bias: Array,
    acceleration: Array,
    null: float,
    alternative: str,
    confidence: float,
) -> Inference:
    """Limits at corrected quantiles; bias and acceleration of 0 correct nothing."""
    _check("resampled", estimate, resampled, 2)
    if not np.isfinite(resampled).all():
        msg = (
            f"{int((~np.isfinite(resampled)).any(axis=1).sum())} of {len(resampled)} resamples "
            "have no estimate; quantiles need all of them: find out why, or leave those rows out"
        )
        raise UsageError(msg)
    direction, error = find_alternative(alternative, confidence)
    ordered = np.sort(resampled, axis=0)
    low, high = (
        _quantile(ordered, _corrected(level, bias, acceleration)) for level in (error, 1 - error)
    )
    lower = _uncorrected(_level_of(ordered, null), bias, acceleration)
    std_error = resampled.std(axis=0, ddof=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = (estimate - null) / std_error
    # the level of the limit that meets the null value: the tail that speaks for "greater"
    p_value = direction.p_value(1 - lower, lower)
    limits = direction.limits(low, high)
    return Inference(
        estimate, std_error, np.full(estimate.shape, np.nan), statistic, p_value, *limits
    )


def _corrected(level: float, bias: Array, acceleration: Array) -> Array:
    """Which quantile of the resamples is the limit of a level."""
    z = bias + ndtri(level)
    found: Array = ndtr(bias + z / (1 - acceleration * z))
    return found


def _uncorrected(share: Array, bias: Array, acceleration: Array) -> Array:
    """The level whose limit is that quantile: `_corrected`, inverted."""
    w = ndtri(share) - bias
    found: Array = ndtr(w / (1 + acceleration * w) - bias)
    return found


def _quantile(ordered: Array, share: Array) -> Array:
    """Interpolated at the ranks share·(B + 1); share has the shape (q,)."""
    count = len(ordered)
    rank = np.clip(share * (count + 1), 1, count)
    floor = np.minimum(rank.astype(int), count - 1)
    at = np.arange(ordered.shape[1])
    found: Array = ordered[floor - 1, at] + (rank - floor) * (
        ordered[floor, at] - ordered[floor - 1, at]
    )
    return found


def _level_of(ordered: Array, value: float) -> Array:
    """The share whose quantile is the value, within 1/(B + 1) of 0 and 1; the middle of ties."""
    count = len(ordered)
    ranks = np.arange(1, count + 1, dtype=float)
    shares = np.empty(ordered.shape[1])
    for q, column in enumerate(ordered.T):
        distinct, first, ties = np.unique(column, return_index=True, return_counts=True)
        middle = ranks[first] + (ties - 1) / 2
        shares[q] = np.interp(value, distinct, middle, left=1.0, right=float(count)) / (count + 1)
    return shares


def _check(name: str, estimate: Array, resampled: Array, least: int) -> None:
    if resampled.ndim != 2 or resampled.shape[1:] != estimate.shape or len(resampled) < least:
        msg = (
            f"{name}: found shape {resampled.shape}, expected at least {least} rows of "
            f"{estimate.size} quantities"
        )
        raise UsageError(msg)
