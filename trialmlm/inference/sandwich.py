"""Sandwich covariances CR0 to CR3 of the estimates, and their Satterthwaite degrees of freedom.

In the coordinates of :mod:`~trialmlm.engine.whitened`, with Z_i = T_iX̃_i: the covariance is
F(Σ Z_i'ẽ_iẽ_i'Z_i)F', no subject by itself and nothing of size n × n being formed.

Liang and Zeger (1986) for CR0, Bell and McCaffrey (2002) for CR2 and the degrees of freedom,
Mancl and DeRouen (2001) for CR3. Symmetric T_i commute with a turn of the coordinates, so that no
result depends on which root of V_i was taken.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.engine.whitened import Whitening
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trialmlm.arrays import Array
    from trialmlm.engine.whitened import Whitened
    from trialmlm.inference.source import Repeated

#: rows of L that are looked at together
ROWS = 32
#: an eigenvalue of I − H_ii below this is that of a leverage of one, where the residual is zero
FULL_LEVERAGE = 1e-8


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the family: what T_i does to I − H_ii, and what the sum is multiplied by.

    Attributes
    ----------
    name : str
    power : float
        T_i = (I − H_ii)^−power; a direction in which H_ii is one is left out.
    factor : callable
        Of the number of subjects.
    """

    name: str
    power: float
    factor: Callable[[int], float]

    def adjust(self, X: Array) -> Array:
        """Z_i = T_iX̃_i of some subjects, n × T × q."""
        if self.power == 0.0:
            return X
        T = X.shape[1]
        values, vectors = np.linalg.eigh(np.eye(T) - X @ X.transpose(0, 2, 1))
        kept = values > FULL_LEVERAGE
        weights = np.where(kept, np.where(kept, values, 1.0) ** -self.power, 0.0)
        turned: Array = vectors @ (weights[:, :, None] * (vectors.transpose(0, 2, 1) @ X))
        return turned


def _one(subjects: int) -> float:
    del subjects
    return 1.0


def _less_one(subjects: int) -> float:
    return subjects / (subjects - 1.0)


KINDS = (
    Kind("CR0", 0.0, _one),
    Kind("CR1", 0.0, _less_one),
    Kind("CR2", 0.5, _one),
    Kind("CR3", 1.0, _one),
)


@dataclass(frozen=True)
class Sandwich:
    """Φ(Σ s_is_i')Φ, s_i the score of subject i.

    Attributes
    ----------
    kind : Kind
    whitening : Whitened
        The independent subjects or clusters.
    """

    kind: Kind
    whitening: Whitened

    @classmethod
    def of(cls, kind: Kind, source: Repeated) -> Sandwich:
        """From a fit of repeated measures.

        Raises
        ------
        FitError
            With one subject: the covariance rests on differences between subjects.
        """
        return cls.over(kind, Whitening.of(source.fit, source.design), "subjects")

    @classmethod
    def over(cls, kind: Kind, whitening: Whitened, units: str) -> Sandwich:
        """Over independent subjects or clusters, which `units` names.

        Raises
        ------
        FitError
            With one of them.
        """
        if whitening.n_subjects < 2:
            msg = f"vcov: {kind.name} rests on differences between {units}, and the data have one"
            raise FitError(msg)
        return cls(kind, whitening)

    @property
    def name(self) -> str:
        """As in ``vcov=``."""
        return self.kind.name

    @cached_property
    def matrix(self) -> Array:
        """In the orthonormal basis, q × q."""
        q = len(self.whitening.F)
        meat = np.zeros((q, q))
        for X, Z, e in self._blocks():
            del X
            scores = (Z.transpose(0, 2, 1) @ e[:, :, None])[:, :, 0]
            meat += scores.T @ scores
        F = self.whitening.F
        result: Array = F @ meat @ F.T * self.kind.factor(self.whitening.n_subjects)
        return result

    def satterthwaite(self, L: Array) -> Array:
        """Df of rows in the orthonormal basis (r × q): one pass over the subjects for 32 rows.

        With a_i = Z_iF'l, b_i = X̃_i'a_i and κ_i = b_i'b_i,
        df = (Σ(a_i'a_i − κ_i))² / (Σ(a_i'a_i)² − 2Σa_i'a_iκ_i + tr[(Σb_ib_i')²]).
        """
        V = L @ self.whitening.F
        return np.concatenate([self._df(V[at : at + ROWS]) for at in range(0, len(V), ROWS)])

    def _df(self, V: Array) -> Array:
        rows, q = V.shape
        mean, spread, B = np.zeros(rows), np.zeros(rows), np.zeros((rows, q, q))
        for X, Z, _ in self._blocks():
            a = Z @ V.T  # n × T × r
            b = X.transpose(0, 2, 1) @ a  # n × q × r
            aa = np.einsum("ntr,ntr->nr", a, a)
            kappa = np.einsum("nqr,nqr->nr", b, b)
            mean += (aa - kappa).sum(axis=0)
            spread += (aa * (aa - 2.0 * kappa)).sum(axis=0)
            B += b.transpose(2, 1, 0) @ b.transpose(2, 0, 1)
        spread += np.einsum("rpq,rpq->r", B, B)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(spread > 0.0, mean**2 / spread, np.inf)

    def _blocks(self) -> Iterator[tuple[Array, Array, Array]]:
        """X̃, Z and ẽ, block by block; a trial that is one block is worked out once."""
        if len(self._parts) == 1:
            yield self._only
            return
        for part in self._parts:
            yield self._block(part)

    @cached_property
    def _parts(self) -> Sequence[Any]:
        return self.whitening.parts(ROWS)

    @cached_property
    def _only(self) -> tuple[Array, Array, Array]:
        return self._block(self._parts[0])

    def _block(self, part: Any) -> tuple[Array, Array, Array]:
        block = self.whitening.block(part)
        return block.X, self.kind.adjust(block.X), block.e
