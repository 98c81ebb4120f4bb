"""Diagnostics of parallel Markov chains: split R-hat, effective size, autocorrelation.

Vehtari, Gelman, Simpson, Carpenter, Bürkner (2021), Bayesian Analysis 16:667. Arrays are draws ×
chains × quantities; a diagnostic is one number for each quantity, NaN where nothing varies.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def r_hat(draws: Array) -> Array:
    """Rank-normalised split R-hat, the larger of that of location and that of spread.

    Parameters
    ----------
    draws : ndarray, shape (S, C, q)
        At least 4 of each chain, else NaN.
    """
    halves = _halves(draws)
    folded = np.abs(halves - np.median(halves, axis=(0, 1)))
    found: Array = np.maximum(_plain_r_hat(_normalised(halves)), _plain_r_hat(_normalised(folded)))
    return found


def effective_size(draws: Array) -> Array:
    """The number of independent draws that know a mean as well: Geyer's (1992) truncated sum.

    Parameters
    ----------
    draws : ndarray, shape (S, C, q)
        At least 4 of each chain; with fewer, all are counted, as nothing is known of them.

    Notes
    -----
    ρ_t = 1 - (W - mean autocovariance of lag t)/var⁺ (eq. 10), over the chains' halves; summed in
    pairs while these are positive, each no larger than the one before. Negative dependence may
    count for more than every draw, at most S·C·log10(S·C).
    """
    total = draws.shape[0] * draws.shape[1]
    if draws.shape[0] < 4:
        return np.full(draws.shape[2], float(total))
    halves = _halves(draws)
    within, pooled = _variances(halves)
    n = len(halves)
    lags = np.stack([_autocovariance(halves, lag).mean(axis=0) for lag in range(n - n % 2)])
    with np.errstate(invalid="ignore", divide="ignore"):
        rho = 1 - (within - lags * n / (n - 1)) / pooled
    rho[0] = 1.0
    pairs = rho[0::2] + rho[1::2]
    positive = np.logical_and.accumulate(pairs > 0, axis=0)
    pairs = np.minimum.accumulate(np.where(positive, pairs, 0.0), axis=0)
    tau = np.maximum(2 * pairs.sum(axis=0) - 1, 1 / np.log10(total))
    return np.where(pooled > 0, total / tau, np.nan)


def autocorrelation(draws: Array, lag: int) -> Array:
    """Correlation of draws `lag` apart within chains, about the mean of all chains.

    Parameters
    ----------
    draws : ndarray, shape (S, C, q)
    lag : int
    """
    if lag >= len(draws):
        return np.full(draws.shape[2], np.nan)
    centred = draws - draws.mean(axis=(0, 1))
    together = (centred[: len(draws) - lag] * centred[lag:]).mean(axis=(0, 1))
    variance = (centred**2).mean(axis=(0, 1))
    return np.where(variance > 0, together / np.where(variance > 0, variance, 1.0), np.nan)


def _halves(draws: Array) -> Array:
    """Each chain as two, S/2 × 2C × q."""
    half = len(draws) // 2
    return np.concatenate([draws[:half], draws[len(draws) - half :]], axis=1)


def _normalised(draws: Array) -> Array:
    """Normal scores of the ranks over all chains (Blom)."""
    total = draws.shape[0] * draws.shape[1]
    columns = draws.reshape(total, -1).T
    ranks = np.stack([_ranks(column) for column in columns], axis=1).reshape(draws.shape)
    scores: Array = ndtri((ranks - 0.375) / (total + 0.25))
    return scores


def _variances(draws: Array) -> tuple[Array, Array]:
    """W within chains, and var⁺ that counts the means' differences too."""
    n = len(draws)
    within = draws.var(axis=0, ddof=1).mean(axis=0)
    between = draws.mean(axis=0).var(axis=0, ddof=1)
    return within, within * (n - 1) / n + between


def _plain_r_hat(draws: Array) -> Array:
    if len(draws) < 2:
        return np.full(draws.shape[2], np.nan)
    within, pooled = _variances(draws)
    return np.where(within > 0, np.sqrt(pooled / np.where(within > 0, within, 1.0)), np.nan)


def _autocovariance(draws: Array, lag: int) -> Array:
    """Of one lag, chains × q, divided by the number of draws."""
    centred = draws - draws.mean(axis=0)
    products: Array = (centred[: len(draws) - lag] * centred[lag:]).sum(axis=0) / len(draws)
    return products


def _ranks(values: Array) -> Array:
    """From 1, ties sharing their mean rank: scipy.stats has this, and weighs half a second."""
    _, place, count = np.unique(values, return_inverse=True, return_counts=True)
    mean = np.cumsum(count) - (count - 1) / 2.0
    ranks: Array = mean[place]
    return ranks
