"""Subjects' rows in coordinates in which responses and estimates are independent.

V_i⁻¹ = C_iC_i' and Φ = FF': X̃_i = C_i'X_iF and ẽ_i = C_i'r_i. Then X̃'X̃ = I, X̃_iX̃_i' is the
leverage H_ii, and any other root of V_i turns X̃_i and ẽ_i alike.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.design import Design
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.likelihood import RepeatedMeasures

#: numbers that an array of a block of subjects may hold: 16 MB
BLOCK = 1 << 21


@dataclass(frozen=True, slots=True)
class Block:
    """Some subjects.

    Attributes
    ----------
    X : ndarray, shape (n, T, q)
        X̃_i; zero at visits that are not observed.
    e : ndarray, shape (n, T)
        ẽ_i.
    """

    X: Array
    e: Array


class Whitened(Protocol):
    """Subjects, or other independent clusters, that become blocks a piece at a time."""

    @property
    def F(self) -> Array:
        """Φ = FF' in the orthonormal basis, q × q."""

    @property
    def n_subjects(self) -> int:
        """Subjects with a response."""

    def parts(self, n_rows: int) -> Sequence[Any]:
        """All subjects in pieces that stay bounded when `n_rows` rows of L are looked at."""

    def block(self, part: Any) -> Block:
        """The subjects of a piece."""


@dataclass(frozen=True, slots=True)
class Whitening:
    """How the rows of a subject become X̃_i and ẽ_i.

    Attributes
    ----------
    design : Design
    roots : ndarray, shape (P, T, T)
        C_p' of every pattern; zero outside its visits.
    pattern : ndarray of int, shape (n,)
        Each subject's.
    F : ndarray, shape (q, q)
        Φ = FF' in the orthonormal basis.
    B : ndarray, shape (T, q, s)
        F'x_ij = B_j u_i.
    effects : ndarray, shape (T, s)
        x_ij'β̂ = effects_j u_i, in units of the response.
    scale : float
        Of the residuals.
    """

    design: Design
    roots: Array
    pattern: IntArray
    F: Array
    B: Array
    effects: Array
    scale: float

    @classmethod
    def of(cls, fit: GaussianFit, design: Design) -> Whitening:
        """At the optimum of a fit of repeated measures."""
        likelihood = cast("RepeatedMeasures", fit.likelihood)
        basis = likelihood.basis
        B = design.B[:, basis.kept]
        F = np.linalg.cholesky(fit.point.Phi)
        effects = np.einsum("tqs,q->ts", B, fit.beta[basis.kept])
        standard = np.ascontiguousarray((basis.R_inverse @ F).T @ B)
        roots, scale = _roots(fit.point.Omega), likelihood.scale
        return cls(design, roots, likelihood.pattern, F, standard, effects, scale)

    @property
    def n_subjects(self) -> int:
        """Subjects with a response."""
        return int(self.design.observed.any(axis=1).sum())

    def parts(self, n_rows: int) -> tuple[slice, ...]:
        """All subjects in slices that stay bounded when `n_rows` rows of L are looked at."""
        T, q, _ = self.B.shape
        size = max(1, BLOCK // max(1, max(T, q) * max(T, q, n_rows)))
        return tuple(slice(a, a + size) for a in range(0, len(self.pattern), size))

    def block(self, part: slice) -> Block:
        """The subjects of a slice."""
        design, roots = self.design, self.roots[self.pattern[part]]
        if design.weights is not None:
            roots = roots * design.root_weights[part, None, :]
        U, observed = design.U[part], design.observed[part]
        T, q, s = self.B.shape
        X = (U @ self.B.reshape(T * q, s).T).reshape(len(U), T, q)
        r = np.where(observed, design.Y[part] - U @ self.effects.T, 0.0) / self.scale
        return Block(roots @ X, (roots @ r[:, :, None])[:, :, 0])


def _roots(Omega: Array) -> Array:
    """C_p' with Ω_p = C_pC_p' of every pattern."""
    absent = np.diagonal(Omega, axis1=1, axis2=2) == 0.0
    identity = np.eye(Omega.shape[1])
    # a one in place of a visit that is not there keeps the factor's other entries as they are
    roots = np.linalg.cholesky(Omega + absent[:, :, None] * identity)
    return np.where(absent[:, :, None], 0.0, roots.transpose(0, 2, 1))
