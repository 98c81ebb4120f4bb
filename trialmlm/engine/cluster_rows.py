"""Clusters' rows in coordinates in which responses and estimates are independent.

As :mod:`~trialmlm.engine.whitened`, for clusters of any size whose covariance is worked out when it
is asked for. Clusters of one size are worked on together; the cost is O(t³) for t rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.whitened import BLOCK, Block

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.fit import GaussianFit


@dataclass(frozen=True, slots=True)
class ClusterRows:
    """How the rows of a cluster become X̃_i and ẽ_i.

    Attributes
    ----------
    X : ndarray, shape (N, q)
        X̃F: the orthonormal basis times F.
    e : ndarray, shape (N,)
        y − Xβ̂, in units of the search.
    F : ndarray, shape (q, q)
        Φ = FF' in the orthonormal basis.
    clusters : tuple of ndarray of int, shape (n, t)
        The rows of the clusters of one size.
    V : callable
        Rows (n, t) -> their covariances (n, t, t), in units of the search.
    """

    X: Array
    e: Array
    F: Array
    clusters: tuple[IntArray, ...]
    V: Callable[[IntArray], Array]

    @classmethod
    def of(
        cls, fit: GaussianFit, X: Array, y: Array, codes: IntArray, V: Callable[[IntArray], Array]
    ) -> ClusterRows:
        """At the optimum of a fit.

        Parameters
        ----------
        fit : GaussianFit
        X : ndarray, shape (N, columns)
        y : ndarray, shape (N,)
        codes : ndarray of int, shape (N,)
            The cluster of every row.
        V : callable
            Rows (n, t) -> covariances (n, t, t), in units of the response.
        """
        basis, scale = fit.likelihood.basis, fit.likelihood.scale
        F = np.linalg.cholesky(fit.point.Phi)
        e = (y - X[:, basis.kept] @ fit.beta[basis.kept]) / scale
        standard = X[:, basis.kept] @ (basis.R_inverse @ F)
        return cls(standard, e, F, _by_size(codes), lambda rows: V(rows) / scale**2)

    @property
    def n_subjects(self) -> int:
        """Clusters."""
        return sum(map(len, self.clusters))

    def parts(self, n_rows: int) -> tuple[IntArray, ...]:
        """The clusters in pieces that stay bounded when `n_rows` rows of L are looked at."""
        q = self.X.shape[1]
        found = []
        for rows in self.clusters:
            t = rows.shape[1]
            size = max(1, BLOCK // (max(t, q) * max(t, q, n_rows)))
            found += [rows[at : at + size] for at in range(0, len(rows), size)]
        return tuple(found)

    def block(self, part: IntArray) -> Block:
        """The clusters of a piece."""
        L = np.linalg.cholesky(self.V(part))
        X = np.linalg.solve(L, self.X[part])
        return Block(X, np.linalg.solve(L, self.e[part][:, :, None])[:, :, 0])


def _by_size(codes: IntArray) -> tuple[IntArray, ...]:
    """Rows of the clusters, those of one size together, the smallest first."""
    counts = np.bincount(codes)
    split = np.split(np.argsort(codes, kind="stable"), np.cumsum(counts)[:-1])
    sizes = np.unique(counts[counts > 0])
    return tuple(np.stack([rows for rows in split if rows.size == size]) for size in sizes)
