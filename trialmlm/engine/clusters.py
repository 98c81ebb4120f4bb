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
from trialmlm.engine.basis import Basis, basis_of
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.objective import contract

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.optimize import Control


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
    N = y.size
    basis = basis_of(X)
    Q = X[:, basis.kept] @ basis.R_inverse
    offset, residual = np.zeros(Q.shape[1]), y
    for _ in range(2):  # the second round repairs the rounding of the first
        step = Q.T @ residual
        offset, residual = offset + step, residual - Q @ step
    scale = float(np.sqrt(residual @ residual / max(1, N - Q.shape[1])))
    residual = residual / scale if scale > 0.0 else residual
    K = np.linalg.qr(Z).R / np.sqrt(N)
    Z = Z @ np.linalg.inv(K)
    return ClusterSummary(
        S=np.add.reduceat(Z[:, :, None] * Z[:, None, :], first),
        ZX=np.add.reduceat(Z[:, :, None] * Q[:, None, :], first),
        Zy=np.add.reduceat(Z * residual[:, None], first),
        Xy=Q.T @ residual,
        yy=float(residual @ residual),
        n_observations=N,
        basis=basis,
        offset=offset,
        scale=scale,
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


@dataclass(frozen=True, slots=True)
class _Sums:
    """What the derivatives by G are made of, cluster by cluster."""

    T: Array  # Z'ΩZ, n × r × r
    H: Array  # Z'ΩX, n × r × q
    z: Array  # Z'Ωr, n × r
    F: Array  # HΦH', n × r × r


@dataclass(frozen=True, slots=True)
class ClusterLikelihood:
    """REML or ML of V_i = Z_i G Z_i' + σ²I.

    The search runs on the Cholesky factor of G (its diagonal free in sign, so that a variance of
    zero is an interior point) and log σ; the natural parameters are the lower triangle of G and σ².
    """

    summary: ClusterSummary
    reml: bool

    @property
    def basis(self) -> Basis:
        """Of the fixed effects."""
        return self.summary.basis

    @property
    def offset(self) -> Array:
        """Least-squares coefficients taken out of y beforehand."""
        return self.summary.offset

    @property
    def scale(self) -> float:
        """What y's residual was divided by."""
        return self.summary.scale

    @property
    def n_observations(self) -> int:
        """N."""
        return self.summary.n_observations

    @property
    def r(self) -> int:
        """Random effects per cluster."""
        return int(self.summary.S.shape[1])

    def starts(self) -> tuple[Array, ...]:
        """Half of the variance between clusters, spread over the random effects; then less."""
        rows, columns = lower_indices(self.r)
        diagonal = (rows == columns).astype(float)
        return tuple(
            np.append(diagonal * np.sqrt(share / self.r), 0.5 * np.log(1.0 - share))
            for share in (0.5, 0.05)
        )

    def evaluate(self, theta: Array) -> ClusterPoint:
        """The point at θ = (Λ, log σ)."""
        s = self.summary
        factor = self._factor(theta)
        G, sigma2 = factor @ factor.T, float(np.exp(2.0 * theta[-1]))
        identity = np.eye(self.r)
        # |I + Λ'SΛ/σ²| is symmetric, and defined for a singular G
        core = identity + factor.T @ s.S @ factor / sigma2
        half = np.linalg.cholesky(core)
        D = factor @ np.linalg.solve(core, np.broadcast_to(factor.T, core.shape)) / sigma2
        E = (identity - s.S @ D) / sigma2
        DX = D @ s.ZX
        q = s.Xy.size
        XtOX = (np.eye(q) - np.tensordot(s.ZX, DX, ((0, 1), (0, 1)))) / sigma2
        XtOy = (s.Xy - np.tensordot(DX, s.Zy, ((0, 1), (0, 1)))) / sigma2
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
        natural, _ = self.natural(point)
        factor = self._factor(theta)
        rows, columns = lower_indices(self.r)
        k = rows.size
        half = np.zeros((k, self.r, self.r))
        half[np.arange(k), rows] = factor.T[columns]
        dG = half + half.transpose(0, 2, 1)
        C = np.zeros((k + 1, k + 1))
        C[:k, :k] = dG[:, rows, columns]
        C[k, k] = 2.0 * point.sigma2
        Gamma = np.zeros((self.r, self.r))
        weight = np.where(rows == columns, 1.0, 0.5)
        Gamma[rows, columns] = Gamma[columns, rows] = natural.g[:k] * weight
        bend = np.zeros((k + 1, k + 1))
        bend[:k, :k] = 2.0 * Gamma[np.ix_(rows, rows)] * (columns[:, None] == columns)
        bend[k, k] = 4.0 * point.sigma2 * natural.g[k]
        return Curve(
            C @ natural.g,
            C @ natural.H @ C.T + bend,
            C @ natural.A @ C.T,
            C @ natural.J @ C.T,
        )

    def condition(self, point: ClusterPoint) -> float:
        """The residual variance, of the scaled data: a zero variance of G is an estimate."""
        return point.sigma2

    def degenerate(self, point: ClusterPoint, control: Control) -> bool:
        """Whether the residual variance vanishes."""
        return point.sigma2 < control.vanishing

    def natural(self, point: ClusterPoint) -> tuple[Curve, Array]:
        """Derivatives by the lower triangle of G and by σ²."""
        s = self.summary
        sums = self._sums(point)
        basis = symmetric_basis(self.r)
        m = len(basis)
        free = point.Phi.shape[0] if self.reml else 0
        theta = np.append(point.G[lower_indices(self.r)], point.sigma2)
        trace_matrix = sums.T.sum(axis=0) - (sums.F.sum(axis=0) if self.reml else 0.0)
        quad_matrix = sums.z.T @ sums.z
        trace = np.tensordot(basis, trace_matrix, 2)
        quad = np.tensordot(basis, quad_matrix, 2)
        trace = _with_sigma2(trace, float(s.n_observations - free), theta)
        quad = _with_sigma2(quad, point.rOr, theta)
        P = self._P(point, sums, basis, theta)
        J = contract(basis, sums.T, sums.T - 2.0 * sums.F if self.reml else sums.T)
        if self.reml:
            PhiP = point.Phi @ P[:m]
            J = J + PhiP.reshape(m, -1) @ PhiP.transpose(0, 2, 1).reshape(m, -1).T
        zz = sums.z[:, :, None] * sums.z[:, None, :]
        cross = np.tensordot(sums.H, sums.z, ((0,), (0,)))  # r × q × r: Σ h_a z_b
        c = np.einsum("hab,aqb->hq", basis, cross)
        A = contract(basis, sums.T, zz) - c @ point.Phi @ c.T
        J = _bordered((J + J.T) / 2.0, trace, theta)
        A = _bordered((A + A.T) / 2.0, quad, theta)
        return Curve(trace - quad, 2.0 * A - J, A, J), P

    def weighted_Q(self, point: ClusterPoint, W: Array) -> Array:
        """Σ w_hk Q_hk; those with σ² from Σ_k θ_k Q_hk = −P_h."""
        sums = self._sums(point)
        basis = symmetric_basis(self.r)
        m = len(basis)
        theta = np.append(point.G[lower_indices(self.r)], point.sigma2)
        P = self._P(point, sums, basis, theta)
        EH = np.einsum("hab,nbq->hnaq", basis, sums.H)
        q = sums.H.shape[2]
        left = EH.transpose(0, 3, 1, 2).reshape(m * q, -1)
        right = (sums.T @ EH).transpose(0, 3, 1, 2).reshape(m * q, -1)
        Q = np.zeros((m + 1, m + 1, q, q))
        Q[:m, :m] = (left @ right.T).reshape(m, q, m, q).transpose(0, 2, 1, 3)
        for h in range(m):
            Q[h, m] = (-P[h] - np.tensordot(theta[:m], Q[h, :m], 1)) / point.sigma2
            Q[m, h] = Q[h, m].T
        Q[m, m] = (-P[m] - np.tensordot(theta[:m], Q[m, :m], 1)) / point.sigma2
        result: Array = np.tensordot(W, Q, 2)
        return result

    def effects(self, point: ClusterPoint) -> tuple[Array, Array]:
        """BLUPs Ĝ Z'Ωr of every cluster (n × r) and their prediction-error variances (n × r × r).

        The variance is of b̂ − b and includes that of β̂ (Henderson 1975).
        """
        sums = self._sums(point)
        blup = sums.z @ point.G
        GT = point.G @ (sums.T - sums.F) @ point.G
        variance = point.G - GT
        back = np.linalg.inv(self.summary.K)
        scaled = back @ variance @ back.T * self.scale**2
        return blup @ back.T * self.scale, scaled

    def covariance_of_effects(self, point: ClusterPoint) -> Array:
        """Ĝ in the units of the data, r × r."""
        back = np.linalg.inv(self.summary.K)
        G: Array = back @ point.G @ back.T * self.scale**2
        return G

    def _factor(self, theta: Array) -> Array:
        factor = np.zeros((self.r, self.r))
        factor[lower_indices(self.r)] = theta[:-1]
        return factor

    def _sums(self, point: ClusterPoint) -> _Sums:
        s = self.summary
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
        own = (-np.linalg.inv(point.Phi) - np.tensordot(theta[:-1], P, 1)) / point.sigma2
        return np.concatenate([P, own[None]])


def _with_sigma2(parts: Array, total: float, theta: Array) -> Array:
    """Append the part of σ², as Σ θ_h part_h = total."""
    return np.append(parts, (total - float(theta[:-1] @ parts)) / theta[-1])


def _bordered(inner: Array, products: Array, theta: Array) -> Array:
    """Append σ²'s row and column, as Σ_k θ_k M_hk = products_h."""
    m = len(inner)
    full = np.zeros((m + 1, m + 1))
    full[:m, :m] = inner
    full[:m, m] = full[m, :m] = (products[:m] - inner @ theta[:m]) / theta[m]
    full[m, m] = (products[m] - full[m, :m] @ theta[:m]) / theta[m]
    return full
