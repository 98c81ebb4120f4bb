"""The extended Mantel-Haenszel test of mean scores, of residuals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray


def mean_scores(
    scores: Array, covariates: Sequence[Array], arm: IntArray, stratum: IntArray
) -> pd.DataFrame:
    """Test that scores, adjusted for covariates, do not differ between arms.

    Parameters
    ----------
    scores : ndarray, shape (n,)
    covariates : sequence of ndarray, shape (n,)
    arm, stratum : ndarray of int, shape (n,)
        Codes from 0.

    Returns
    -------
    DataFrame
        One row: statistic, df, p_value.

    Notes
    -----
    Within a stratum of m subjects, n_a of them in arm a, allocation at random gives the sum of
    the residuals r in arm a the covariance n_a (δ_ab − n_b/m) Σ(r − r̄)²/(m − 1) with that in arm
    b; sums and covariances are added up over the strata.
    """
    arms = int(arm.max())  # the last arm's sum follows from the others
    apart, covariance = np.zeros(arms), np.zeros((arms, arms))
    for level in range(int(stratum.max()) + 1):
        who = stratum == level
        r = _residuals(scores[who], [x[who] for x in covariates])
        n = np.bincount(arm[who], minlength=arms + 1)[:arms].astype(float)
        m = r.size
        sums = np.bincount(arm[who], weights=r, minlength=arms + 1)[:arms]
        apart += sums - n * r.mean()
        spread = ((r - r.mean()) ** 2).sum() / max(1, m - 1)
        covariance += (np.diag(n) - np.outer(n, n) / m) * spread
    statistic = float(apart @ np.linalg.solve(covariance, apart))
    p_value = float(special.chdtrc(arms, statistic))
    return pd.DataFrame({"statistic": [statistic], "df": [arms], "p_value": [p_value]})


def _residuals(scores: Array, covariates: Sequence[Array]) -> Array:
    """Of least squares on the covariates and a constant."""
    columns = np.column_stack([np.ones(scores.size), *covariates])
    found: Array = scores - columns @ np.linalg.lstsq(columns, scores, rcond=None)[0]
    return found
