"""Random effects with a residual variance of its own per visit: clusters of at most a few visits.

V_i = Z_i G Z_i' + diag(σ²_v). Clusters are padded to the same number of rows and kept whole, so
that any linear covariance can be differentiated by formula; the cost is O(n m² t²) for t rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import symmetric_basis
from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.likelihood import Block
from trialmlm.engine.padded import (
    PaddedPoint,
    PaddedRows,
    derivatives,
    evaluate,
    into_cells,
    pad_rows,
    weighted_Q,
)
from trialmlm.engine.predicted_effects import ClusterPredictions, cluster_predictions
from trialmlm.engine.random_parameters import RandomParameters, on_boundary
from trialmlm.engine.standardise import orthonormal_effects

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.basis import Basis
    from trialmlm.engine.control import Control
    from trialmlm.engine.likelihood import Curve


@dataclass(frozen=True, slots=True)
class PaddedClusters:
    """Rows by cluster, with the columns of the random effects.

    Attributes
    ----------
    rows : PaddedRows
    Z : ndarray, shape (n, t, r)
    level : ndarray of int, shape (n, t)
        Which residual variance a row has.
    n_levels : int
    K : ndarray, shape (r, r)
        As in :class:`~trialmlm.engine.clusters.ClusterSummary`.
    """

    rows: PaddedRows
    Z: Array
    level: IntArray
    n_levels: int
    K: Array

    @property
    def basis(self) -> Basis:
        """Of the fixed effects."""
        return self.rows.basis

    @property
    def offset(self) -> Array:
        """Least-squares coefficients taken out of y beforehand."""
        return self.rows.offset

    @property
    def scale(self) -> float:
        """What y's residual was divided by."""
        return self.rows.scale

    @property
    def n_observations(self) -> int:
        """N."""
        return self.rows.n_observations

    @property
    def present(self) -> BoolArray:
        """Where there are rows, n × t."""
        return self.rows.present


def pad_clusters(
    X: Array, Z: Array, y: Array, cluster: IntArray, level: IntArray
) -> PaddedClusters:
    """Pad rows that are sorted by cluster.

    Parameters
    ----------
    X : ndarray, shape (N, columns)
    Z : ndarray, shape (N, r)
        Of full column rank.
    y : ndarray, shape (N,)
    cluster, level : ndarray of int, shape (N,)
        Codes without gaps.
    """
    counts = np.bincount(cluster)
    present = np.arange(counts.max()) < counts[:, None]
    at = np.nonzero(present)
    Z, K = orthonormal_effects(Z)
    return PaddedClusters(
        rows=pad_rows(X, y, present),
        Z=into_cells(Z, present.shape, at),
        level=into_cells(level, present.shape, at),
        n_levels=int(level.max()) + 1,
        K=K,
    )


@dataclass(frozen=True, slots=True)
class EffectsPoint(PaddedPoint):
    """The likelihood at one (G, σ²_1 … σ²_L).

    Attributes
    ----------
    G : ndarray, shape (r, r)
    sigma2 : ndarray, shape (L,)
    """

    G: Array
    sigma2: Array


@dataclass(frozen=True)
class PaddedLikelihood(DataLikelihood[PaddedClusters]):
    """REML or ML; the natural parameters are the lower triangle of G and the residual variances."""

    @property
    def r(self) -> int:
        """Random effects per cluster."""
        return int(self.data.Z.shape[2])

    @property
    def parameters(self) -> RandomParameters:
        """What the search runs on."""
        return RandomParameters(self.r, self.data.n_levels)

    @property
    def interior(self) -> bool:
        """A variance of zero in G is an estimate."""
        return False

    def starts(self) -> tuple[Array, ...]:
        """θ to search from, in order."""
        return self.parameters.starts()

    def evaluate(self, theta: Array) -> EffectsPoint:
        """The point at θ."""
        c = self.data
        factor = self.parameters.factor(theta)
        G, sigma2 = factor @ factor.T, self.parameters.sigma2(theta)
        V = c.Z @ G @ c.Z.transpose(0, 2, 1)
        t = np.arange(V.shape[1])
        V[:, t, t] += np.where(c.present, sigma2[c.level], 1.0)
        at = evaluate(c.rows, V, reml=self.reml)
        return EffectsPoint(
            at.V, at.Omega, at.Phi, at.beta, at.deviance, at.residual, G=G, sigma2=sigma2
        )

    def search(self, theta: Array, point: EffectsPoint) -> Curve:
        """Derivatives by θ, by the chain rule from the natural ones."""
        return self.parameters.chain(theta, self.natural(theta, point)[0])

    def condition(self, point: EffectsPoint) -> float:
        """The smallest residual variance, of the scaled data."""
        return float(point.sigma2.min())

    def degenerate(self, point: EffectsPoint, control: Control) -> bool:
        """Whether a residual variance vanishes."""
        return self.condition(point) < control.vanishing

    def weakest(self, point: EffectsPoint) -> tuple[int, ...]:
        """Clusters have no visits."""
        del point
        return ()

    def natural(self, theta: Array, point: EffectsPoint) -> tuple[Curve, Array]:
        """Derivatives by the lower triangle of G and by the residual variances."""
        del theta
        return derivatives(self.data.rows, point, self._tangent(), reml=self.reml)

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One."""
        return (Block(0, 0, self.data.K),)

    def singular(self, theta: Array, point: EffectsPoint) -> tuple[bool, ...]:
        """Whether G is singular."""
        del theta
        return (on_boundary(point.G, self.condition(point)),)

    def boundary(self, theta: Array, point: EffectsPoint) -> tuple[Array, Array] | None:
        """∂η/∂θ and the curvature of η where G is singular."""
        if not any(self.singular(theta, point)):
            return None
        return self.parameters.jacobian(theta, self.natural(theta, point)[0].g)

    def weighted_Q(self, theta: Array, point: EffectsPoint, W: Array) -> Array:
        """Σ w_hk (∂_hVΩX)'Ω(∂_kVΩX)."""
        del theta
        return weighted_Q(self.data.rows, point, self._tangent(), W)

    def weighted_R(self, theta: Array, point: EffectsPoint, W: Array) -> Array:
        """V is linear in G and the residual variances."""
        del theta, W
        return np.zeros_like(point.Phi)

    def effects(self, point: EffectsPoint) -> ClusterPredictions:
        """Best linear unbiased predictions of the random effects."""
        c = self.data
        ZO = c.Z.transpose(0, 2, 1) @ point.Omega
        z = (ZO @ point.residual[:, :, None])[:, :, 0]
        H = ZO @ c.rows.X
        inner = ZO @ c.Z - H @ point.Phi @ H.transpose(0, 2, 1)
        return cluster_predictions(point, z, H, inner, c.K, self.scale)

    def _tangent(self) -> Array:
        """∂V by every natural parameter, m × n × t × t."""
        c = self.data
        by_G = c.Z @ symmetric_basis(self.r)[:, None] @ c.Z.transpose(0, 2, 1)
        n, t = c.present.shape
        by_sigma2 = np.zeros((c.n_levels, n, t, t))
        at = np.nonzero(c.present)
        by_sigma2[c.level[at], at[0], at[1], at[1]] = 1.0
        return np.concatenate([by_G, by_sigma2])
