"""Correlation matrices by partial correlations, any values of which make one.

Lewandowski, Kurowicka and Joe (2009), section 2.4: w_ij is the correlation of effects i and j given
those before j. The first column's are correlations themselves.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array

#: what is left of an effect given others, below which it is nothing
_NOTHING = 1e-8


def correlation_root(w: Array, r: int) -> Array:
    """The lower Cholesky factor of the correlation matrix.

    Parameters
    ----------
    w : ndarray, shape (r(r − 1)/2,)
        Below the diagonal row by row, between −1 and 1.
    r : int

    Returns
    -------
    ndarray, shape (r, r)
        L_ij = w_ij Π_{k<j} √(1 − w_ik²), and L_ii the product alone.
    """
    L = np.eye(r)
    L[np.tril_indices(r, -1)] = w
    left = np.sqrt(np.maximum(0.0, 1.0 - np.tril(L, -1) ** 2))
    for i in range(1, r):
        L[i, 1 : i + 1] *= np.cumprod(left[i, :i])
    return L


def partial_correlations(R: Array) -> Array:
    """W of a correlation matrix, which may be singular; 0 where nothing is left to correlate.

    Parameters
    ----------
    R : ndarray, shape (r, r)
    """
    r = len(R)
    L, w = np.zeros_like(R), np.zeros_like(R)
    for i in range(r):
        left = 1.0
        for j in range(i):
            below = L[j, j] * np.sqrt(left)
            rest = R[i, j] - L[i, :j] @ L[j, :j]
            w[i, j] = np.clip(rest / below, -1.0, 1.0) if below > _NOTHING else 0.0
            L[i, j] = w[i, j] * np.sqrt(left)
            left = left * (1.0 - w[i, j] ** 2)
        L[i, i] = np.sqrt(max(0.0, left))
    found: Array = w[np.tril_indices(r, -1)]
    return found
