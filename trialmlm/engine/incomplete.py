"""Repeated measures with gaps, reduced once to what a sweep of a Gibbs sampler needs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.incomplete_check import check_estimable, independent_columns

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Incomplete:
    """Subjects sorted into K kinds: those that share a covariance and the visits observed.

    Subjects without any observation say nothing about (β, Σ) and are left out.

    Attributes
    ----------
    observed : ndarray of bool, shape (K, T)
    group : ndarray of int, shape (K,)
        Which covariance each kind has.
    rows : tuple of slice
        The subjects of each kind.
    last : ndarray of int, shape (K,)
        Index of the last visit observed; what is missing before it is an intermittent gap.
    reached : ndarray, shape (G, T)
        Subjects of each group whose last visit is this one or a later one.
    X : ndarray, shape (n, T, p)
        Orthonormal columns over the observed rows; zero where not observed.
    Y : ndarray, shape (n, T)
        Zero where not observed.
    pairs : tuple of three ndarrays of int, shape (q,)
        Kind k, visit t and visit u ≤ t of every pair of visits at which a kind is observed.
    XX : ndarray, shape (q, p·(p + 1)/2)
        Σ_i x_it x_iu' over each pair's kind, and its transpose where u < t: what an entry of V⁻¹
        is multiplied by in X'V⁻¹X, whose lower triangle is held.
    XY : ndarray, shape (q, p)
        Σ_i x_it y_iu over each pair's kind, and Σ_i x_iu y_it where u < t.
    basis : ndarray, shape (p, p)
        What takes coefficients of those columns to coefficients of the columns as given.
    """

    observed: BoolArray
    group: IntArray
    rows: tuple[slice, ...]
    last: IntArray
    reached: Array
    X: Array
    Y: Array
    pairs: tuple[IntArray, ...]
    XX: Array
    XY: Array
    basis: Array

    @classmethod
    def of(cls, Y: Array, X: Array, group: IntArray, *, proper: bool) -> Incomplete:
        """Sort and sum up.

        Parameters
        ----------
        Y : ndarray, shape (n, T)
            NaN where not observed.
        X : ndarray, shape (n, T, p)
        group : ndarray of int, shape (n,)
            Codes without gaps.
        proper : bool
            Whether the prior of Σ is proper; without one the data alone must determine Σ.

        Raises
        ------
        DataError
            If columns of X are collinear over the observed rows, or the data do not determine Σ.
        """
        check_estimable(Y, X, group, proper=proper)
        n_groups = int(group.max()) + 1
        some = ~np.isnan(Y).all(axis=1)
        Y, X, group = Y[some], X[some], group[some]
        keys = np.column_stack([group, ~np.isnan(Y)])
        kinds, kind, sizes = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
        order = np.argsort(kind.ravel(), kind="stable")
        Y, X = Y[order], X[order]
        ends = np.cumsum(sizes)
        rows = tuple(slice(end - size, end) for size, end in zip(sizes, ends, strict=True))
        orthonormal, basis = independent_columns(X, ~np.isnan(Y))
        filled = np.where(np.isnan(Y), 0.0, Y)
        last = Y.shape[1] - 1 - kinds[:, :0:-1].argmax(axis=1)
        observed = kinds[:, 1:].astype(bool)
        pairs = np.nonzero(np.tril(observed[:, :, None] & observed[:, None, :]))
        XX = _products(orthonormal, orthonormal, rows, pairs)
        return cls(
            observed=observed,
            group=kinds[:, 0].astype(np.intp),
            rows=rows,
            last=last,
            reached=_reached(kinds[:, 0], last, sizes, (n_groups, Y.shape[1])),
            X=orthonormal,
            Y=filled,
            pairs=pairs,
            XX=XX[:, *np.tril_indices(XX.shape[-1])],
            XY=_products(orthonormal, filled[..., None], rows, pairs)[..., 0],
            basis=basis,
        )

    @property
    def n_groups(self) -> int:
        """G."""
        return len(self.reached)


def _reached(group: IntArray, last: IntArray, sizes: IntArray, shape: tuple[int, int]) -> Array:
    """Subjects of each group who are observed at a visit or later."""
    ends = np.zeros(shape)
    np.add.at(ends, (group, last), sizes)
    reached: Array = ends[:, ::-1].cumsum(axis=1)[:, ::-1]
    return reached


def _products(
    left: Array, right: Array, rows: tuple[slice, ...], pairs: tuple[IntArray, ...]
) -> Array:
    """Σ_i l_it r_iu' + l_iu r_it' over each pair's kind, the second where u < t; q × p × p'."""
    T, p, width = left.shape[1], left.shape[2], right.shape[2]
    every = np.stack(
        [left[own].reshape(-1, T * p).T @ right[own].reshape(-1, T * width) for own in rows]
    ).reshape(-1, T, p, T, width)
    kind, t, u = pairs
    other = (u < t)[:, None, None] * every[kind, u, :, t]
    products: Array = every[kind, t, :, u] + other
    return products
