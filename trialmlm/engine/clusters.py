"""Random effects with times of their own: every cluster is its own pattern.

V_i = Z_i G Z_i' + σ²I. Nothing of size n_i is kept: with S_i = Z_i'Z_i the Woodbury identity gives
Ω_i = σ⁻²(I − Z_i D_i Z_i'), D_i = G(σ²I + S_iG)⁻¹, so that Z'ΩZ, Z'ΩX and Z'Ωr follow from the
r × r, r × q and r cross-products of the cluster. These stand with the clusters last, r × r × n: a
step is a pass over n numbers side by side. Only derivatives by G are summed; those by σ²
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
from trialmlm.engine.objective import contracted
from trialmlm.engine.predicted_effects import ClusterPredictions, cluster_predictions
from trialmlm.engine.random_parameters import RandomParameters, on_boundary
from trialmlm.engine.side_by_side import cholesky, congruent, inverses
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
    S : ndarray, shape (r, r, n)
        Z'Z.
    ZX : ndarray, shape (r, q, n)
    Zy : ndarray, shape (r, n)
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
    own, K = orthonormal_effects(Z)
    columns = np.ascontiguousarray(own.T)
    return ClusterSummary(
        S=_products(columns, columns, first),
        ZX=_products(columns, np.ascontiguousarray(rows.Q.T), first),
        Zy=_products(columns, rows.y[None], first)[:, 0],
        Xy=rows.Q.T @ rows.y,
        yy=float(rows.y @ rows.y),
        n_observations=y.size,
        basis=rows.basis,
        offset=rows.offset,
        scale=rows.scale,
        K=K,
    )


def _products(left: Array, right: Array, first: IntArray) -> Array:
    """Sums over each cluster of the products of two sets of columns, a × N and b × N."""
    found = np.empty((len(left), len(right), len(first)))
    for a, b in np.ndindex(len(left), len(right)):
        found[a, b] = np.add.reduceat(left[a] * right[b], first)
    return found


@dataclass(frozen=True, slots=True)
class ClusterPoint:
    """The likelihood at one (G, σ²).

    Attributes
    ----------
    G : ndarray, shape (r, r)
    sigma2 : float
    E : ndarray, shape (r, r, n)
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
    r = len(s.S)
    values, vectors = np.linalg.eigh(np.ascontiguousarray(s.S.transpose(2, 0, 1)))
    rich = values[:, 0] > 0.02 * float(values.mean())
    if rich.sum() < 3 * r:
        return None
    carried = values > 1e-9 * values.max()
    inverse = (vectors * (carried / np.where(carried, values, 1.0))[:, None, :]) @ vectors.swapaxes(
        1, 2
    )
    b = (inverse @ s.Zy.T[:, :, None])[:, :, 0]
    left = s.n_observations - float(carried.sum())
    sigma2 = (s.yy - float((b * s.Zy.T).sum())) / left if left > 0.0 else 0.0
    if sigma2 <= 1e-6:
        return None
    G = b[rich].T @ b[rich] / rich.sum() - sigma2 * inverse[rich].mean(axis=0)
    roots, vectors = np.linalg.eigh(G)
    return (vectors * roots.clip(0.01)) @ vectors.T, sigma2


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the derivatives by G are made of, cluster by cluster."""

    T: Array  # Z'ΩZ, r × r × n
    H: Array  # Z'ΩX, r × q × n
    z: Array  # Z'Ωr, r × n
    F: Array  # HΦH', r × r × n


@dataclass(frozen=True)
class ClusterLikelihood(DataLikelihood[ClusterSummary]):
    """REML or ML of V_i = Z_i G Z_i' + σ²I.

    The natural parameters are the lower triangle of G and σ².
    """

    @property
    def r(self) -> int:
        """Random effects per cluster."""
        return len(self.data.S)

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
        identity = np.eye(self.r)[:, :, None]
        # |I + Λ'SΛ/σ²| is symmetric, and defined for a singular G
        half = cholesky(identity + congruent(factor, s.S) / sigma2)
        D = congruent(factor.T, inverses(half)) / sigma2
        E = (identity - np.einsum("abn,bcn->acn", s.S, D)) / sigma2
        q = s.Xy.size
        DX = np.einsum("abn,bqn->aqn", D, s.ZX)
        XtOX = (np.eye(q) - (s.ZX @ DX.swapaxes(1, 2)).sum(axis=0)) / sigma2
        XtOy = (s.Xy - np.einsum("aqn,an->q", DX, s.Zy)) / sigma2
        yOy = (s.yy - float(np.vdot(s.Zy, np.einsum("abn,bn->an", D, s.Zy)))) / sigma2
        root = np.linalg.cholesky((XtOX + XtOX.T) / 2.0)
        inverse = np.linalg.inv(root)
        Phi = inverse.T @ inverse
        beta = Phi @ XtOy
        rOr = yOy - float(XtOy @ beta)
        free = q if self.reml else 0
        deviance = (
            s.n_observations * np.log(sigma2)
            + 2.0 * float(np.log(np.einsum("aan->an", half)).sum())
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
        trace_matrix = sums.T.sum(axis=2) - (sums.F.sum(axis=2) if self.reml else 0.0)
        quad_matrix = sums.z @ sums.z.T
        trace: Array = basis.reshape(m, -1) @ trace_matrix.ravel()
        quad: Array = basis.reshape(m, -1) @ quad_matrix.ravel()
        trace = with_sigma2(trace, float(s.n_observations - free), sigma)
        quad = with_sigma2(quad, point.rOr, sigma)
        P = self._P(point, sums, basis, sigma)
        J = _contract(basis, sums.T, sums.T - 2.0 * sums.F if self.reml else sums.T)
        if self.reml:
            PhiP = point.Phi @ P[:m]
            J = J + PhiP.reshape(m, -1) @ PhiP.transpose(0, 2, 1).reshape(m, -1).T
        zz = sums.z[:, None] * sums.z
        cross = sums.H @ sums.z.T  # r × q × r: Σ h_a z_b
        c = np.einsum("hab,aqb->hq", basis, cross)
        A = _contract(basis, sums.T, zz) - c @ point.Phi @ c.T
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
        EH = np.einsum("hab,bqn->haqn", basis, sums.H)
        q = sums.H.shape[1]
        left = EH.swapaxes(1, 2).reshape(m * q, -1)
        right = np.einsum("abn,hbqn->hqan", sums.T, EH).reshape(m * q, -1)
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
        H, inner = sums.H.transpose(2, 0, 1), (sums.T - sums.F).transpose(2, 0, 1)
        return cluster_predictions(point, sums.z.T, H, inner, self.data.K, self.scale)

    def _sums(self, point: ClusterPoint) -> _Sums:
        s, E = self.data, point.E
        T = np.einsum("abn,bcn->acn", E, s.S)
        H = np.einsum("abn,bqn->aqn", E, s.ZX)
        z = np.einsum("abn,bn->an", E, s.Zy) - np.einsum("aqn,q->an", H, point.beta)
        F = np.einsum("aqn,bqn->abn", point.Phi @ H, H)
        return _Sums((T + T.swapaxes(0, 1)) / 2.0, H, z, F)

    def _P(self, point: ClusterPoint, sums: _Sums, basis: Array, theta: Array) -> Array:
        """P_h of G's entries, and of σ² from Σ θ_h P_h = −X'ΩX."""
        r, q, n = sums.H.shape
        flat = sums.H.reshape(r * q, n)
        Z = (flat @ flat.T).reshape(r, q, r, q).transpose(0, 2, 1, 3)
        P: Array = -(basis.reshape(-1, r * r) @ Z.reshape(r * r, q * q)).reshape(-1, q, q)
        return with_P_of_sigma2(P, point.Phi, theta)


def _contract(basis: Array, A: Array, W: Array) -> Array:
    """Σ_i tr(E_h A_i E_k W_i), m × m, of matrices r × r × n."""
    r, _, n = A.shape
    return contracted(basis, A.reshape(r * r, n) @ W.reshape(r * r, n).T)
