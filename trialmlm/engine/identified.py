"""Whether the data can tell the parameters of the covariance apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import symmetric_basis
from trialmlm.engine.objective import contract
from trialmlm.engine.standardise import orthonormal_effects

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray

#: smallest eigenvalue of the correlation of ∂V by its parameters
LEAST = 1e-10


def variances_identified(Z: Array, cluster: IntArray, level: IntArray) -> bool:
    """Whether ∂V by the entries of G and by the residual variances are linearly independent.

    V_i = Z_i G Z_i' + diag(σ²_level). Where they are not, as with an intercept and a slope on the
    same two times of every cluster, the likelihood is the same along a line of parameters.

    Parameters
    ----------
    Z : ndarray, shape (N, r)
        Of full column rank.
    cluster, level : ndarray of int, shape (N,)
        Codes without gaps.
    """
    own, _ = orthonormal_effects(Z)
    squares = own[:, :, None] * own[:, None, :]
    S, by_level = _summed(squares, cluster), _summed(squares, level)
    basis = symmetric_basis(own.shape[1])
    # Σ_i tr(∂_hV_i ∂_kV_i)
    cross = np.tensordot(basis, by_level, ((1, 2), (1, 2)))
    gram = np.block(
        [[contract(basis, S, S), cross], [cross.T, np.diag(np.bincount(level).astype(float))]]
    )
    size = np.sqrt(np.diag(gram))
    return float(np.linalg.eigvalsh(gram / np.outer(size, size))[0]) > LEAST


def _summed(values: Array, code: IntArray) -> Array:
    """Sums of (N, r, r) values over the rows of each code; bincount is quicker than add.at."""
    sums = [np.bincount(code, weights=column) for column in values.reshape(len(values), -1).T]
    result: Array = np.stack(sums, axis=-1).astype(float).reshape(-1, *values.shape[1:])
    return result
