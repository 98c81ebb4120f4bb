"""The largest |T| of several correlated t statistics: what a Dunnett adjustment stands on.

T = Z / s, Z normal with correlation R, s² an independent χ² over its df. Nothing here is random:
the same input gives the same digits.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trialmlm.inference.lattice import lattice_points
from trialmlm.inference.root import crossing
from trialmlm.inference.scale_nodes import scale_nodes

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray

#: correlations that a single factor explains to this are taken to have it
_ONE_FACTOR = 1e-9
#: two statistics as alike as this are one
_SAME = 1e-10
#: points of the lattice, and lattices whose answers are averaged
POINTS, SHIFTS = 8191, 4
#: where the normal tail is interpolated, and at how many nodes
_FAR, _NODES = 5.5, 32


def max_t_upper(c: float, R: Array, df: float) -> float:
    """P(max |T_j| > c).

    Parameters
    ----------
    c : float
    R : ndarray, shape (m, m)
        Correlation of the statistics; may be singular.
    df : float
        Common degrees of freedom; infinity is the normal distribution.

    Notes
    -----
    One statistic: Student's t. R of rank 2, as of two statistics or of all pairs of three means:
    a single integral over angles, error below 1e-12. R_jk = λ_j λ_k, as for differences from a
    common control whose means are independent, and for nearly every R of three statistics: two
    nested trapezoid sums (Dunnett 1955), error below 1e-9. Otherwise the normal probability at
    Chebyshev nodes by Genz's (1992) transformation to the unit cube and a fixed lattice of
    `POINTS` points under `SHIFTS` fixed shifts, averaged over s: error below 5e-5, mostly
    5e-6.
    """
    if math.isnan(c) or math.isnan(df):
        return math.nan
    R = _distinct(R)
    if len(R) == 1:
        return _one_t(c, df)
    A, _ = _echelon(R)
    if A.shape[1] == 2:
        return _by_angle(c, A, df)
    loadings = _one_factor(R)
    if loadings is None:
        return _by_lattice(c, R, df)
    return float(np.clip(1.0 - _by_factor(c, loadings, df), 0.0, 1.0))


def max_t_quantile(probability: float, R: Array, df: float) -> float:
    """The c with P(max |T_j| ≤ c) = `probability`."""
    if math.isnan(df):
        return math.nan
    beyond = 1.0 - probability
    # between the quantile of one statistic and Bonferroni's bound
    low, high = (_t_quantile(1.0 - beyond / (2.0 * m), df) for m in (1, len(R)))
    if len(_distinct(R)) == 1:
        return low
    # the logarithm of a tail is nearly straight, so that few steps are needed
    target = math.log(beyond)
    return crossing(
        lambda c: math.log(max_t_upper(c, R, df)) - target, low - 1e-2, high + 1e-2, 1e-8
    )


def _one_t(c: float, df: float) -> float:
    tail = special.ndtr(-c) if math.isinf(df) else special.stdtr(df, -c)
    return 2.0 * float(tail)


def _t_quantile(probability: float, df: float) -> float:
    normal = math.isinf(df)
    return float(special.ndtri(probability) if normal else special.stdtrit(df, probability))


def _distinct(R: Array) -> Array:
    """R without statistics that are equal to earlier ones up to their sign."""
    alike = np.triu(np.abs(R) > 1.0 - _SAME, 1).any(axis=0)
    return R[np.ix_(~alike, ~alike)]


def _one_factor(R: Array) -> Array | None:
    """λ with R_jk = λ_j λ_k off the diagonal and |λ| < 1; None if there is none."""
    loadings = np.array([_loading(R, j) for j in range(len(R))])
    if not np.isfinite(loadings).all() or loadings.max() >= 0.999:
        return None
    first = int(np.argmax(loadings))
    loadings = loadings * np.where(R[first] < 0.0, -1.0, 1.0)
    rest = R - np.outer(loadings, loadings)
    np.fill_diagonal(rest, 0.0)
    return loadings if np.abs(rest).max() <= _ONE_FACTOR else None


def _loading(R: Array, j: int) -> float:
    """|λ_j| from λ_j² = R_ja R_jb / R_ab, by the pair a, b with the largest R_ab."""
    others = np.delete(np.arange(len(R)), j)
    block = np.triu(np.abs(R[np.ix_(others, others)]), 1)
    a, b = others[np.array(np.unravel_index(np.argmax(block), block.shape))]
    if abs(R[a, b]) < 1e-12:
        # all the others are uncorrelated: one of them may still go with j
        return 0.0 if np.abs(R[j, others]).max() < 1e-12 else math.nan
    square = R[j, a] * R[j, b] / R[a, b]
    return math.sqrt(square) if square >= 0.0 else math.nan


def _by_angle(c: float, A: Array, df: float) -> float:
    """Of rank 2: (1/2π) ∫ (1 + c²/(ν m(θ)²))^(−ν/2) dθ with m(θ) = max_j |a_j'(cos θ, sin θ)|.

    The length of Z in direction θ is Rayleigh's and s² a χ², so that both integrate by hand.
    """
    j, k = np.triu_indices(len(A), 1)
    kinks = np.concatenate([A[j] + A[k], A[j] - A[k]])  # where two statistics change places
    angles = np.sort(np.arctan2(-kinks[:, 0], kinks[:, 1]) % math.pi)
    ends = np.concatenate([[0.0], angles, [math.pi]])
    x, w = np.polynomial.legendre.leggauss(40)
    half, middle = np.diff(ends) / 2.0, (ends[1:] + ends[:-1]) / 2.0
    theta = middle[:, None] + half[:, None] * x
    m = np.abs(A @ np.stack([np.cos(theta.ravel()), np.sin(theta.ravel())])).max(axis=0)
    ratio = (c / m) ** 2
    beyond = np.exp(-ratio / 2.0) if math.isinf(df) else np.exp(-df / 2.0 * np.log1p(ratio / df))
    return float((half[:, None] * w).ravel() @ beyond / math.pi)


def _by_factor(c: float, loadings: Array, df: float) -> float:
    """∫ Π_j P(|λ_j z + √(1 − λ_j²) ε| ≤ cs) φ(z) dz, averaged over s."""
    rest = np.sqrt(1.0 - loadings**2)
    step = 0.4 * float(rest.min())
    z = np.arange(-9.0, 9.0 + step, step)
    density = np.exp(-(z**2) / 2.0) * (step / math.sqrt(2.0 * math.pi))
    s, weights = scale_nodes(df)
    inside = np.ones((s.size, z.size))
    for loading, width in zip(loadings, rest, strict=True):
        high = (c * s[:, None] - loading * z) / width
        low = (-c * s[:, None] - loading * z) / width
        inside *= special.ndtr(high) - special.ndtr(low)
    return float(weights @ inside @ density)


def _by_lattice(c: float, R: Array, df: float) -> float:
    """P(max |T_j| > c) as the average over s of P(max |Z_j| > cs)."""
    s, weights = scale_nodes(df)
    near = np.minimum(c * s, _FAR)
    log = np.polynomial.chebyshev.chebval(2.0 * near / _FAR - 1.0, _log_tail(R.tobytes(), len(R)))
    # further out the tails hardly overlap: they fall as each of them does
    beyond = np.exp(np.minimum(log, 0.0)) * special.ndtr(-c * s) / special.ndtr(-near)
    return float(weights @ beyond)


@lru_cache(maxsize=32)
def _log_tail(correlation: bytes, m: int) -> Array:
    """Chebyshev coefficients of log P(max |Z_j| > r) on 0 ≤ r ≤ `_FAR`: once per R."""
    A, last = _echelon(np.frombuffer(correlation).reshape(m, m))
    u = np.concatenate(list(lattice_points(POINTS, A.shape[1] - 1, SHIFTS)))
    x = np.cos(math.pi * (np.arange(_NODES) + 0.5) / _NODES)
    tails = [1.0 - _inside((node + 1.0) * _FAR / 2.0, u, A, last) for node in x]
    return np.polynomial.chebyshev.chebfit(x, np.log(tails), _NODES - 1)


def _inside(r: float, u: Array, A: Array, last: IntArray) -> float:
    """P(|A z| ≤ r) after Genz; combinations of earlier statistics narrow the limits."""
    rank = A.shape[1]
    Z = np.zeros((len(u), rank))
    value = np.ones(len(u))
    for k in range(rank):
        low, high = np.full(len(u), -np.inf), np.full(len(u), np.inf)
        for row in A[last == k]:
            middle = -(Z[:, :k] @ row[:k])
            low = np.maximum(low, (middle - r) / row[k])
            high = np.minimum(high, (middle + r) / row[k])
        below, above = special.ndtr(low), special.ndtr(high)
        width = (above - below).clip(0.0)
        value = value * width
        if k + 1 < rank:
            Z[:, k] = special.ndtri((below + u[:, k] * width).clip(1e-16, 1.0 - 1e-16))
    return float(value.mean())


def _echelon(R: Array) -> tuple[Array, IntArray]:
    """A (m × rank) with AA' = R in echelon form, the last entry of a row positive; and where."""
    m = len(R)
    A = np.zeros((m, 0))
    last = np.zeros(m, dtype=np.intp)
    for j in range(m):
        # forward: what earlier statistics say of this one
        row = np.zeros(A.shape[1])
        pivots = [int(np.flatnonzero(last[:j] == k)[0]) for k in range(A.shape[1])]
        for k, i in enumerate(pivots):
            row[k] = (R[j, i] - A[i, :k] @ row[:k]) / A[i, k]
        rest = R[j, j] - row @ row
        if rest > 1e-9:
            A = np.column_stack([A, np.zeros(m)])
            row = np.append(row, math.sqrt(rest))
        used = np.flatnonzero(np.abs(row) > 1e-9)
        last[j] = used[-1]
        row[last[j] + 1 :] = 0.0
        A[j] = row if row[last[j]] > 0.0 else -row
    return A, last
