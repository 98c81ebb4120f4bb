"""Rows L of linear combinations Lβ."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.basis import Basis


@dataclass(frozen=True, slots=True)
class Rows:
    """Estimable rows in both coordinates of the fixed effects.

    Attributes
    ----------
    kept : ndarray, shape (r, q)
        Weights of the columns of X that are not aliased. An aliased column adds nothing: an
        estimable row has its weight there already.
    basis : ndarray, shape (r, q)
        Weights in the orthonormal basis.
    """

    kept: Array
    basis: Array

    @classmethod
    def of(cls, basis: Basis, L: Array) -> Rows:
        """From rows in the columns of X (r × columns)."""
        return cls(L[:, basis.kept], basis.rows(L))

    def __len__(self) -> int:
        return len(self.basis)

    def take(self, positions: IntArray) -> Rows:
        """Some of the rows."""
        return Rows(self.kept[positions], self.basis[positions])
