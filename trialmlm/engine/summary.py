"""The data summed up once per missing-data pattern; nothing later touches a subject."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.basis import Basis, basis_of

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.design import Design


@dataclass(frozen=True, slots=True)
class Summary:
    """Everything the likelihood needs, in an orthonormal basis of X and in units of the residual.

    With w_i = (u_i, y_i), the contribution of pattern p is C_p = Σ w_i w_i', whose blocks are
    M_p = Σ u u', N_p = Σ u y', Y_p = Σ y y' (architecture of the engine, section 1).

    Attributes
    ----------
    B : ndarray, shape (T, q, s)
        x̃_ij = B_j u_i.
    visits : ndarray of bool, shape (P, T)
        The visits that a pattern observes.
    groups : tuple of slice
        The patterns of each covariance group.
    n : ndarray, shape (P,)
        Subjects of each pattern.
    M, N, Y : ndarray, shapes (P, s, s), (P, s, T), (P, T, T)
    root, root_pattern : ndarray, shapes (K, s) and (K,)
        Rows whose outer products within a pattern sum to M_p: M_p's square root, without the
        rows of a rank that a small pattern lacks.
    n_observations : int
        Number of responses.
    basis : Basis
    offset : ndarray, shape (q,)
        Least-squares coefficients in the basis, taken out of y before summing up.
    scale : float
        What y's residual was divided by.
    pattern : ndarray of int, shape (n,)
        Each subject's pattern.
    log_weights : float
        Σ log w, which −2l loses by the weighting of the rows.
    """

    B: Array
    visits: BoolArray
    groups: tuple[slice, ...]
    n: Array
    M: Array
    N: Array
    Y: Array
    root: Array
    root_pattern: IntArray
    n_observations: int
    basis: Basis
    offset: Array
    scale: float
    pattern: IntArray
    log_weights: float = 0.0

    @property
    def together(self) -> BoolArray:
        """Which pairs of visits a pattern has, P × T × T."""
        return self.visits[:, :, None] & self.visits[:, None, :]

    @property
    def n_visits(self) -> int:
        """T."""
        return int(self.B.shape[0])

    @property
    def q(self) -> int:
        """Rank of X."""
        return int(self.B.shape[1])


def patterns_of(observed: BoolArray, group: IntArray) -> tuple[IntArray, IntArray]:
    """A subject of each pattern (the same visits, the same group), and each subject's pattern.

    Patterns are ordered by group, so that those of a group are a slice.
    """
    T = observed.shape[1]
    if T > 50:
        keys: Array | IntArray = np.column_stack([group, observed])
        _, first, pattern = np.unique(keys, axis=0, return_index=True, return_inverse=True)
        return first, pattern.reshape(-1)
    keys = observed @ (np.int64(1) << np.arange(T, dtype=np.int64)) + (group << np.int64(T))
    _, first, pattern = np.unique(keys, return_index=True, return_inverse=True)
    return first, pattern


def summarise(given: Design) -> Summary:
    """Sum the data up, the rows weighted.

    Cost: O(n (s + T)²), once. The subject basis is made orthonormal first, X's after it, and y
    is replaced by its least-squares residual over its standard deviation.
    """
    design = given.weighted()
    first, pattern = patterns_of(design.observed, design.groups)
    visits = design.observed[first]
    order = np.argsort(pattern, kind="stable")  # pattern by pattern, so that each is a slice
    bounds = np.searchsorted(pattern[order], np.arange(len(visits) + 1))
    pieces = [slice(a, b) for a, b in pairwise(bounds)]

    U, B = orthonormal_subjects(design)
    U = U[order]
    M = np.stack([U[piece].T @ U[piece] for piece in pieces])
    sizes = np.sqrt(len(U) * np.einsum("tqr,tqr->q", B, B))  # had every visit been observed
    basis = basis_of(_root_of_gram(B, M, visits), sizes)
    B = basis.R_inverse.T @ B[:, basis.kept]

    Y, offset = least_squares_residual(U, B, design.Y[order], design.observed[order])
    n_observations = design.n_observations
    scale = float(np.sqrt((Y * Y).sum() / max(1, n_observations - basis.kept.size)))
    Y = Y / scale if scale > 0.0 else Y
    root, root_pattern = roots_of(M)
    return Summary(
        B=np.ascontiguousarray(B),
        visits=visits,
        groups=_slices(design.groups[first]),
        n=np.diff(bounds).astype(float),
        M=M,
        N=np.stack([U[piece].T @ Y[piece] for piece in pieces]),
        Y=np.stack([Y[piece].T @ Y[piece] for piece in pieces]),
        root=root,
        root_pattern=root_pattern,
        n_observations=n_observations,
        basis=basis,
        offset=offset,
        scale=scale,
        pattern=pattern,
        log_weights=given.log_weights,
    )


def _slices(group: IntArray) -> tuple[slice, ...]:
    """Where each code stands in sorted codes."""
    bounds = np.searchsorted(group, np.arange(int(group[-1]) + 2))
    return tuple(slice(int(a), int(b)) for a, b in pairwise(bounds))


def orthonormal_subjects(design: Design) -> tuple[Array, Array]:
    """U with U'U = n I spanning the subject columns, and B_j to match."""
    n = len(design.U)
    norms = np.linalg.norm(design.U, axis=0)
    units = np.where(norms > 0.0, norms, 1.0)  # so that rank does not depend on a column's units
    left, values, right = np.linalg.svd(design.U / units, full_matrices=False)
    rank = int((values > 1e-13 * values[0] * max(design.U.shape)).sum()) if values.size else 0
    U = left[:, :rank] * np.sqrt(n)
    back = (values[:rank, None] * right[:rank]) * units / np.sqrt(n)
    back[:, norms == 0.0] = 0.0  # not the rounding of it, which would pass for a column
    return U, design.B @ back.T


def _root_of_gram(B: Array, M: Array, visits: BoolArray) -> Array:
    """W with W'W = X'X, formed without squaring: visit by visit, from the root of Σ_p M_p."""
    parts = []
    floor = 1e-12 * float(np.trace(M.sum(axis=0)))  # the root of rounding is no longer small
    for j in range(B.shape[0]):
        values, vectors = np.linalg.eigh(M[visits[:, j]].sum(axis=0))
        root = np.sqrt(np.where(values > floor, values, 0.0))[:, None] * vectors.T
        parts.append(root @ B[j].T)
    return np.concatenate(parts)


def roots_of(M: Array) -> tuple[Array, IntArray]:
    """Square roots of the Gram matrices, their rows one under the other, and whose each is."""
    values, vectors = np.linalg.eigh(M)
    pattern, k = np.nonzero(values > 1e-13 * values[:, -1:])
    return np.sqrt(values[pattern, k])[:, None] * vectors[pattern, :, k], pattern


def least_squares_residual(
    U: Array, B: Array, Y: Array, observed: BoolArray
) -> tuple[Array, Array]:
    """Y less its projection on X̃, in two rounds: the second repairs the rounding of the first."""
    offset = np.zeros(B.shape[1])
    residual = np.where(observed, Y, 0.0)
    for _ in range(2):
        step = np.tensordot(B, residual.T @ U, axes=((0, 2), (0, 1)))
        fitted = U @ (step @ B).T
        residual = np.where(observed, residual - fitted, 0.0)
        offset = offset + step
    return residual, offset
