"""Nested analysis of variance: mean squares, their expectations, and how they vary together."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray


@dataclass(frozen=True, slots=True)
class NestedAnova:
    """Sums of squares of k nested factors, outermost first, and of the rows within them.

    Attributes
    ----------
    df : ndarray of int, shape (k + 1,)
    sum_sq : ndarray, shape (k + 1,)
    expectation : ndarray, shape (k + 1, k + 1)
        E[sum_sq] = expectation · variances; upper triangular.
    codes : ndarray of int, shape (k + 1, N)
        The group of each row at each level; at the last, the row itself.
    mean : float
    balanced : bool
        Whether the groups of every level have equally many parts.
    """

    df: IntArray
    sum_sq: Array
    expectation: Array
    codes: IntArray
    mean: float
    balanced: bool

    @property
    def mean_sq(self) -> Array:
        """Sums of squares over their degrees of freedom."""
        values: Array = self.sum_sq / self.df
        return values

    @property
    def variances(self) -> Array:
        """The estimates that equate sums of squares and expectations; they may be negative."""
        return np.linalg.solve(self.expectation, self.sum_sq)

    def covariance(self, variances: Array) -> Array:
        """Of the estimated variances, were these the true ones.

        Notes
        -----
        SS_j = y'A_jy with A_j = P_j − P_{j−1}, P_j the projection on the means of level j, and
        Cov(SS_i, SS_j) = 2 tr A_iVA_jV for normal rows (Searle, Casella and McCulloch 1992, S4).
        All but P_0 is made of blocks, one for each group of the outermost factor.
        """
        back = np.linalg.inv(self.expectation)
        found: Array = back @ (2.0 * self._traces(variances)) @ back.T
        return found

    def _traces(self, variances: Array) -> Array:
        k, N = self.codes.shape
        traces, line, whole = np.zeros((k, k)), np.zeros(k), 0.0
        for rows in _blocks(self.codes[0]):
            one = np.ones(rows.size)
            onehot = [_indicator(codes[rows]) for codes in self.codes]
            V = sum(s * Z @ Z.T for s, Z in zip(variances, onehot, strict=True))
            P = [Z @ (Z / Z.sum(axis=0)).T for Z in onehot]
            AV = [(P[j] - (P[j - 1] if j else 0.0)) @ V for j in range(k)]
            traces += [[float((a * b.T).sum()) for b in AV] for a in AV]
            line += [float(one @ V @ a @ one) for a in AV]
            whole += float(one @ V @ one)
        # A_1 = P_1 − 11'/N is the only one that is not made of blocks
        traces[0] -= line / N
        traces[:, 0] -= line / N
        traces[0, 0] += (whole / N) ** 2
        return traces


def nested_anova(y: Array, factors: Sequence[IntArray]) -> NestedAnova:
    """Sum up rows by nested groups.

    Parameters
    ----------
    y : ndarray, shape (N,)
    factors : sequence of ndarray of int, each of shape (N,)
        Outermost first; a code means its group within the groups of the factors before.

    Notes
    -----
    E[Σ_g n_g ȳ_g²] over the groups g of level j holds σ_l² as often as
    K_lj = Σ_g Σ_{h in g} n_h² / n_g over the groups h of level l within g, N for l above j.
    """
    N = y.size
    codes = _nest(factors, N)
    levels = np.vstack([np.zeros(N, dtype=np.intp), codes])
    sizes = [np.bincount(level) for level in levels]
    centre = float(y.mean())
    rest = y - centre
    fitted = [(np.bincount(level, rest) / n)[level] for level, n in zip(levels, sizes, strict=True)]
    sum_sq = np.array([float(np.square(b - a).sum()) for a, b in pairwise(fitted)])
    count = np.array([n.size for n in sizes])
    k = len(codes)
    K = np.array(
        [[_within(levels, sizes, j, level) for level in range(1, k + 1)] for j in range(k + 1)]
    )
    return NestedAnova(
        df=np.diff(count),
        sum_sq=sum_sq,
        expectation=np.diff(K, axis=0),
        codes=codes,
        mean=centre,
        balanced=all(_balanced(levels, j) for j in range(k)),
    )


def _nest(factors: Sequence[IntArray], N: int) -> IntArray:
    """Codes that are unique to a group at each level; rows last."""
    codes = [np.zeros(N, dtype=np.intp)]
    for factor in factors:
        pairs = codes[-1] * (int(factor.max()) + 1) + factor
        codes.append(np.unique(pairs, return_inverse=True)[1].reshape(-1))
    return np.vstack([*codes[1:], np.arange(N)])


def _within(levels: IntArray, sizes: Sequence[IntArray], j: int, level: int) -> float:
    """K_lj."""
    if level <= j:
        return float(levels.shape[1])
    first = np.zeros(sizes[level].size, dtype=np.intp)
    first[levels[level]] = levels[j]
    return float((np.square(sizes[level]) / sizes[j][first]).sum())


def _balanced(levels: IntArray, j: int) -> bool:
    """Whether the groups of level j have equally many groups of the next."""
    parts = np.unique(np.stack([levels[j], levels[j + 1]]), axis=1)[0]
    return bool(np.ptp(np.bincount(parts)) == 0)


def _blocks(codes: IntArray) -> list[IntArray]:
    order = np.argsort(codes, kind="stable")
    return np.split(order, np.cumsum(np.bincount(codes))[:-1])


def _indicator(codes: IntArray) -> Array:
    _, at = np.unique(codes, return_inverse=True)
    return np.eye(int(at.max()) + 1)[at.reshape(-1)]
