"""The oracle of random effects beside a residual covariance: the full N × N V = ZGZ' + R.

The natural parameters are those of G along given directions, then the residual's; everything else
is :class:`~dense_structures.DenseStructures`, which differentiates V by differences.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from dense_structures import SPATIAL, DenseStructures


def entries(r: int) -> np.ndarray:
    """Directions of an unstructured G: the lower triangle."""
    found = []
    for a, b in zip(*np.tril_indices(r), strict=True):
        E = np.zeros((r, r))
        E[a, b] = E[b, a] = 1.0
        found.append(E)
    return np.array(found)


@dataclass(frozen=True)
class DenseRandom(DenseStructures):
    """θ = (G along `directions`, residual of each group).

    Attributes
    ----------
    Z : ndarray, shape (N, r)
    directions : ndarray, shape (m, r, r)
    row_times : ndarray, shape (N,), optional
        Of a spatial structure at times of each row's own.
    """

    Z: np.ndarray | None = None
    directions: np.ndarray | None = None
    row_times: np.ndarray | None = None

    def V_at(self, theta: np.ndarray) -> np.ndarray:
        m = len(self.directions)
        same = self.subject[:, None] == self.subject[None, :]
        G = np.tensordot(theta[:m], self.directions, 1)
        by_G = np.where(same, self.Z @ G @ self.Z.T, 0.0)
        if self.row_times is None:
            return by_G + super().V_at(theta[m:])
        return by_G + np.where(same, SPATIAL[self.structure].sigma(theta[m:], self.row_times), 0.0)
