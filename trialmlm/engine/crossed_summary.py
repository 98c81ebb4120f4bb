"""Rows of several grouping factors, summed up once into cross-products.

The factor with the most columns leads: its part of Z'Z stays block-diagonal and is worked off level
by level (Bates, Mächler, Bolker and Walker 2015). The columns of all others are kept together, by
components where an outer factor holds all levels apart, as in nested designs.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.sparse.csgraph import connected_components

from trialmlm.covariance.unstructured import lower_indices
from trialmlm.engine.links import by_component, make_links
from trialmlm.engine.standardise import orthonormal_effects, standardise
from trialmlm.errors import NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.basis import Basis
    from trialmlm.engine.links import Links

#: numbers in a matrix of the second stage; ten of that size are held at a time, 2 GB
LARGEST = 5000**2


@dataclass(frozen=True, slots=True)
class Grouping:
    """A grouping factor with its random effects.

    Attributes
    ----------
    code : ndarray of int, shape (N,)
        The level of every row, without gaps.
    Z : ndarray, shape (N, r)
        The columns of its terms side by side, each term's of full column rank.
    sizes : tuple of int
        Columns of each term; effects of different terms are uncorrelated.
    """

    code: IntArray
    Z: Array
    sizes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Factor:
    """A grouping factor as the summary holds it.

    Attributes
    ----------
    given : int
        Its place among the groupings given.
    sizes : tuple of int
        Columns of each term.
    n_levels : int
    position : ndarray of int, shape (levels,)
        Where each level's first effect stands: among the leading factor's own columns, or among
        those of all others, component after component.
    K : tuple of ndarray
        Of each term: Z given = Z here · K; the columns here are orthonormal over all rows,
        times √N.
    """

    given: int
    sizes: tuple[int, ...]
    n_levels: int
    position: IntArray
    K: tuple[Array, ...]

    @property
    def r(self) -> int:
        """Effects per level."""
        return sum(self.sizes)

    @property
    def pairs(self) -> tuple[tuple[int, int], ...]:
        """The entries of G that are parameters: lower triangles, term after term."""
        starts = accumulate(self.sizes, initial=0)
        return tuple(
            (start + int(a), start + int(b))
            for start, size in zip(starts, self.sizes, strict=False)
            for a, b in zip(*lower_indices(size), strict=True)
        )


@dataclass(frozen=True, slots=True)
class CrossedSummary:
    """Cross-products in an orthonormal basis of X and units of the residual.

    Attributes
    ----------
    factors : tuple of Factor
        The leading one first.
    S : ndarray, shape (n, r, r)
        Z'Z of the leading factor, by level.
    ZW : ndarray, shape (n, r, q + 1)
        Its Z'(X y).
    links : Links
        The leading Z'Z of all others.
    S_others : ndarray, shape (c, m, m)
        Z'Z of the others, by component.
    ZW_others : ndarray, shape (c, m, q + 1)
    WW : ndarray, shape (q + 1, q + 1)
        (X y)'(X y) over all rows.
    n_observations, basis, offset, scale
        As in :class:`~trialmlm.engine.clusters.ClusterSummary`.
    """

    factors: tuple[Factor, ...]
    S: Array
    ZW: Array
    links: Links
    S_others: Array
    ZW_others: Array
    WW: Array
    n_observations: int
    basis: Basis
    offset: Array
    scale: float

    @property
    def sizes(self) -> tuple[int, ...]:
        """Random effects of every term, factor after factor."""
        return tuple(size for factor in self.factors for size in factor.sizes)


def summarise_crossed(X: Array, groupings: Sequence[Grouping], y: Array) -> CrossedSummary:
    """Sum up rows in any order.

    Parameters
    ----------
    X : ndarray, shape (N, columns)
    groupings : sequence of Grouping
        One or more.
    y : ndarray, shape (N,)

    Raises
    ------
    NotAvailableError
        If the factors beside the largest one have too many levels, all connected.
    """
    rows = standardise(X, y)
    W = np.column_stack([rows.Q, rows.y])
    columns = [_orthonormal(grouping) for grouping in groupings]
    levels = [int(grouping.code.max()) + 1 for grouping in groupings]
    order = sorted(range(len(levels)), key=lambda f: -levels[f] * columns[f][0].shape[1])
    positions, c, m = _places([(groupings[f].code, sum(groupings[f].sizes)) for f in order])
    factors = tuple(
        Factor(f, groupings[f].sizes, levels[f], place, columns[f][1])
        for f, place in zip(order, positions, strict=True)
    )
    n, r = factors[0].n_levels, factors[0].r
    lead, *others = (
        _indicators(columns[factor.given][0], factor.position[groupings[factor.given].code], width)
        for factor, width in zip(factors, (n * r, *[c * m] * len(order)), strict=False)
    )
    rest = sum(others, sparse.csr_matrix((y.size, c * m)))
    return CrossedSummary(
        factors=factors,
        S=_blocks(lead.T @ lead, n, r),
        ZW=(lead.T @ W).reshape(n, r, W.shape[1]),
        links=make_links(lead.T @ rest, n, r, c, m),
        S_others=by_component(rest.T @ rest, c, m),
        ZW_others=(rest.T @ W).reshape(c, m, W.shape[1]),
        WW=W.T @ W,
        n_observations=y.size,
        basis=rows.basis,
        offset=rows.offset,
        scale=rows.scale,
    )


def _orthonormal(grouping: Grouping) -> tuple[Array, tuple[Array, ...]]:
    """Each term's columns made orthonormal by themselves."""
    ends = [*accumulate(grouping.sizes, initial=0)]
    parts = [orthonormal_effects(grouping.Z[:, a:b]) for a, b in pairwise(ends)]
    return np.concatenate([Z for Z, _ in parts], axis=1), tuple(K for _, K in parts)


def _places(factors: list[tuple[IntArray, int]]) -> tuple[list[IntArray], int, int]:
    """Where the columns of every factor's levels stand, and c and m.

    Levels that no row connects, not even by others in between, are in different components; where
    padding these to the largest takes more room than one square, they are not told apart.
    """
    (lead, r), *others = factors
    own = r * np.arange(int(lead.max()) + 1)
    levels = [int(code.max()) + 1 for code, _ in others]
    widths = np.repeat([r for _, r in others], levels).astype(np.intp)
    total = int(widths.sum())
    if not others:
        return [own], 1, 0
    starts = np.cumsum([0, *levels[:-1]])
    nodes = [code + start for (code, _), start in zip(others, starts, strict=True)]
    label = _connected(lead, nodes, widths.size)
    sizes = np.bincount(label, weights=widths).astype(np.intp)
    c, m = sizes.size, int(sizes.max())
    if c * m * m >= total * total:
        label, c, m = np.zeros_like(label), 1, total
    if c * m * m > LARGEST:
        msg = (
            f"the grouping factors beside the largest have {total:,} random effects that are all "
            f"connected; this version takes {int(LARGEST**0.5):,}: make the smaller factors fixed "
            "effects, or group their levels"
        )
        raise NotAvailableError(msg)
    order = np.argsort(label, kind="stable")
    before = np.cumsum(widths[order]) - widths[order]
    first = np.cumsum(np.bincount(label, weights=widths, minlength=c)).astype(np.intp)
    place = np.empty(widths.size, dtype=np.intp)
    place[order] = label[order] * m + before - np.append(0, first)[label[order]]
    return [own, *np.split(place, starts[1:])], c, m


def _connected(lead: IntArray, nodes: list[IntArray], n_nodes: int) -> IntArray:
    """The component of every node; rows connect nodes with levels of the leading factor."""
    n = int(lead.max()) + 1 + n_nodes
    ends = np.concatenate(nodes), np.tile(lead + n_nodes, len(nodes))
    graph = sparse.coo_matrix((np.ones(ends[0].size), ends), shape=(n, n))
    label = connected_components(graph, directed=False)[1][:n_nodes]
    return np.unique(label, return_inverse=True)[1].reshape(-1)


def _indicators(Z: Array, first: IntArray, width: int) -> Any:
    """Z's columns at `first` and after in each row, N × width."""
    N, r = Z.shape
    at = (first[:, None] + np.arange(r)).ravel()
    return sparse.csr_matrix((Z.ravel(), at, np.arange(0, N * r + 1, r)), shape=(N, width))


def _blocks(product: Any, n: int, r: int) -> Array:
    """The diagonal blocks of a block-diagonal matrix."""
    entries = product.tocoo()
    at = entries.row.astype(np.intp) * r + entries.col % r
    sums = np.bincount(at, weights=entries.data, minlength=n * r * r)
    return sums.astype(float).reshape(n, r, r)
