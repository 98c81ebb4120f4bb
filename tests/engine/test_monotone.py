"""Posterior draws of a monotone pattern against the Student and χ² laws of its regressions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from trialmlm.engine.monotone import draw_monotone
from trialmlm.errors import FitError

DRAWS = 4000


@pytest.fixture(scope="module")
def pattern() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(8)
    Z = np.column_stack([np.ones(40), rng.normal(size=40)])
    Y = Z @ rng.normal(size=(2, 3)) + rng.normal(size=(40, 3)).cumsum(axis=1)
    Y[np.arange(3) >= rng.integers(1, 5, 40)[:, None]] = np.nan
    return Y, Z


def test_each_regression_has_the_law_of_least_squares(
    pattern: tuple[np.ndarray, np.ndarray],
) -> None:
    Y, Z = pattern
    M, Sigma = draw_monotone(Y, Z, DRAWS, np.random.default_rng(1))
    for t in range(3):
        seen = ~np.isnan(Y[:, t])
        W = np.column_stack([Z[seen], Y[seen, :t]])
        inverse = np.linalg.inv(W.T @ W)
        estimate = inverse @ W.T @ Y[seen, t]
        rss = ((Y[seen, t] - W @ estimate) ** 2).sum()
        df = seen.sum() - W.shape[1]
        phi = np.linalg.solve(Sigma[:, :t, :t], Sigma[:, :t, t : t + 1])[..., 0]
        gamma = M[:, t] - np.einsum("ds,dsq->dq", phi, M[:, :t])
        variance = Sigma[:, t, t] - np.einsum("ds,ds->d", phi, Sigma[:, :t, t])
        laws = [stats.kstest(rss / variance, stats.chi2(df).cdf)]
        for k, drawn in enumerate(np.column_stack([gamma, phi]).T):
            error = np.sqrt(rss / df * inverse[k, k])
            laws.append(stats.kstest((drawn - estimate[k]) / error, stats.t(df).cdf))
        # twelve tests with a fixed seed: none below one in ten thousand
        assert min(law.pvalue for law in laws) > 1e-4


def test_too_few_subjects_are_refused(pattern: tuple[np.ndarray, np.ndarray]) -> None:
    Y, Z = pattern
    with pytest.raises(FitError, match="cannot carry its regression"):
        draw_monotone(Y[:3], Z[:3], 5, np.random.default_rng(1))
