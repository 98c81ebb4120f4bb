"""Parameters of random effects and residual variances: the search's, and the natural ones.

The search runs on the Cholesky factor Λ of G, its diagonal free in sign so that a variance of zero
is an interior point, and on the logarithms of the residual SDs. The natural parameters are the
lower triangle of G and the residual variances, in which V is linear. Axes of θ before the last
are fits side by side.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import lower_indices
from trialmlm.engine.likelihood import Curve

if TYPE_CHECKING:
    from trialmlm.arrays import Array

#: a variance below this share of the residual's is zero (an SD of 1e-4, as lme4 judges)
SINGULAR = 1e-8
#: added to the search's Hessian, relatively: Λ of a singular G is determined up to a rotation
_GAUGE = 1e-10


@dataclass(frozen=True, slots=True)
class RandomParameters:
    """r random effects per cluster and so many residual variances.

    Attributes
    ----------
    r, levels : int
    """

    r: int
    levels: int = 1

    def starts(self) -> tuple[Array, ...]:
        """Half of the variance between clusters, spread over the random effects; then less."""
        rows, columns = lower_indices(self.r)
        diagonal = (rows == columns).astype(float)
        return tuple(
            np.append(
                diagonal * np.sqrt(share / self.r), np.full(self.levels, 0.5 * np.log(1.0 - share))
            )
            for share in (0.5, 0.05)
        )

    def start(self, G: Array, sigma2: float) -> Array:
        """θ of a positive definite G and one residual variance."""
        factor = np.linalg.cholesky(G)[lower_indices(self.r)]
        return np.append(factor, np.full(self.levels, 0.5 * np.log(sigma2)))

    def factor(self, theta: Array) -> Array:
        """Λ, r × r."""
        rows, columns = lower_indices(self.r)
        factor = np.zeros((*theta.shape[:-1], self.r, self.r))
        factor[..., rows, columns] = theta[..., : -self.levels]
        return factor

    def sigma2(self, theta: Array) -> Array:
        """Residual variances."""
        variances: Array = np.exp(2.0 * theta[..., -self.levels :])
        return variances

    def jacobian(self, theta: Array, g: Array) -> tuple[Array, Array]:
        """∂η/∂θ (row: θ) of the natural parameters η, and Σ_h g_h ∂²η_h/∂θ²."""
        factor, sigma2 = self.factor(theta), self.sigma2(theta)
        k = self.r * (self.r + 1) // 2
        own = np.arange(k, k + self.levels)
        C, bend = np.zeros((2, *g.shape, g.shape[-1]))
        C[..., own, own], bend[..., own, own] = 2.0 * sigma2, 4.0 * sigma2 * g[..., k:]
        C[..., :k, :k], bend[..., :k, :k] = factor_chain(factor, g[..., :k])
        return C, bend

    def chain(self, theta: Array, natural: Curve) -> Curve:
        """Derivatives by θ from those by the natural parameters."""
        return chained(*self.jacobian(theta, natural.g), natural)


def chained(C: Array, bend: Array, natural: Curve) -> Curve:
    """Derivatives by θ from those by the natural parameters, C = ∂η/∂θ."""
    back = C.swapaxes(-1, -2)
    H = C @ natural.H @ back + bend
    largest = np.abs(np.diagonal(H, axis1=-2, axis2=-1)).max(axis=-1)
    H = H + _GAUGE * largest[..., None, None] * np.eye(H.shape[-1])
    g = (C @ natural.g[..., None])[..., 0]
    return Curve(g, H, C @ natural.A @ back, C @ natural.J @ back)


def on_boundary(G: Array, sigma2: float) -> bool:
    """Whether a combination of the effects has no variance, as far as one can tell."""
    return float(np.linalg.eigvalsh(G)[0]) < SINGULAR * sigma2


def factor_chain(factor: Array, g: Array) -> tuple[Array, Array]:
    """∂G/∂Λ, entry by entry of the lower triangles, and Σ_h g_h ∂²G_h/∂Λ².

    Parameters
    ----------
    factor : ndarray, shape (…, r, r)
        Λ.
    g : ndarray, shape (…, r(r + 1)/2)
        Derivatives by the lower triangle of G.
    """
    rows, columns = lower_indices(factor.shape[-1])
    h = np.arange(rows.size)
    half = np.zeros((*factor.shape[:-2], rows.size, *factor.shape[-2:]))
    half[..., h, rows, :] = factor.swapaxes(-1, -2)[..., columns, :]
    dG = half + half.swapaxes(-1, -2)
    Gamma = np.zeros_like(factor)
    weight = np.where(rows == columns, 1.0, 0.5)
    Gamma[..., rows, columns] = Gamma[..., columns, rows] = g * weight
    bend = 2.0 * Gamma[..., rows[:, None], rows] * (columns[:, None] == columns)
    return dG[..., rows, columns], bend
