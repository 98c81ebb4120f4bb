"""Rows in an orthonormal basis of X, the response as its scaled least-squares residual."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.basis import Basis, basis_of, triangle

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Standardised:
    """What every likelihood on rows begins with.

    Attributes
    ----------
    Q : ndarray, shape (N, q)
        Orthonormal columns that span X.
    y : ndarray, shape (N,)
        The least-squares residual over `scale`.
    basis : Basis
    offset : ndarray, shape (q,)
        The least-squares coefficients.
    scale : float
        The residual standard deviation.
    """

    Q: Array
    y: Array
    basis: Basis
    offset: Array
    scale: float


def standardise(X: Array, y: Array) -> Standardised:
    """Standardise the rows (X: N × columns, y: N)."""
    basis = basis_of(X)
    Q = X[:, basis.kept] @ basis.R_inverse
    offset, residual = np.zeros(Q.shape[1]), y
    for _ in range(2):  # the second round repairs the rounding of the first
        step = Q.T @ residual
        offset, residual = offset + step, residual - Q @ step
    scale = float(np.sqrt(residual @ residual / max(1, y.size - Q.shape[1])))
    return Standardised(Q, residual / scale if scale > 0.0 else residual, basis, offset, scale)


def orthonormal_effects(Z: Array) -> tuple[Array, Array]:
    """Z in columns that are orthonormal over the rows, times √N, and K with Z = that · K."""
    K = triangle(Z) / np.sqrt(len(Z))
    return Z @ np.linalg.inv(K), K
