"""Many small symmetric matrices side by side, entries first: r × r × n.

A step of an algorithm is then one pass over n numbers that lie together, where a call per matrix
would be mostly overhead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def cholesky(A: Array) -> Array:
    """L with LL' = A of each, r × r × n.

    Raises
    ------
    numpy.linalg.LinAlgError
        If one of them is not positive definite.
    """
    r = len(A)
    L = np.zeros_like(A)
    for j in range(r):
        pivot = A[j, j] - np.square(L[j, :j]).sum(axis=0)
        if not (pivot > 0.0).all():
            raise np.linalg.LinAlgError("a matrix is not positive definite")
        L[j, j] = np.sqrt(pivot)
        for i in range(j + 1, r):
            L[i, j] = (A[i, j] - (L[i, :j] * L[j, :j]).sum(axis=0)) / L[j, j]
    return L


def inverses(L: Array) -> Array:
    """A⁻¹ of each from its Cholesky factor, r × r × n."""
    r = len(L)
    half = np.zeros_like(L)
    for j in range(r):
        half[j, j] = 1.0 / L[j, j]
    for j in range(r):
        for i in range(j + 1, r):
            half[i, j] = -(L[i, j:i] * half[j:i, j]).sum(axis=0) * half[i, i]
    found: Array = np.einsum("ca...,cb...->ab...", half, half)
    return found


def congruent(F: Array, A: Array) -> Array:
    """F'AF of each symmetric A: r × k and r × r × n in, k × k × n out."""
    (r, k), n = F.shape, A.shape[-1]
    left = (F.T @ A.reshape(r, r * n)).reshape(k, r, n)
    found: Array = (F.T @ left.swapaxes(0, 1).reshape(r, k * n)).reshape(k, k, n)
    return found
