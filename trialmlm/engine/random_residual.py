"""Random effects beside a residual covariance of any family: V_i = Z_i G Z_i' + R_i.

Subjects are padded to the same visits, or to the same number of rows where their times are their
own, and every V_i is worked on by itself; the cost is O(n m² t²) for t visits and m parameters.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
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
from trialmlm.engine.predicted_effects import ClusterPredictions, cluster_predictions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.control import Control
    from trialmlm.engine.effects_covariance import EffectsCovariance

#: shares of the random effects in the variance to start from
_SHARES = (0.05, 0.3, 0.6)
#: correlations of the residual to start from where there are no visits in common
_STARTS = (0.5, 0.8, 0.2)
#: smallest eigenvalue of a correlation to start from
_FLOOR = 0.1
#: what θ moves less than this, relative to what it moves most, it does not move
_STILL = 1e-5


@dataclass(frozen=True, slots=True)
class EffectsPoint(PaddedPoint):
    """The likelihood at one (G, R).

    Attributes
    ----------
    G : ndarray, shape (r, r)
    """

    G: Array


@dataclass(frozen=True)
class RandomResidualLikelihood(DataLikelihood[PaddedRows]):
    """REML or ML; θ are those of G, then of the residual of every covariance group.

    The natural parameters are those of G, then the residual's; see `free`.

    Attributes
    ----------
    Z : ndarray, shape (n, t, r)
        0 where there is no row.
    K : ndarray, shape (r, r)
        Z given = Z here · K.
    effects_family : EffectsCovariance
        Of G.
    families : tuple of Covariance
        Of the residual, one per covariance group.
    members : tuple of ndarray of bool, shape (n,)
        The subjects of each group.
    """

    Z: Array
    K: Array
    effects_family: EffectsCovariance
    families: tuple[Covariance, ...]
    members: tuple[BoolArray, ...]

    @property
    def interior(self) -> bool:
        """A variance of zero in G is an estimate."""
        return False

    def starts(self) -> tuple[Array, ...]:
        """Shares of the moments, where −2l is lowest first: it may have several optima."""
        together = [
            np.concatenate([self.effects_family.start(share), *parts])
            for share in _SHARES
            for parts in self._residual_starts(1.0 - share)
        ]
        return tuple(sorted(together, key=self._deviance))

    def evaluate(self, theta: Array) -> EffectsPoint:
        """The point at θ."""
        G = self.effects_family.sigma(self.of_effects(theta))
        V = self.Z @ G @ self.Z.transpose(0, 2, 1)
        t = np.arange(V.shape[1])
        V[:, t, t] += ~self.data.present
        for part, family, own in self.groups(theta):
            V[own] += np.where(self.data.together[own], family.sigma(part), 0.0)
        at = evaluate(self.data, V, reml=self.reml)
        return EffectsPoint(at.V, at.Omega, at.Phi, at.beta, at.deviance, at.residual, G=G)

    def search(self, theta: Array, point: EffectsPoint) -> Curve:
        """Derivatives by θ."""
        effects = self.of_effects(theta)
        first = [family.jacobian(part) for part, family, _ in self.groups(theta)]
        dV = self._full(self.effects_family.jacobian(effects), first)
        curve, _ = derivatives(self.data, point, dV, reml=self.reml)
        slope = self._slope(point)
        by_G = np.tensordot(self.Z, slope @ self.Z, ((0, 1), (0, 1)))
        bend = [
            self.effects_family.curvature(effects, by_G),
            *(
                f.curvature(part, _matching(slope[own], f, part))
                for part, f, own in self.groups(theta)
            ),
        ]
        return Curve(curve.g, curve.H + block_diagonal(bend), curve.A, curve.J)

    def natural(self, theta: Array, point: EffectsPoint) -> tuple[Curve, Array]:
        """Derivatives by the natural parameters, or by `free` combinations of them."""
        curve, P = derivatives(self.data, point, self._tangent(theta), reml=self.reml)
        slope = self._slope(point)
        k = self.effects_family.n_parameters
        bend = [np.zeros((k, k))]
        for part, family, own in self.groups(theta):
            second = family.natural_second(part)
            bend.append(np.tensordot(second, _matching(slope[own], family, part), second.ndim - 2))
        N, H = self.free(theta), curve.H + block_diagonal(bend)
        turned = Curve(N @ curve.g, N @ H @ N.T, N @ curve.A @ N.T, N @ curve.J @ N.T)
        return turned, np.tensordot(N, P, 1)

    def weighted_Q(self, theta: Array, point: EffectsPoint, W: Array) -> Array:
        """Σ w_hk (∂_hVΩX)'Ω(∂_kVΩX)."""
        N = self.free(theta)
        return weighted_Q(self.data, point, self._tangent(theta), N.T @ W @ N)

    def weighted_R(self, theta: Array, point: EffectsPoint, W: Array) -> Array:
        """Σ w_hk X'Ω∂²_hkVΩX: V is linear in G, and as curved as the residual."""
        N = self.free(theta)
        whole = N.T @ W @ N
        OX = point.Omega @ self.data.X
        total, at = np.zeros_like(point.Phi), self.effects_family.n_parameters
        for part, family, own in self.groups(theta):
            block = slice(at, at + part.size)
            D = np.tensordot(whole[block, block], family.natural_second(part), 2)
            D = np.where(self.data.together[own], D, 0.0)
            total = total + np.tensordot(OX[own], D @ OX[own], ((0, 1), (0, 1)))
            at += part.size
        return total

    def free(self, theta: Array) -> Array:
        """Combinations of the natural parameters that may move on either side, one a row.

        A variance of zero, a singular G or R only moves one way: what θ does not move to first
        order has no error, and leaves W. Elsewhere these are the natural parameters themselves.
        """
        effects, of_G = self.of_effects(theta), self.effects_family
        blocks = [_free(of_G.jacobian(effects), of_G.tangent(effects))]
        blocks += [_free(f.jacobian(part), f.tangent(part)) for part, f, _ in self.groups(theta)]
        return _diagonal(blocks)

    def at_bound(self, theta: Array) -> tuple[bool, bool]:
        """Whether G, or the residual, has its estimate where it can only move one way."""
        k = self.effects_family.n_parameters
        N = self.free(theta)
        of_G = int(N[:, :k].any(axis=1).sum())
        return of_G < k, len(N) - of_G < N.shape[1] - k

    def divisible(self, point: EffectsPoint) -> bool:
        """Whether V can be divided into a G and residuals that are covariances both.

        Where the residual takes over the covariance of the last effects, G = [A B'; B C] with
        the smallest C = BA⁻B', which the residual has to have to spare.
        """
        G = point.G
        A = np.where(np.diag(G) > 0.0, 1.0, 0.0)
        own = A[:, None] * A * G
        border = (1.0 - A)[:, None] * A * G
        inverse = np.linalg.pinv(own, rcond=_STILL, hermitian=True)
        if np.abs(border - border @ inverse @ own).max(initial=0.0) > _STILL:
            return False
        spare = self.Z @ (border @ inverse @ border.T) @ self.Z.transpose(0, 2, 1)
        R = point.V - self.Z @ G @ self.Z.transpose(0, 2, 1) - spare
        return bool(np.linalg.eigvalsh(R).min() > -_STILL)

    def condition(self, point: EffectsPoint) -> float:
        """The smallest share of a row's variance that its subject's other rows do not explain."""
        own = np.diagonal(point.V, axis1=1, axis2=2) * np.diagonal(point.Omega, axis1=1, axis2=2)
        return float((1.0 / own[self.data.present]).min())

    def degenerate(self, point: EffectsPoint, control: Control) -> bool:
        """Whether a V is all but singular; a singular G or R is an estimate."""
        variances = np.diagonal(point.V, axis1=1, axis2=2)[self.data.present]
        return (
            float(variances.min()) < control.vanishing or self.condition(point) < control.singular
        )

    def boundary(self, theta: Array, point: EffectsPoint) -> tuple[Array, Array] | None:
        """None: `at_bound` says where a bound is, and `free` what is left of W there."""
        del theta, point
        return None

    def singular(self, theta: Array, point: EffectsPoint) -> tuple[bool, ...]:
        """Whether G is."""
        del point
        return (self.at_bound(theta)[0],)

    def weakest(self, point: EffectsPoint) -> tuple[int, ...]:
        """Of the subjects' own covariances none stands for all."""
        del point
        return ()

    def effects(self, point: EffectsPoint) -> ClusterPredictions:
        """Best linear unbiased predictions of the random effects."""
        ZO = self.Z.transpose(0, 2, 1) @ point.Omega
        z = (ZO @ point.residual[:, :, None])[:, :, 0]
        H = ZO @ self.data.X
        inner = ZO @ self.Z - H @ point.Phi @ H.transpose(0, 2, 1)
        return cluster_predictions(point, z, H, inner, self.K, self.scale)

    def of_effects(self, theta: Array) -> Array:
        """Θ of G."""
        return theta[: self.effects_family.n_parameters]

    def groups(self, theta: Array) -> Iterator[tuple[Array, Covariance, BoolArray]]:
        """Θ, family and subjects of the residual of each group."""
        at = self.effects_family.n_parameters
        for family, own in zip(self.families, self.members, strict=True):
            yield theta[at : at + family.n_parameters], family, own
            at += family.n_parameters

    def _tangent(self, theta: Array) -> Array:
        """∂V by the natural parameters, m × n × t × t."""
        own = [family.tangent(part) for part, family, _ in self.groups(theta)]
        return self._full(self.effects_family.tangent(self.of_effects(theta)), own)

    def _full(self, effects: Array, residual: list[Array]) -> Array:
        """Derivatives of every V_i, zero for the subjects of other groups."""
        by_G = self.Z @ effects[:, None] @ self.Z.transpose(0, 2, 1)
        by_R = spread(residual, self.members, self.data.together)
        return np.concatenate([by_G, by_R])

    def _slope(self, point: EffectsPoint) -> Array:
        """∂(−2l)/∂V_i, zero where there is no row."""
        return np.where(self.data.together, slope_of_V(self.data, point, reml=self.reml), 0.0)

    def _deviance(self, theta: Array) -> float:
        try:
            return float(self.evaluate(theta).deviance)
        except np.linalg.LinAlgError:
            return float("inf")

    def _residual_starts(self, share: float) -> Iterator[list[Array]]:
        """Θ of the residual of every group, with this share of the variance."""
        for moments in self._moments:
            yield [family.start(share * moments) for family in self.families]

    @cached_property
    def _moments(self) -> tuple[Array, ...]:
        """Covariances over the visits to start from: the rows', half of it, none."""
        T = self.data.y.shape[1]
        if any(f.tangent(f.start(np.eye(T))).ndim > 3 for f in self.families):
            return tuple(np.full((T, T), rho) + (1.0 - rho) * np.eye(T) for rho in _STARTS)
        counts = np.maximum(self.data.together.sum(axis=0), 1)
        found = self.data.y.T @ self.data.y / counts
        sd = np.sqrt(np.diag(found).clip(_FLOOR))
        values, vectors = np.linalg.eigh(found / np.outer(sd, sd))
        whole = (vectors * values.clip(_FLOOR)) @ vectors.T * np.outer(sd, sd)
        alone = np.diag(np.diag(whole))
        return whole, (whole + alone) / 2.0, alone


def spread(parts: list[Array], members: tuple[BoolArray, ...], together: BoolArray) -> Array:
    """Derivatives of each group's residual as those of every V_i, m × n × t × t."""
    found = np.zeros((sum(map(len, parts)), *together.shape))
    at = 0
    for part, own in zip(parts, members, strict=True):
        each = part if part.ndim > 3 else part[:, None]
        found[at : at + len(part), own] = np.where(together[own], each, 0.0)
        at += len(part)
    return found


def _free(jacobian: Array, tangent: Array) -> Array:
    """Combinations of ∂Σ by the natural parameters that ∂Σ by θ spans; all of them mostly."""
    k = len(tangent)
    if not k:
        return np.zeros((0, 0))
    flat, moved = tangent.reshape(k, -1), jacobian.reshape(k, -1)
    size = np.sqrt((flat**2).sum(axis=1))
    if not (size > 0.0).all():
        return np.eye(k)
    unit = flat / size[:, None]
    _, sizes, right = np.linalg.svd(moved @ np.linalg.pinv(unit))
    kept = sizes > _STILL * max(1.0, float(sizes[0]))
    # V moves along unit tangents: a step along one is 1/size of its natural parameter
    return np.eye(k) if kept.all() else right[kept] / size


def _diagonal(blocks: list[Array]) -> Array:
    """Blocks of any shape down a diagonal."""
    found = np.zeros((sum(len(b) for b in blocks), sum(b.shape[1] for b in blocks)))
    row, column = 0, 0
    for block in blocks:
        found[row : row + len(block), column : column + block.shape[1]] = block
        row, column = row + len(block), column + block.shape[1]
    return found


def _matching(slope: Array, family: Covariance, theta: Array) -> Array:
    """The slope of −2l by the Σ of a family: one for all subjects, or one of each."""
    total: Array = slope if family.sigma(theta).ndim > 2 else slope.sum(axis=0)
    return total
