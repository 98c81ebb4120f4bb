"""The likelihood of several grouping factors at one value of its parameters."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import lapack

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.crossed_summary import CrossedSummary, Factor
    from trialmlm.engine.links import Links

#: from this size on one matrix is inverted by its Cholesky factor rather than in a batch
_LARGE = 100


@dataclass(frozen=True)
class CrossedPoint:
    """The likelihood at one (G of every factor, σ²), and what derivatives are made of.

    Letters: T = Z'ΩZ; H = Z'ΩX; z = Z'Ωr; a suffix 1 is the leading factor, 2 all others; E_h = ∂G
    by a natural parameter.

    Attributes
    ----------
    data : CrossedSummary
    factors : tuple of ndarray
        Λ of each factor, r × r, block-diagonal by term.
    sigma2 : float
    E : ndarray, shape (n, r, r)
        σ⁻²(I − S_iD_i): Z₁'Ω₁ = E Z₁'.
    A : ndarray, shape (c, m, m)
        Z₂'Ω₁Z₂.
    AW : ndarray, shape (c, m, q + 1)
        Z₂'Ω₁(X y).
    core : ndarray, shape (c, m, m)
        The Cholesky factor of I + Λ₂'AΛ₂.
    Phi, beta, deviance
        As in :class:`~trialmlm.engine.likelihood.Point`.
    rOr : float
        r'Ωr.
    """

    data: CrossedSummary
    factors: tuple[Array, ...]
    sigma2: float
    E: Array
    A: Array
    AW: Array
    core: Array
    Phi: Array
    beta: Array
    deviance: float
    rOr: float

    @cached_property
    def D(self) -> Array:
        """Λ₂(I + Λ₂'AΛ₂)⁻¹Λ₂', c × m × m."""
        half = by_factor(self.data.factors[1:], self.factors[1:], _inverse(self.core))
        return by_factor(self.data.factors[1:], self.factors[1:], half.transpose(0, 2, 1))

    @cached_property
    def K(self) -> Array:
        """I − DA: Z₂'Ω = K'Z₂'Ω₁."""
        return np.eye(self.A.shape[1]) - self.D @ self.A

    @cached_property
    def T2(self) -> Array:
        """Z₂'ΩZ₂, c × m × m."""
        T = self.A @ self.K
        return (T + T.transpose(0, 2, 1)) / 2.0

    @cached_property
    def B(self) -> Links:
        """Z₁'Ω₁Z₂."""
        return self.data.links.weighted(self.E)

    @cached_property
    def _own(self) -> Array:
        """Z₁'Ω₁Z₁ by level."""
        T = self.E @ self.data.S
        return (T + T.transpose(0, 2, 1)) / 2.0

    @cached_property
    def T1(self) -> Array:
        """The diagonal blocks of Z₁'ΩZ₁."""
        return self._own - self._lost

    @cached_property
    def _lost(self) -> Array:
        """The diagonal blocks of BDB'."""
        lost = self.B.quadratic(self.D)
        return (lost + lost.transpose(0, 2, 1)) / 2.0

    @cached_property
    def Hz(self) -> tuple[Array, Array]:
        """(H z) of the leading factor, n × r × (q + 1), and of the others, c × m × (q + 1)."""
        residual = np.eye(self.beta.size + 1)
        residual[:-1, -1] = -self.beta
        lead = self.E @ self.data.ZW - self.B.times(self.D @ self.AW)
        others = self.K.transpose(0, 2, 1) @ self.AW
        return lead @ residual, others @ residual

    @cached_property
    def tangents(self) -> tuple[Array, ...]:
        """E_h of the leading factor's natural parameters, r × r."""
        r = self.data.factors[0].r
        found = []
        for a, b in self.data.factors[0].pairs:
            E = np.zeros((r, r))
            E[a, b] = E[b, a] = 1.0
            found.append(E)
        return tuple(found)

    @cached_property
    def swaps(self) -> tuple[tuple[IntArray, IntArray], ...]:
        """Of the others' natural parameters: the two effects of every level that E_h joins."""
        return tuple(
            (factor.position + a, factor.position + b)
            for factor in self.data.factors[1:]
            for a, b in factor.pairs
        )

    @cached_property
    def _moved(self) -> tuple[list[Array], list[Array]]:
        """B_h(H z) of every natural parameter, of the leading factor and of the others."""
        lead, others = self.Hz
        return [E @ lead for E in self.tangents], [swapped(others, *h) for h in self.swaps]

    @cached_property
    def products(self) -> Array:
        """(H z)'B_h(H z), m × (q + 1) × (q + 1)."""
        return np.stack(
            [
                _product(own, moved)
                for own, part in zip(self.Hz, self._moved, strict=True)
                for moved in part
            ]
        )

    @cached_property
    def Q(self) -> Array:
        """(H z)'B_h T B_k(H z), m × m × (q + 1) × (q + 1)."""
        lead, others = self._moved
        p, k = len(lead), len(lead) + len(others)
        width = self.beta.size + 1
        back = [self.B.back(v) for v in lead]
        # T applied to what each parameter moves, seen from the others' columns
        seen = [self.K.transpose(0, 2, 1) @ v for v in back] + [self.T2 @ v for v in others]
        found = np.zeros((k, k, width, width))
        for i, v in enumerate(lead):
            applied, held = self._own @ v, self.D @ back[i]
            for j in range(p):
                found[j, i] = _product(lead[j], applied) - _product(back[j], held)
        for i in range(k):
            for j, v in enumerate(others):
                found[i, p + j] = _product(seen[i], v)
                found[p + j, i] = found[i, p + j].T
        return found

    @cached_property
    def traces(self) -> Array:
        """tr(B_hT) of every natural parameter."""
        total = self.T1.sum(axis=0)
        c, m, _ = self.T2.shape
        flat = self.T2.reshape(c * m, m)
        own = [float((E * total).sum()) for E in self.tangents]
        rest = [
            float(flat[a, b % m].sum()) * (1.0 if a is b or (a == b).all() else 2.0)
            for a, b in self.swaps
        ]
        return np.array(own + rest)

    @cached_property
    def squares(self) -> Array:
        """tr(B_hTB_kT), m × m."""
        p, k = len(self.tangents), len(self.tangents) + len(self.swaps)
        found = np.zeros((k, k))
        U = [self.B.gram(self.B.weighted(E)) for E in self.tangents]
        DU = [self.D @ u for u in U]
        own, KT = self._own, _columns(self.K)
        for h, E in enumerate(self.tangents):
            EO = E @ own
            for j, other in enumerate(self.tangents[: h + 1]):
                local = _trace(EO, other @ self.T1) - _trace(E @ self._lost, other @ own)
                found[h, j] = found[j, h] = local + _trace(DU[h], DU[j])
            UK = _columns(U[h] @ self.K)
            for j, (a, b) in enumerate(self.swaps):
                # of K'UK only the entries that B_k joins
                joined = float((KT[a] * UK[b]).sum()) * (1.0 if (a == b).all() else 2.0)
                found[h, p + j] = found[p + j, h] = joined
        YT = [swapped(self.T2, a, b) for a, b in self.swaps]
        for i, left in enumerate(YT):
            for j, right in enumerate(YT[: i + 1]):
                found[p + i, p + j] = found[p + j, p + i] = _trace(left, right)
        return found


def place(
    data: CrossedSummary, factors: tuple[Array, ...], sigma2: float, *, reml: bool
) -> CrossedPoint:
    """The point at these Λ's and σ².

    Raises
    ------
    numpy.linalg.LinAlgError
        If X'ΩX is not positive definite.
    """
    q = data.WW.shape[0] - 1
    lead = factors[0]
    half = np.linalg.cholesky(np.eye(len(lead)) + lead.T @ data.S @ lead / sigma2)
    root = np.linalg.solve(half, np.broadcast_to(lead.T, half.shape)) / np.sqrt(sigma2)
    D1 = root.transpose(0, 2, 1) @ root
    E = (np.eye(len(lead)) - data.S @ D1) / sigma2
    DZ = D1 @ data.ZW
    links = data.links
    A = (data.S_others - links.gram(links.weighted(D1))) / sigma2
    AW = (data.ZW_others - links.back(DZ)) / sigma2
    WOW = (data.WW - _product(data.ZW, DZ)) / sigma2
    transposed = [factor.T for factor in factors[1:]]
    inner = by_factor(data.factors[1:], transposed, A)
    inner = by_factor(data.factors[1:], transposed, inner.transpose(0, 2, 1))
    core = np.linalg.cholesky(np.eye(A.shape[1]) + (inner + inner.transpose(0, 2, 1)) / 2.0)
    LW = _forward(core, by_factor(data.factors[1:], transposed, AW))
    WOW = WOW - _product(LW, LW)
    XtOX = WOW[:q, :q]
    root = np.linalg.cholesky((XtOX + XtOX.T) / 2.0)
    inverse = np.linalg.inv(root)
    Phi = inverse.T @ inverse
    beta = Phi @ WOW[:q, q]
    rOr = float(WOW[q, q] - WOW[:q, q] @ beta)
    free = q if reml else 0
    deviance = (
        data.n_observations * np.log(sigma2)
        + 2.0 * float(np.log(np.diagonal(half, axis1=1, axis2=2)).sum())
        + 2.0 * float(np.log(np.diagonal(core, axis1=1, axis2=2)).sum())
        + rOr
        + (data.n_observations - free) * np.log(2.0 * np.pi)
    )
    if reml:
        deviance += 2.0 * float(np.log(np.diag(root)).sum())
    return CrossedPoint(data, factors, sigma2, E, A, AW, core, Phi, beta, float(deviance), rOr)


def by_factor(factors: Sequence[Factor], matrices: Sequence[Array], x: Array) -> Array:
    """Multiply every level's effects, rows of x (c × m × k), by its factor's matrix (r × r)."""
    flat = x.reshape(x.shape[0] * x.shape[1], x.shape[2])
    found = np.zeros_like(flat)
    for factor, matrix in zip(factors, matrices, strict=True):
        for a, b in zip(*np.nonzero(matrix), strict=True):
            found[factor.position + a] += matrix[a, b] * flat[factor.position + b]
    return found.reshape(x.shape)


def swapped(x: Array, a: IntArray, b: IntArray) -> Array:
    """B_hx: rows a in the place of rows b and the other way round, c × m × k."""
    flat = x.reshape(x.shape[0] * x.shape[1], x.shape[2])
    found = np.zeros_like(flat)
    found[a], found[b] = flat[b], flat[a]
    return found.reshape(x.shape)


def _columns(x: Array) -> Array:
    """The columns of every matrix as rows, one component after the other."""
    c, m, k = x.shape
    return np.ascontiguousarray(x.transpose(0, 2, 1)).reshape(c * k, m)


def _product(left: Array, right: Array) -> Array:
    """Sum of left'right over all but the last axis."""
    rows = left.shape[0] * left.shape[1]
    result: Array = left.reshape(rows, left.shape[2]).T @ right.reshape(rows, right.shape[2])
    return result


def _trace(left: Array, right: Array) -> float:
    """Σ tr(left_i right_i)."""
    return float(np.einsum("nab,nba->", left, right))


def _inverse(core: Array) -> Array:
    """(LL')⁻¹ of every L."""
    c, m, _ = core.shape
    if c > 1 or m < _LARGE:
        half = np.linalg.inv(core)
        result: Array = half.transpose(0, 2, 1) @ half
        return result
    upper, _ = lapack.dpotri(core[0].T)
    return np.asarray(np.triu(upper) + np.triu(upper, 1).T, dtype=float)[None]


def _forward(core: Array, x: Array) -> Array:
    """L⁻¹x of every L."""
    if core.shape[0] == 1 and core.shape[1] >= _LARGE:
        found, _ = lapack.dtrtrs(core[0].T, x[0], trans=1)
        return np.asarray(found, dtype=float)[None]
    result: Array = np.linalg.solve(core, x)
    return result
