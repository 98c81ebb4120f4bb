"""Many responses on the same rows, with random effects by cluster.

Data sets that were imputed differ in their responses alone: X, Z and all their products are one
and the same. What a step of Newton's method needs of a response are then sums over clusters of
r × r weights times products that all share, one matrix product for all responses at once. That a
resample counts clusters otherwise changes the weights, not the products.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import lower_indices
from trialmlm.engine.standardise import orthonormal_effects, standardise

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.basis import Basis


@dataclass(frozen=True, slots=True)
class SharedRows:
    """What rows sorted by cluster have in common whatever the response.

    Attributes
    ----------
    Q : ndarray, shape (N, q)
        Orthonormal columns that span X.
    Z : ndarray, shape (r, N)
        Its columns made orthonormal over all rows, times √N.
    first : ndarray of int, shape (n,)
        The first row of each cluster.
    S : ndarray, shape (r, r, n)
        Z_i'Z_i.
    C : ndarray, shape (r, n, q)
        Z_i'X_i.
    XX : ndarray, shape (n, l)
        Lower triangles of X_i'X_i.
    CC : ndarray, shape (m, n, l)
        c_ac_b' + c_bc_a' of the rows a and b < a of each Z_i'X_i, c_ac_a' of a row: by the entry
        of a lower triangle and the cluster, itself the lower triangle of the product.
    basis : Basis
        Of the fixed effects.
    """

    Q: Array
    Z: Array
    first: IntArray
    S: Array
    C: Array
    XX: Array
    CC: Array
    basis: Basis

    @classmethod
    def of(cls, X: Array, Z: Array, first: IntArray) -> SharedRows:
        """Rows sorted by cluster: X (N × columns), Z (N × r) of full column rank."""
        rows = standardise(X, np.zeros(len(X)))
        own = np.ascontiguousarray(orthonormal_effects(Z)[0].T)
        S = np.add.reduceat(own[:, None] * own, first, axis=-1)
        C = np.add.reduceat(own[:, None] * rows.Q.T, first, axis=-1)
        C = np.ascontiguousarray(C.swapaxes(1, 2))
        a, b = lower_indices(len(own))
        p, k = lower_indices(C.shape[-1])
        CC = C[a][..., p] * C[b][..., k] + C[b][..., p] * C[a][..., k]
        CC *= np.where(a == b, 0.5, 1.0)[:, None, None]
        columns = rows.Q.T
        XX = [np.add.reduceat(columns[i] * columns[j], first) for i, j in zip(p, k, strict=True)]
        return cls(rows.Q, own, first, S, C, np.stack(XX, axis=1), CC, rows.basis)

    @property
    def r(self) -> int:
        """Random effects per cluster."""
        return len(self.S)

    @property
    def n_clusters(self) -> int:
        """Clusters."""
        return int(self.first.size)

    @property
    def n_observations(self) -> int:
        """N."""
        return len(self.Q)

    @property
    def rank(self) -> int:
        """Of X."""
        return int(self.Q.shape[1])

    def weighted(self, W: Array) -> Array:
        """Σ_i X_i'Z_i W_i Z_i'X_i of the lower triangles of weights (m, D, n), D × q × q."""
        return full(sum_of_products(W, self.CC), self.rank)

    def inner(self, M: Array) -> Array:
        """Z_i'X_i M X_i'Z_i of symmetric M (D, q, q), r × r × D × n."""
        p, k = lower_indices(self.rank)
        low = M[:, p, k] * np.where(p == k, 1.0, 2.0)
        a, b = lower_indices(self.r)
        found = np.empty((self.r, self.r, len(M), self.n_clusters))
        for h, products in enumerate(self.CC):
            share = 1.0 if a[h] == b[h] else 0.5
            found[a[h], b[h]] = found[b[h], a[h]] = share * low @ products.T
        return found

    def projected(self, w: Array) -> Array:
        """Σ_i X_i'Z_i w_i of vectors (r, D, n), D × q."""
        return sum_of_products(w, self.C)

    def fitted(self, beta: Array) -> Array:
        """Z_i'X_iβ of β (D, q), r × D × n."""
        return np.stack([beta @ own.T for own in self.C])


@dataclass(frozen=True, slots=True)
class Responses:
    """D responses on shared rows, each less its least-squares fit and in units of its residual.

    The fit and the residual are those of every cluster counted once.

    Attributes
    ----------
    rows : SharedRows
    Zy : ndarray, shape (r, D, n)
    XX : ndarray, shape (D, q, q), or (q, q)
    Xy : ndarray, shape (D, q)
    yy : ndarray, shape (D,)
    n_observations : ndarray, shape (D,)
    offset : ndarray, shape (D, q)
        Least-squares coefficients, taken out.
    scale : ndarray, shape (D,)
        Residual standard deviations.
    counts : ndarray, shape (D, n), or None
        How often each cluster counts; None where all do once.
    """

    rows: SharedRows
    Zy: Array
    XX: Array
    Xy: Array
    yy: Array
    n_observations: Array
    offset: Array
    scale: Array
    counts: Array | None = None

    @classmethod
    def of(cls, rows: SharedRows, Y: Array, counts: Array | None = None) -> Responses:
        """Of Y (D × N), its columns in the order of the rows; every one varies around its fit."""
        offset, left = np.zeros((len(Y), rows.rank)), Y
        for _ in range(2):  # the second round repairs the rounding of the first
            step = left @ rows.Q
            offset, left = offset + step, left - step @ rows.Q.T
        free = max(1, rows.n_observations - rows.rank)
        scale = np.sqrt((left * left).sum(axis=1) / free)
        left = left / scale[:, None]
        Zy = np.stack([np.add.reduceat(left * own, rows.first, axis=1) for own in rows.Z])
        if counts is None:
            N = np.full(len(Y), float(rows.n_observations))
            yy, Xy = (left * left).sum(axis=1), np.zeros_like(offset)
            return cls(rows, Zy, np.eye(rows.rank), Xy, yy, N, offset, scale)
        sizes = np.diff(rows.first, append=rows.n_observations)
        each = np.repeat(counts, sizes, axis=1) * left
        XX = full(counts @ rows.XX, rows.rank)
        yy = (each * left).sum(axis=1)
        return cls(rows, Zy, XX, each @ rows.Q, yy, counts @ sizes, offset, scale, counts)

    def __len__(self) -> int:
        """D."""
        return len(self.yy)

    def among(self, some: IntArray) -> Responses:
        """Some of them."""
        return replace(
            self,
            Zy=self.Zy[:, some],
            XX=self.XX if self.counts is None else self.XX[some],
            Xy=self.Xy[some],
            yy=self.yy[some],
            n_observations=self.n_observations[some],
            offset=self.offset[some],
            scale=self.scale[some],
            counts=None if self.counts is None else self.counts[some],
        )

    def counted(self, parts: Array) -> Array:
        """What clusters add (…, D, n), as often as each counts."""
        return parts if self.counts is None else parts * self.counts


def full(low: Array, size: int) -> Array:
    """Symmetric matrices (…, size, size) from their lower triangles (…, m)."""
    rows, columns = lower_indices(size)
    found = np.empty((*low.shape[:-1], size, size))
    found[..., rows, columns] = found[..., columns, rows] = low
    return found


def sum_of_products(W: Array, products: Array) -> Array:
    """Σ_k W_k P_k of entries (k, D, n) and what stands to each of them (k, n, l), D × l."""
    found: Array = W[0] @ products[0]
    for own, by in zip(W[1:], products[1:], strict=True):
        found += own @ by
    return found
