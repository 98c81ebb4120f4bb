"""Random effects with times of their own: every cluster is its own pattern.

V_i = Z_i G Z_i' + σ²I. Nothing of size n_i is kept: with S_i = Z_i'Z_i the Woodbury identity gives
Ω_i = σ⁻²(I − Z_i D_i Z_i'), D_i = G(σ²I + S_iG)⁻¹, so that Z'ΩZ, Z'ΩX and Z'Ωr follow from the
r × r, r × q and r cross-products of the cluster. Only derivatives by G are summed; those by σ²
follow from Euler's identity, as Σ_h θ_h ∂_hV = V.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import lower_indices, symmetric_basis
from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.euler import (
    bordered,
    with_P_of_sigma2,
    with_Q_of_sigma2,
    with_sigma2,
)
from trialmlm.engine.likelihood import Block, Curve
from trialmlm.engine.objective import contract
from trialmlm.engine.predicted_effects import ClusterPredictions, cluster_predictions
from trialmlm.engine.random_parameters import RandomParameters, on_boundary
from trialmlm.engine.standardise import orthonormal_effects, standardise

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.basis import Basis
    from trialmlm.engine.control import Control


@dataclass(frozen=True, slots=True)
class ClusterSummary:
    """Cross-products of every cluster, in an orthonormal basis of X and units of the residual.

    Attributes
    ----------
    S : ndarray, shape (n, r, r)
        Z'Z.
    ZX : ndarray, shape (n, r, q)
    Zy : ndarray, shape (n, r)
    Xy : ndarray, shape (q,)
        X'y over all rows (X'X is the identity).
    yy : float
    n_observations : int
    basis : Basis
    offset : ndarray, shape (q,)
    scale : float
    K : ndarray, shape (r, r)
        Z given = Z here · K: the columns of Z are made orthonormal over all rows, times √N.
    """

    S: Array
    ZX: Array
    Zy: Array
    Xy: Array
    yy: float
    n_observations: int
    basis: Basis
    offset: Array
    scale: float
    K: Array


def summarise_clusters(X: Array, Z: Array, y: Array, first: IntArray) -> ClusterSummary:
    """Sum up rows that are sorted by cluster.

    Parameters
    ----------
    X : ndarray, shape (N, columns)
    Z : ndarray, shape (N, r)
        Of full column rank.
    y : ndarray, shape (N,)
    first : ndarray of int, shape (n,)
        The first row of each cluster.
    """
    rows = standardise(X, y)
    Z, K = orthonormal_effects(Z)
    return ClusterSummary(
        S=np.add.reduceat(Z[:, :, None] * Z[:, None, :], first),
        ZX=np.add.reduceat(Z[:, :, None] * rows.Q[:, None, :], first),
        Zy=np.add.reduceat(Z * rows.y[:, None], first),
        Xy=rows.Q.T @ rows.y,
        yy=float(rows.y @ rows.y),
        n_observations=y.size,
        basis=rows.basis,
        offset=rows.offset,
        scale=rows.scale,
        K=K,
    )


@dataclass(frozen=True, slots=True)
class ClusterPoint:
    """The likelihood at one (G, σ²).

    Attributes
    ----------
    G : ndarray, shape (r, r)
    sigma2 : float
    E : ndarray, shape (n, r, r)
        σ⁻²(I − S_iD_i): Z'ΩZ = E S, Z'ΩX = E Z'X.
    Phi, beta, deviance
        As in :class:`~trialmlm.engine.likelihood.Point`.
    rOr : float
        r'Ωr.
    """

    G: Array
    sigma2: float
    E: Array
    Phi: Array
    beta: Array
    deviance: float
    rOr: float


def moments(s: ClusterSummary) -> tuple[Array, float] | None:
    """G and σ² from least squares within each cluster (Swamy 1970); None if too few carry it.

    The coefficients of a cluster scatter by G + σ²S_i⁻¹ around nothing, as X's part is taken out.
    """
    r = s.S.shape[1]
    values = np.linalg.eigvalsh(s.S)
    rich = values[:, 0] > 0.02 * float(values.mean())
    if rich.sum() < 3 * r:
        return None
    inverse = np.linalg.pinv(s.S, hermitian=True)
    b = (inverse @ s.Zy[:, :, None])[:, :, 0]
    left = s.n_observations - float((values > 1e-9 * values.max()).sum())
    sigma2 = (s.yy - float((b * s.Zy).sum())) / left if left > 0.0 else 0.0
    if sigma2 <= 1e-6:
        return None
    G = b[rich].T @ b[rich] / rich.sum() - sigma2 * inverse[rich].mean(axis=0)
    roots, vectors = np.linalg.eigh(G)
    return (vectors * roots.clip(0.01)) @ vectors.T, sigma2


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the derivatives by G are made of, cluster by cluster."""

    T: Array  # Z'ΩZ, n × r × r
    H: Array  # Z'ΩX, n × r × q
    z: Array  # Z'Ωr, n × r
    F: Array  # HΦH', n × r × r


@dataclass(frozen=True)
class ClusterLikelihood(DataLikelihood[ClusterSummary]):
    """REML or ML of V_i = Z_i G Z_i' + σ²I.

    The natural parameters are the lower triangle of G and σ².
    """

    @property
    def r(self) -> int:
        """Random effects per cluster."""
        return int(self.data.S.shape[1])

    @property
    def parameters(self) -> RandomParameters:
        """What the search runs on."""
        return RandomParameters(self.r)

    @property
    def interior(self) -> bool:
        """A variance of zero in G is an estimate."""
        return False

    def starts(self) -> tuple[Array, ...]:
        """The moments where the clusters carry them, then shares of the variance."""
        guess = moments(self.data)
        others = self.parameters.starts()
        return others if guess is None else (self.parameters.start(*guess), *others)

    def evaluate(self, theta: Array) -> ClusterPoint:
        """The point at θ = (Λ, log σ)."""
        s = self.data
        factor = self.parameters.factor(theta)
        G, sigma2 = factor @ factor.T, float(self.parameters.sigma2(theta)[0])
        identity = np.eye(self.r)
        # |I + Λ'SΛ/σ²| is symmetric, and defined for a singular G
        core = identity + factor.T @ s.S @ factor / sigma2
        half = np.linalg.cholesky(core)
        D = factor @ _inverses(core, half) @ factor.T / sigma2
        E = (identity - s.S @ D) / sigma2
        q = s.Xy.size
        # sums over clusters and effects at once, as one product of tall matrices
        DX = (D @ s.ZX).reshape(-1, q)
        XtOX = (np.eye(q) - s.ZX.reshape(-1, q).T @ DX) / sigma2
        XtOy = (s.Xy - DX.T @ s.Zy.ravel()) / sigma2
        yOy = (s.yy - float((s.Zy * (D @ s.Zy[:, :, None])[:, :, 0]).sum())) / sigma2
        root = np.linalg.cholesky((XtOX + XtOX.T) / 2.0)
        inverse = np.linalg.inv(root)
        Phi = inverse.T @ inverse
        beta = Phi @ XtOy
        rOr = yOy - float(XtOy @ beta)
        free = q if self.reml else 0
        deviance = (
            s.n_observations * np.log(sigma2)
            + 2.0 * float(np.log(np.diagonal(half, axis1=1, axis2=2)).sum())
            + rOr
            + (s.n_observations - free) * np.log(2.0 * np.pi)
        )
        if self.reml:
            deviance += 2.0 * float(np.log(np.diag(root)).sum())
        return ClusterPoint(G, sigma2, E, Phi, beta, float(deviance), rOr)

    def search(self, theta: Array, point: ClusterPoint) -> Curve:
        """Derivatives by θ, by the chain rule from those by (G, σ²)."""
        return self.parameters.chain(theta, self.natural(theta, point)[0])

    def condition(self, point: ClusterPoint) -> float:
        """The residual variance, of the scaled data: a zero variance of G is an estimate."""
        return point.sigma2

    def degenerate(self, point: ClusterPoint, control: Control) -> bool:
        """Whether the residual variance vanishes."""
        return point.sigma2 < control.vanishing

    def weakest(self, point: ClusterPoint) -> tuple[int, ...]:
        """Clusters have no visits."""
        del point
        return ()

    def natural(self, theta: Array, point: ClusterPoint) -> tuple[Curve, Array]:
        """Derivatives by the lower triangle of G and by σ²."""
        del theta
        s = self.data
        sums = self._sums(point)
        basis = symmetric_basis(self.r)
        m = len(basis)
        free = point.Phi.shape[0] if self.reml else 0
        sigma = np.append(point.G[lower_indices(self.r)], point.sigma2)
        trace_matrix = sums.T.sum(axis=0) - (sums.F.sum(axis=0) if self.reml else 0.0)
        quad_matrix = sums.z.T @ sums.z
        trace = np.tensordot(basis, trace_matrix, 2)
        quad = np.tensordot(basis, quad_matrix, 2)
        trace = with_sigma2(trace, float(s.n_observations - free), sigma)
        quad = with_sigma2(quad, point.rOr, sigma)
        P = self._P(point, sums, basis, sigma)
        J = contract(basis, sums.T, sums.T - 2.0 * sums.F if self.reml else sums.T)
        if self.reml:
            PhiP = point.Phi @ P[:m]
            J = J + PhiP.reshape(m, -1) @ PhiP.transpose(0, 2, 1).reshape(m, -1).T
        zz = sums.z[:, :, None] * sums.z[:, None, :]
        cross = np.tensordot(sums.H, sums.z, ((0,), (0,)))  # r × q × r: Σ h_a z_b
        c = np.einsum("hab,aqb->hq", basis, cross)
        A = contract(basis, sums.T, zz) - c @ point.Phi @ c.T
        J = bordered((J + J.T) / 2.0, trace, sigma)
        A = bordered((A + A.T) / 2.0, quad, sigma)
        return Curve(trace - quad, 2.0 * A - J, A, J), P

    @property
    def blocks(self) -> tuple[Block, ...]:
        """One."""
        return (Block(0, 0, self.data.K),)

    def singular(self, theta: Array, point: ClusterPoint) -> tuple[bool, ...]:
        """Whether G is singular."""
        del theta
        return (on_boundary(point.G, point.sigma2),)

    def boundary(self, theta: Array, point: ClusterPoint) -> tuple[Array, Array] | None:
        """∂η/∂θ and the curvature of η where G is singular."""
        if not any(self.singular(theta, point)):
            return None
        return self.parameters.jacobian(theta, self.natural(theta, point)[0].g)

    def weighted_Q(self, theta: Array, point: ClusterPoint, W: Array) -> Array:
        """Σ w_hk Q_hk; those with σ² from Σ_k θ_k Q_hk = −P_h."""
        del theta
        sums = self._sums(point)
        basis = symmetric_basis(self.r)
        m = len(basis)
        sigma = np.append(point.G[lower_indices(self.r)], point.sigma2)
        P = self._P(point, sums, basis, sigma)
        EH = np.einsum("hab,nbq->hnaq", basis, sums.H)
        q = sums.H.shape[2]
        left = EH.transpose(0, 3, 1, 2).reshape(m * q, -1)
        right = (sums.T @ EH).transpose(0, 3, 1, 2).reshape(m * q, -1)
        Q = (left @ right.T).reshape(m, q, m, q).transpose(0, 2, 1, 3)
        Q = with_Q_of_sigma2(Q, P, sigma)
        result: Array = np.tensordot(W, Q, 2)
        return result

    def weighted_R(self, theta: Array, point: ClusterPoint, W: Array) -> Array:
        """V is linear in G and the residual variances."""
        del theta, W
        return np.zeros_like(point.Phi)

    def effects(self, point: ClusterPoint) -> ClusterPredictions:
        """Best linear unbiased predictions of the random effects."""
        sums = self._sums(point)
        return cluster_predictions(point, sums.z, sums.H, sums.T - sums.F, self.data.K, self.scale)

    def _sums(self, point: ClusterPoint) -> _Sums:
        s = self.data
        T = point.E @ s.S
        H = point.E @ s.ZX
        z = (point.E @ s.Zy[:, :, None])[:, :, 0] - H @ point.beta
        return _Sums((T + T.transpose(0, 2, 1)) / 2.0, H, z, H @ point.Phi @ H.transpose(0, 2, 1))

    def _P(self, point: ClusterPoint, sums: _Sums, basis: Array, theta: Array) -> Array:
        """P_h of G's entries, and of σ² from Σ θ_h P_h = −X'ΩX."""
        n, r, q = sums.H.shape
        flat = sums.H.transpose(1, 2, 0).reshape(r * q, n)
        Z = (flat @ flat.T).reshape(r, q, r, q).transpose(0, 2, 1, 3)
        P = -np.tensordot(basis, Z, 2)
        return with_P_of_sigma2(P, point.Phi, theta)


def _inverses(core: Array, half: Array) -> Array:
    """The inverse of each matrix; 2 × 2 by its adjugate, where LAPACK is mostly overhead.

    The determinant is taken from the Cholesky factor `half`: it is positive even by rounding.
    """
    if core.shape[-1] != 2:
        return np.asarray(np.linalg.inv(core), dtype=float)
    a, b, d = core[:, 0, 0], core[:, 0, 1], core[:, 1, 1]
    determinant = np.square(half[:, 0, 0] * half[:, 1, 1])
    inverse = np.stack([d, -b, -b, a], axis=-1) / determinant[:, None]
    return inverse.reshape(core.shape)
