"""Cross-products of a leading factor's columns with all others: dense, or sparse where few meet.

Rows are the leading factor's levels with r effects each; columns are the other factors' effects,
in c components of m places (one component unless everything is nested in an outer factor).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from typing import Any

    from trialmlm.arrays import Array, IntArray

#: dense above this share of cells that are not zero: a dense product is so much quicker per cell
_DENSE = 0.05
#: cells of a dense piece of rows worked on at once
_PIECE = 4_000_000


class Links(Protocol):
    """B, (n r) × (c m)."""

    def weighted(self, E: Array) -> Links:
        """E_iB_i of every level i, E n × r × r (or r × r, the same for all)."""

    def gram(self, other: Links) -> Array:
        """B'other by component, c × m × m."""

    def times(self, x: Array) -> Array:
        """Bx, n × r × k, of x: c × m × k."""

    def back(self, x: Array) -> Array:
        """B'x, c × m × k, of x: n × r × k."""

    def quadratic(self, D: Array) -> Array:
        """B_iDB_i' of every level, n × r × r, D: c × m × m."""

    def rows(self, levels: IntArray) -> Array:
        """B_i of some levels with every column, len × r × (c m)."""


@dataclass(frozen=True, slots=True)
class DenseLinks:
    """As an array, n × r × m, one component."""

    B: Array

    def weighted(self, E: Array) -> DenseLinks:
        """E_iB_i of every level."""
        return DenseLinks(E @ self.B)

    def gram(self, other: Links) -> Array:
        """B'other."""
        assert isinstance(other, DenseLinks)  # noqa: S101
        return np.asarray(self.flat.T @ other.flat)[None]

    def times(self, x: Array) -> Array:
        """Bx."""
        n, r, _ = self.B.shape
        result: Array = (self.flat @ x[0]).reshape(n, r, x.shape[2])
        return result

    def back(self, x: Array) -> Array:
        """B'x."""
        return (self.flat.T @ x.reshape(-1, x.shape[2]))[None]

    def quadratic(self, D: Array) -> Array:
        """B_iDB_i' of every level."""
        right: Array = (self.flat @ D[0]).reshape(self.B.shape)
        result: Array = right @ self.B.transpose(0, 2, 1)
        return result

    def rows(self, levels: IntArray) -> Array:
        """B_i of some levels."""
        return self.B[levels]

    @property
    def flat(self) -> Array:
        """Levels and effects in one axis."""
        n, r, m = self.B.shape
        return self.B.reshape(n * r, m)


@dataclass(frozen=True, slots=True)
class SparseLinks:
    """As a sparse matrix by rows.

    Attributes
    ----------
    B : csr_matrix, shape (n r, c m)
    shape : tuple of int
        (n, r, c, m).
    """

    B: Any
    shape: tuple[int, int, int, int]

    def weighted(self, E: Array) -> SparseLinks:
        """E_iB_i of every level."""
        n, r, _, _ = self.shape
        blocks = np.broadcast_to(E, (n, r, r))
        left = sparse.bsr_matrix((blocks, np.arange(n), np.arange(n + 1)), shape=(n * r, n * r))
        return SparseLinks((left @ self.B).tocsr(), self.shape)

    def gram(self, other: Links) -> Array:
        """B'other by component."""
        assert isinstance(other, SparseLinks)  # noqa: S101
        _, _, c, m = self.shape
        return by_component(self.B.T @ other.B, c, m)

    def times(self, x: Array) -> Array:
        """Bx."""
        n, r, c, m = self.shape
        result: Array = (self.B @ x.reshape(c * m, x.shape[2])).reshape(n, r, x.shape[2])
        return result

    def back(self, x: Array) -> Array:
        """B'x."""
        n, r, c, m = self.shape
        result: Array = (self.B.T @ x.reshape(n * r, x.shape[2])).reshape(c, m, x.shape[2])
        return result

    def quadratic(self, D: Array) -> Array:
        """B_iDB_i' of every level, where B is not zero."""
        n, r, c, m = self.shape
        found = np.zeros((n, r, r))
        step = max(1, _PIECE // max(1, r * m))
        inner = sparse.bsr_matrix((D, np.arange(c), np.arange(c + 1)), shape=(c * m, c * m))
        for start in range(0, n, step):
            part = self.B[start * r : (start + step) * r]
            right = part @ inner if c > 1 else part @ D[0]
            for a in range(r):
                for b in range(r):
                    products = part[b::r].multiply(right[a::r]).sum(axis=1)
                    found[start : start + step, a, b] = np.asarray(products)[:, 0]
        return found

    def rows(self, levels: IntArray) -> Array:
        """B_i of some levels, with zeros."""
        r = self.shape[1]
        at = (levels[:, None] * r + np.arange(r)).ravel()
        dense: Array = self.B[at].toarray().reshape(len(levels), r, -1)
        return dense


def by_component(product: Any, c: int, m: int) -> Array:
    """A sparse (c m) × (c m) matrix that links no two components, as c × m × m."""
    if c == 1:
        return np.asarray(product.toarray())[None]
    entries = product.tocoo()
    at = entries.row.astype(np.intp) * m + entries.col % m
    sums = np.bincount(at, weights=entries.data, minlength=c * m * m)
    return sums.astype(float).reshape(c, m, m)


def make_links(B: Any, n: int, r: int, c: int, m: int) -> Links:
    """Dense or sparse, whichever is quicker."""
    if c == 1 and B.nnz >= _DENSE * n * r * m:
        return DenseLinks(B.toarray().reshape(n, r, m))
    return SparseLinks(B.tocsr(), (n, r, c, m))
