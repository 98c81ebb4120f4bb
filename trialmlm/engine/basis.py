"""An orthonormal basis of the fixed effects, and the columns that add nothing to it.

Without it a response of y + 1e6 would lose ten digits, and a covariate far from zero as many.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray

#: a column whose part outside the earlier ones is smaller than this, relatively, is aliased
RANK_TOLERANCE = 1e-8
#: how far an estimable row may be from the span of X's rows, relatively: D carries rounding
ESTIMABLE_TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True)
class Basis:
    """X[:, kept] = X̃ R with X̃'X̃ = I, and X[:, aliased] = X[:, kept] D.

    Attributes
    ----------
    kept, aliased : ndarray of int
        Columns of X; a redundant column is aliased to earlier ones, as in R.
    R_inverse : ndarray, shape (q, q)
    D : ndarray, shape (q, number aliased)
    log_det : float
        2 log|det R| = log|X'X|, which REML's likelihood keeps.
    """

    kept: IntArray
    aliased: IntArray
    R_inverse: Array
    D: Array
    log_det: float

    @property
    def n_columns(self) -> int:
        """Columns of X, aliased ones included."""
        return self.kept.size + self.aliased.size

    def estimable(self, L: Array) -> BoolArray:
        """Which rows of L (r × columns of X) are estimable: those that X's own rows span."""
        given = L[:, self.aliased]
        implied = L[:, self.kept] @ self.D
        # column by column: a covariate in large units must not hide a gap in another column
        size = np.abs(given) + np.abs(L[:, self.kept]) @ np.abs(self.D)
        return np.asarray((np.abs(given - implied) <= ESTIMABLE_TOLERANCE * size).all(axis=1))

    def spanning(self) -> Array:
        """Rows that span X's: each kept coefficient with what the aliased ones add to it, q × p.

        Row k of these times β is what is reported as coefficient k, the aliased set to zero.
        """
        E = np.zeros((self.kept.size, self.n_columns))
        E[:, self.kept] = np.eye(self.kept.size)
        E[:, self.aliased] = self.D
        return E

    def rows(self, L: Array) -> Array:
        """L̃ with L̃β̃ = Lβ for estimable rows."""
        reduced: Array = L[:, self.kept] @ self.R_inverse
        return reduced


def basis_of(W: Array, sizes: Array | None = None) -> Basis:
    """The basis of any W with W'W = X'X.

    Parameters
    ----------
    W : ndarray, shape (any, columns of X)
    sizes : ndarray, shape (columns of X,), optional
        What a column's independent part is compared with; its own norm by default. Where W
        carries rounding, the column of an empty cell is small rather than zero, and its own
        norm says nothing.

    Returns
    -------
    Basis
    """
    norms = np.linalg.norm(W, axis=0) if sizes is None else sizes
    R = triangle(W) if W.shape[0] >= W.shape[1] else W[:0]
    full = R.shape[0] == W.shape[1] and bool((np.abs(np.diag(R)) > RANK_TOLERANCE * norms).all())
    kept = np.arange(W.shape[1]) if full else _independent(W, norms)
    if not full:
        R = triangle(W[:, kept])
    aliased = np.setdiff1d(np.arange(W.shape[1]), kept)
    D = _combinations(W[:, kept], W[:, aliased], norms[aliased])
    R_inverse = np.linalg.inv(R) if kept.size else np.zeros((0, 0))
    log_det = 2.0 * float(np.log(np.abs(np.diag(R))).sum())
    return Basis(kept, aliased, R_inverse, D, log_det)


def triangle(W: Array) -> Array:
    """R of W = QR, without the tall Q."""
    found: Array = np.asarray(np.linalg.qr(W, mode="r"))
    return found


def _combinations(kept: Array, aliased: Array, sizes: Array) -> Array:
    """D with aliased = kept D, solved for in each column's own units, exact zeros for rounding."""
    if not sizes.size:
        return np.zeros((kept.shape[1], 0))
    units = np.linalg.norm(kept, axis=0)
    targets = np.where(sizes > 0.0, sizes, 1.0)
    D = np.linalg.lstsq(kept / units, aliased / targets, rcond=None)[0]
    D[np.abs(D) < 1e-9] = 0.0
    found: Array = D * targets / units[:, None]
    return found


def _independent(W: Array, norms: Array) -> IntArray:
    """Columns that are not combinations of earlier ones (Gram-Schmidt, each column twice)."""
    Q = np.zeros((W.shape[0], 0))
    kept = []
    for column, norm in enumerate(norms):
        rest = W[:, column]
        for _ in range(2):
            rest = rest - Q @ (Q.T @ rest)
        length = float(np.linalg.norm(rest))
        if length > RANK_TOLERANCE * norm and length > 0.0:
            kept.append(column)
            Q = np.column_stack([Q, rest / length])
    return np.array(kept, dtype=np.intp)
