"""Random effects with a residual variance of its own per visit: clusters of at most a few visits.

V_i = Z_i G Z_i' + diag(σ²_v). Clusters are padded to the same number of rows and kept whole, so
that any linear covariance can be differentiated by formula; the cost is O(n m² t²) for t rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.covariance.unstructured import symmetric_basis
from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.predicted_effects import PredictedEffects, predicted_effects
from trialmlm.engine.random_parameters import RandomParameters
from trialmlm.engine.standardise import orthonormal_effects, standardise

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.basis import Basis
    from trialmlm.engine.control import Control


@dataclass(frozen=True, slots=True)
class PaddedClusters:
    """Rows by cluster, in an orthonormal basis of X and units of the residual.

    Attributes
    ----------
    X : ndarray, shape (n, t, q)
    Z : ndarray, shape (n, t, r)
    y : ndarray, shape (n, t)
    present : ndarray of bool, shape (n, t)
    level : ndarray of int, shape (n, t)
        Which residual variance a row has.
    n_levels : int
    basis, offset, scale, K
        As in :class:`~trialmlm.engine.clusters.ClusterSummary`.
    """

    X: Array
    Z: Array
    y: Array
    present: BoolArray
    level: IntArray
    n_levels: int
    basis: Basis
    offset: Array
    scale: float
    K: Array

    @property
    def n_observations(self) -> int:
        """N."""
        return int(self.present.sum())


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
    rows = standardise(X, y)
    Z, K = orthonormal_effects(Z)
    counts = np.bincount(cluster)
    place = np.arange(y.size) - np.repeat(np.cumsum(counts) - counts, counts)
    shape = (counts.size, int(counts.max()))
    at = cluster, place

    def padded(values: Any) -> Any:
        table = np.zeros((*shape, *values.shape[1:]), dtype=values.dtype)
        table[at] = values
        return table

    return PaddedClusters(
        X=padded(rows.Q),
        Z=padded(Z),
        y=padded(rows.y),
        present=padded(np.ones(y.size, dtype=bool)),
        level=padded(level),
        n_levels=int(level.max()) + 1,
        basis=rows.basis,
        offset=rows.offset,
        scale=rows.scale,
        K=K,
    )


@dataclass(frozen=True, slots=True)
class PaddedPoint:
    """The likelihood at one (G, σ²_1 … σ²_L).

    Attributes
    ----------
    G : ndarray, shape (r, r)
    sigma2 : ndarray, shape (L,)
    Omega : ndarray, shape (n, t, t)
    Phi, beta, deviance
        As in :class:`~trialmlm.engine.likelihood.Point`.
    residual : ndarray, shape (n, t)
        y − Xβ̂.
    """

    G: Array
    sigma2: Array
    Omega: Array
    Phi: Array
    beta: Array
    deviance: float
    residual: Array


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

    def starts(self) -> tuple[Array, ...]:
        """θ to search from, in order."""
        return self.parameters.starts()

    def evaluate(self, theta: Array) -> PaddedPoint:
        """The point at θ."""
        c = self.data
        factor = self.parameters.factor(theta)
        G, sigma2 = factor @ factor.T, self.parameters.sigma2(theta)
        V = c.Z @ G @ c.Z.transpose(0, 2, 1)
        t = np.arange(V.shape[1])
        V[:, t, t] += np.where(c.present, sigma2[c.level], 1.0)
        halves = np.linalg.cholesky(V)
        inverse = np.linalg.inv(halves)
        Omega = inverse.transpose(0, 2, 1) @ inverse
        OX = Omega @ c.X
        q = c.X.shape[2]
        XtOX = np.tensordot(c.X, OX, ((0, 1), (0, 1)))
        root = np.linalg.cholesky((XtOX + XtOX.T) / 2.0)
        half = np.linalg.inv(root)
        Phi = half.T @ half
        beta = Phi @ np.tensordot(OX, c.y, ((0, 1), (0, 1)))
        residual = c.y - c.X @ beta
        quad = float((residual * (Omega @ residual[:, :, None])[:, :, 0]).sum())
        free = q if self.reml else 0
        deviance = (
            2.0 * float(np.log(np.diagonal(halves, axis1=1, axis2=2)).sum())
            + quad
            + (c.n_observations - free) * np.log(2.0 * np.pi)
        )
        if self.reml:
            deviance += 2.0 * float(np.log(np.diag(root)).sum())
        return PaddedPoint(G, sigma2, Omega, Phi, beta, float(deviance), residual)

    def search(self, theta: Array, point: PaddedPoint) -> Curve:
        """Derivatives by θ, by the chain rule from the natural ones."""
        return self.parameters.chain(theta, self.natural(theta, point)[0])

    def condition(self, point: PaddedPoint) -> float:
        """The smallest residual variance, of the scaled data."""
        return float(point.sigma2.min())

    def degenerate(self, point: PaddedPoint, control: Control) -> bool:
        """Whether a residual variance vanishes."""
        return self.condition(point) < control.vanishing

    def natural(self, theta: Array, point: PaddedPoint) -> tuple[Curve, Array]:
        """Derivatives by the lower triangle of G and by the residual variances."""
        del theta
        c, Omega, Phi = self.data, point.Omega, point.Phi
        dV = self._tangent()
        m = len(dV)
        OdV = Omega @ dV  # m × n × t × t
        OX = Omega @ c.X
        Or = (Omega @ point.residual[:, :, None])[:, :, 0]
        B = dV @ OX  # ∂VΩX
        u = (dV @ Or[:, :, None])[..., 0]  # ∂VΩr
        P = -np.einsum("ntq,hntp->hqp", OX, B, optimize=True)
        flat = OdV.reshape(m, -1)
        J = flat @ OdV.transpose(0, 1, 3, 2).reshape(m, -1).T
        trace = np.trace(OdV, axis1=2, axis2=3).sum(axis=1)
        if self.reml:
            OB = Omega @ B
            BPhi = B @ Phi
            J = J - 2.0 * BPhi.reshape(m, -1) @ OB.reshape(m, -1).T
            PhiP = Phi @ P
            J = J + PhiP.reshape(m, -1) @ PhiP.transpose(0, 2, 1).reshape(m, -1).T
            trace = trace + np.trace(PhiP, axis1=1, axis2=2)
        quad = (Or * u).reshape(m, -1).sum(axis=1)
        Ou = (Omega @ u[..., None])[..., 0]
        s = np.einsum("ntq,hnt->hq", OX, u, optimize=True)
        A = u.reshape(m, -1) @ Ou.reshape(m, -1).T - s @ Phi @ s.T
        J, A = (J + J.T) / 2.0, (A + A.T) / 2.0
        return Curve(trace - quad, 2.0 * A - J, A, J), P

    def weighted_Q(self, theta: Array, point: PaddedPoint, W: Array) -> Array:
        """Σ w_hk (∂_hVΩX)'Ω(∂_kVΩX)."""
        del theta
        B = self._tangent() @ (point.Omega @ self.data.X)
        WB = np.tensordot(W, point.Omega @ B, 1)
        result: Array = np.einsum("hntq,hntp->qp", B, WB, optimize=True)
        return result

    def weighted_R(self, theta: Array, point: PaddedPoint, W: Array) -> Array:
        """V is linear in G and the residual variances."""
        del theta, W
        return np.zeros_like(point.Phi)

    def effects(self, point: PaddedPoint) -> PredictedEffects:
        """Best linear unbiased predictions of the random effects."""
        c = self.data
        ZO = c.Z.transpose(0, 2, 1) @ point.Omega
        z = (ZO @ point.residual[:, :, None])[:, :, 0]
        H = ZO @ c.X
        inner = ZO @ c.Z - H @ point.Phi @ H.transpose(0, 2, 1)
        return predicted_effects(point, z, H, inner, c.K, self.scale)

    def _tangent(self) -> Array:
        """∂V by every natural parameter, m × n × t × t."""
        c = self.data
        by_G = c.Z @ symmetric_basis(self.r)[:, None] @ c.Z.transpose(0, 2, 1)
        n, t = c.present.shape
        by_sigma2 = np.zeros((c.n_levels, n, t, t))
        at = np.nonzero(c.present)
        by_sigma2[c.level[at], at[0], at[1], at[1]] = 1.0
        return np.concatenate([by_G, by_sigma2])
