"""The likelihood of repeated measures at times of each subject's own: spatial covariances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.objective import block_diagonal
from trialmlm.engine.padded import (
    PaddedPoint,
    PaddedRows,
    derivatives,
    evaluate,
    slope_of_V,
    weighted_Q,
)

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.control import Control

#: correlations at the median distance to start from
_STARTS = (0.5, 0.8, 0.2)
#: a correlation at the median distance that is as good as one
_NEAR_ONE = 1e-7


@dataclass(frozen=True)
class OwnTimesLikelihood(DataLikelihood[PaddedRows]):
    """REML or ML of a family whose Σ is one matrix per subject.

    Attributes
    ----------
    families : tuple of Covariance
        One per covariance group, over the distances of the group's subjects.
    members : tuple of ndarray of bool, shape (n,)
        The subjects of each group.
    """

    families: tuple[Covariance, ...]
    members: tuple[BoolArray, ...]

    @property
    def pattern(self) -> IntArray:
        """Every subject is a pattern."""
        return np.arange(len(self.data.y))

    @property
    def interior(self) -> bool:
        """A correlation of zero, at the end of a range parameter's scale, is an estimate."""
        return False

    def starts(self) -> tuple[Array, ...]:
        """Variances of one, the scaled data's, and some correlation at the median distance."""
        T = self.data.y.shape[1]
        moments = [np.full((T, T), r) + (1.0 - r) * np.eye(T) for r in _STARTS]
        return tuple(np.concatenate([f.start(start) for f in self.families]) for start in moments)

    def evaluate(self, theta: Array) -> PaddedPoint:
        """The point at θ."""
        V = np.broadcast_to(np.eye(self.data.y.shape[1]), self.data.together.shape).copy()
        for part, family, own in self._groups(theta):
            V[own] = np.where(self.data.together[own], family.sigma(part), V[own])
        return evaluate(self.data, V, reml=self.reml)

    @property
    def together(self) -> BoolArray:
        """Which pairs of visits a pattern has, P × T × T."""
        return self.data.together

    def V(self, point: PaddedPoint) -> Array:
        """The covariance of every subject, the identity where it has no row."""
        return point.V

    def search(self, theta: Array, point: PaddedPoint) -> Curve:
        """Derivatives by θ."""
        first = [family.jacobian(part) for part, family, _ in self._groups(theta)]
        curve, _ = derivatives(self.data, point, self._full(first), reml=self.reml)
        slope = self._slope(point)
        bend = [f.curvature(part, slope[own]) for part, f, own in self._groups(theta)]
        return Curve(curve.g, curve.H + block_diagonal(bend), curve.A, curve.J)

    def natural(self, theta: Array, point: PaddedPoint) -> tuple[Curve, Array]:
        """Derivatives by the variances and the correlation parameters."""
        curve, P = derivatives(self.data, point, self._tangent(theta), reml=self.reml)
        slope = self._slope(point)
        bend = [
            np.tensordot(f.natural_second(part), slope[own], 3)
            for part, f, own in self._groups(theta)
        ]
        return Curve(curve.g, curve.H + block_diagonal(bend), curve.A, curve.J), P

    def weighted_Q(self, theta: Array, point: PaddedPoint, W: Array) -> Array:
        """Σ w_hk (∂_hVΩX)'Ω(∂_kVΩX)."""
        return weighted_Q(self.data, point, self._tangent(theta), W)

    def weighted_R(self, theta: Array, point: PaddedPoint, W: Array) -> Array:
        """Σ w_hk X'Ω∂²_hkVΩX."""
        OX = point.Omega @ self.data.X
        total, at = np.zeros_like(point.Phi), 0
        for part, family, own in self._groups(theta):
            block = slice(at, at + part.size)
            D = np.tensordot(W[block, block], family.natural_second(part), 2)
            total = total + np.tensordot(OX[own], D @ OX[own], ((0, 1), (0, 1)))
            at += part.size
        return total

    def condition(self, point: PaddedPoint) -> float:
        """One less the median correlation of two rows of a subject."""
        sd = np.sqrt(np.diagonal(point.V, axis1=1, axis2=2))
        pairs = np.triu(self.data.together, 1)
        correlation = (point.V / (sd[:, :, None] * sd[:, None, :]))[pairs]
        return 1.0 - float(np.median(correlation)) if correlation.size else 1.0

    def degenerate(self, point: PaddedPoint, control: Control) -> bool:
        """Whether a correlation of one or a variance of zero is near."""
        variances = np.diagonal(point.V, axis1=1, axis2=2)[self.data.present]
        return float(variances.min()) < control.vanishing or self.condition(point) < _NEAR_ONE

    def weakest(self, point: PaddedPoint) -> tuple[int, ...]:
        """There are no visits in common."""
        del point
        return ()

    def _groups(self, theta: Array) -> list[tuple[Array, Covariance, BoolArray]]:
        """θ, family and subjects of each group."""
        parts = theta.reshape(len(self.families), -1)
        return [*zip(parts, self.families, self.members, strict=True)]

    def _tangent(self, theta: Array) -> Array:
        return self._full([family.tangent(part) for part, family, _ in self._groups(theta)])

    def _full(self, parts: list[Array]) -> Array:
        """Derivatives of every V_i, m × n × t × t, zero for the subjects of other groups."""
        found = np.zeros((sum(map(len, parts)), *self.data.together.shape))
        at = 0
        for part, own in zip(parts, self.members, strict=True):
            found[at : at + len(part), own] = np.where(self.data.together[own], part, 0.0)
            at += len(part)
        return found

    def _slope(self, point: PaddedPoint) -> Array:
        """∂(−2l)/∂V_i, zero where there is no row."""
        return np.where(self.data.together, slope_of_V(self.data, point, reml=self.reml), 0.0)
