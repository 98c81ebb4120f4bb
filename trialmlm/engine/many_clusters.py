"""The likelihoods of many responses with random effects by cluster, side by side.

As :mod:`~trialmlm.engine.clusters` has them of one: V_i = Z_i G Z_i' + σ²I, E_i = σ⁻²(I − S_iD_i),
D_i = G(σ²I + S_iG)⁻¹. Arrays of clusters have the entries of a matrix first, r × r × D × n.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import lower_indices, symmetric_basis
from trialmlm.engine.euler import bordered, with_P_of_sigma2, with_sigma2
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.random_parameters import RandomParameters
from trialmlm.engine.side_by_side import cholesky, inverses

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.many_responses import Responses


@dataclass(frozen=True, slots=True)
class ManyPoints:
    """The likelihoods at a (G, σ²) each.

    Attributes
    ----------
    sigma : ndarray, shape (D, m + 1)
        The lower triangle of G, and σ².
    E : ndarray, shape (r, r, D, n)
    Phi : ndarray, shape (D, q, q)
        (X'ΩX)⁻¹.
    beta : ndarray, shape (D, q)
    deviance : ndarray, shape (D,)
        −2l but for constants.
    rOr : ndarray, shape (D,)
        r'Ωr.
    """

    sigma: Array
    E: Array
    Phi: Array
    beta: Array
    deviance: Array
    rOr: Array

    def among(self, some: BoolArray) -> ManyPoints:
        """Some of them."""
        own = (self.Phi, self.beta, self.deviance, self.rOr)
        return ManyPoints(self.sigma[some], self.E[:, :, some], *(part[some] for part in own))


@dataclass(frozen=True, slots=True)
class ManyClusters:
    """REML or ML of many responses.

    Attributes
    ----------
    data : Responses
    reml : bool
    """

    data: Responses
    reml: bool

    @property
    def parameters(self) -> RandomParameters:
        """What the search runs on."""
        return RandomParameters(self.data.rows.r)

    def among(self, some: IntArray) -> ManyClusters:
        """Those of some of the responses."""
        return ManyClusters(self.data.among(some), self.reml)

    def evaluate(self, theta: Array) -> ManyPoints:
        """The points at θ = (Λ, log σ), a row each.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a matrix is not positive definite.
        """
        data, rows = self.data, self.data.rows
        low = lower_indices(rows.r)
        factor = self.parameters.factor(theta)
        sigma2 = self.parameters.sigma2(theta)[:, 0]
        F = np.moveaxis(factor, 0, -1)[..., None]
        each = sigma2[:, None]
        identity = np.eye(rows.r)[:, :, None, None]
        # |I + Λ'SΛ/σ²| is symmetric, and defined for a singular G
        half = cholesky(identity + congruent(F, rows.S[:, :, None]) / each)
        D = congruent(F.swapaxes(0, 1), inverses(half)) / each
        E = (identity - product(rows.S[:, :, None], D)) / each
        DZy = data.counted(applied(D, data.Zy))
        XtOX = (data.XX - rows.weighted(data.counted(D[low]))) / sigma2[:, None, None]
        XtOy = (data.Xy - rows.projected(DZy)) / each
        yOy = (data.yy - (data.Zy * DZy).sum(axis=(0, 2))) / sigma2
        root = np.linalg.cholesky((XtOX + XtOX.swapaxes(1, 2)) / 2.0)
        inverse = np.linalg.inv(root)
        Phi = inverse.swapaxes(1, 2) @ inverse
        beta = (Phi @ XtOy[:, :, None])[:, :, 0]
        rOr = yOy - (XtOy * beta).sum(axis=1)
        deviance = data.n_observations * np.log(sigma2) + rOr
        deviance += 2.0 * data.counted(np.log(np.einsum("aadn->adn", half))).sum(axis=(0, 2))
        if self.reml:
            deviance += 2.0 * np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
        G = (factor @ factor.swapaxes(1, 2))[:, *low]
        sigma = np.concatenate([G, each], axis=1)
        return ManyPoints(sigma, E, Phi, beta, deviance, rOr)

    def search(self, theta: Array, at: ManyPoints) -> Curve:
        """Derivatives by θ, with a leading axis."""
        return self.parameters.chain(theta, self.natural(at)[0])

    def natural(self, at: ManyPoints) -> tuple[Curve, Array]:
        """Derivatives by the lower triangle of G and σ², with a leading axis; P, D × m × q × q."""
        data, rows, E = self.data, self.data.rows, at.E
        basis = symmetric_basis(rows.r)
        T = product(E, rows.S[:, :, None])
        T = (T + T.swapaxes(0, 1)) / 2.0
        F = product(product(E, rows.inner(at.Phi)), E.swapaxes(0, 1))
        z = applied(E, data.Zy - rows.fitted(at.beta))
        zz, own = z[:, None] * z, data.counted(T)
        free = at.Phi.shape[1] if self.reml else 0
        traced = (own - data.counted(F) if self.reml else own).sum(axis=3)
        trace = with_sigma2(_along(basis, traced), data.n_observations - free, at.sigma)
        quad = with_sigma2(_along(basis, data.counted(zz).sum(axis=3)), at.rOr, at.sigma)
        P = with_P_of_sigma2(self._P(E), at.Phi, at.sigma)
        J: Array = _contract(basis, own, T - 2.0 * F if self.reml else T)
        if self.reml:
            PhiP = at.Phi[:, None] @ P[:, :-1]
            m = len(basis)
            J = J + PhiP.reshape(-1, m, rows.rank**2) @ _turned(PhiP).swapaxes(1, 2)
        c = self._c(E, z, basis)
        A: Array = _contract(basis, own, zz) - c @ at.Phi @ c.swapaxes(1, 2)
        J = bordered((J + J.swapaxes(1, 2)) / 2.0, trace, at.sigma)
        A = bordered((A + A.swapaxes(1, 2)) / 2.0, quad, at.sigma)
        return Curve(trace - quad, 2.0 * A - J, A, J), P

    def _c(self, E: Array, z: Array, basis: Array) -> Array:
        """c_h = Σ_i X_i'ΩZ_i E_h Z_i'Ωr, D × m × q."""
        data, back = self.data, E.swapaxes(0, 1)
        own = (data.counted(applied(back, np.tensordot(e, z, 1))) for e in basis)
        return np.stack([data.rows.projected(part) for part in own], axis=1)

    def _P(self, E: Array) -> Array:
        """P_h = −X'ΩZ E_h Z'ΩX of G's entries, D × m × q × q."""
        low = lower_indices(len(E))
        found = []
        for e, f in zip(*low, strict=True):
            W = E[e][low[0]] * E[f][low[1]]
            if e != f:
                W += E[f][low[0]] * E[e][low[1]]
            found.append(-self.data.rows.weighted(self.data.counted(W)))
        return np.stack(found, axis=1)


def product(A: Array, B: Array) -> Array:
    """AB of each, entries first."""
    found: Array = np.einsum("ab...,bc...->ac...", A, B)
    return found


def applied(A: Array, v: Array) -> Array:
    """Av of each, entries first."""
    found: Array = np.einsum("ab...,b...->a...", A, v)
    return found


def congruent(F: Array, A: Array) -> Array:
    """F'AF of each, entries first."""
    return product(F.swapaxes(0, 1), product(A, F))


def _turned(M: Array) -> Array:
    """Transposes of D × m × q × q as rows, D × m × q²."""
    return M.swapaxes(2, 3).reshape(*M.shape[:2], -1)


def _along(basis: Array, M: Array) -> Array:
    """tr(E_h M) of r × r × D, D × m."""
    found: Array = np.tensordot(M, basis, ((0, 1), (1, 2)))
    return found


def _contract(basis: Array, A: Array, W: Array) -> Array:
    """Σ_i tr(E_h A_i E_k W_i) of r × r × D × n, D × m × m."""
    r, _, D, n = A.shape
    left = A.reshape(r * r, D, n).swapaxes(0, 1)
    products = left @ W.reshape(r * r, D, n).transpose(1, 2, 0)
    # [b, c, e, a] = Σ_i A_i[b, c] W_i[e, a];  tr(E A E' W) = Σ E[a, b] A[b, c] E'[c, e] W[e, a]
    tensor = products.reshape(D, r, r, r, r).transpose(0, 4, 1, 2, 3).reshape(D, r * r, r * r)
    flat = basis.reshape(len(basis), r * r)
    found: Array = flat @ tensor @ flat.T
    return found
