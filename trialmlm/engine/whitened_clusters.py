"""Residuals multiplied, level by level, by the inverse Cholesky factor of their covariance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray


def whitened(residual: Array, Z: Array, codes: IntArray, G: Array, variances: Array) -> Array:
    """L_i⁻¹r_i of every level i, L_iL_i' = Z_iGZ_i' + diag(variances).

    Parameters
    ----------
    residual : ndarray, shape (N,)
    Z : ndarray, shape (N, r)
    codes : ndarray of int, shape (N,)
        The level of every row.
    G : ndarray, shape (r, r)
    variances : ndarray, shape (N,)
        Residual variances.
    """
    result = np.empty_like(residual)
    order = np.argsort(codes, kind="stable")
    for rows in np.split(order, np.cumsum(np.bincount(codes))[:-1]):
        V = Z[rows] @ G @ Z[rows].T + np.diag(variances[rows])
        result[rows] = np.linalg.solve(np.linalg.cholesky(V), residual[rows])
    return result
