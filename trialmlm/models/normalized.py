"""Residuals multiplied by an inverse square root of their covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray


def normalized(
    residual: Array,
    Z: Sequence[Array],
    codes: Sequence[IntArray],
    G: Sequence[Array],
    variances: Array,
) -> Array:
    """Uncorrelated residuals of variance 1.

    Parameters
    ----------
    residual : ndarray, shape (N,)
    Z : sequence of ndarray, shape (N, r)
        Of each grouping factor.
    codes : sequence of ndarray of int, shape (N,)
    G : sequence of ndarray, shape (r, r)
    variances : ndarray, shape (N,)
        Residual variances.
    """
    result = np.empty_like(residual)
    order = np.argsort(codes[0], kind="stable")
    bounds = np.cumsum(np.bincount(codes[0]))[:-1]
    for rows in np.split(order, bounds):
        V = Z[0][rows] @ G[0] @ Z[0][rows].T + np.diag(variances[rows])
        result[rows] = np.linalg.solve(np.linalg.cholesky(V), residual[rows])
    return result
