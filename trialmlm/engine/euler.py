"""Derivatives by σ² from those by the rest: V = Σ θ_h ∂_hV where V is linear in its parameters.

Axes before those named are fits side by side.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array


def with_sigma2(parts: Array, total: Array | float, theta: Array) -> Array:
    """Append the part of σ², as Σ θ_h part_h = total."""
    own = (total - (theta[..., :-1] * parts).sum(axis=-1)) / theta[..., -1]
    return np.concatenate([parts, own[..., None]], axis=-1)


def bordered(inner: Array, products: Array, theta: Array) -> Array:
    """Append σ²'s row and column, as Σ_k θ_k M_hk = products_h."""
    m = inner.shape[-1]
    full = np.zeros((*inner.shape[:-2], m + 1, m + 1))
    full[..., :m, :m] = inner
    side = products[..., :m] - (inner @ theta[..., :m, None])[..., 0]
    side = side / theta[..., m:]
    full[..., :m, m] = full[..., m, :m] = side
    full[..., m, m] = (products[..., m] - (side * theta[..., :m]).sum(axis=-1)) / theta[..., m]
    return full


def with_P_of_sigma2(P: Array, Phi: Array, theta: Array) -> Array:
    """Append σ²'s P, as Σ θ_h P_h = −X'ΩX."""
    weighted = (theta[..., :-1, None, None] * P).sum(axis=-3)
    own = (-np.linalg.inv(Phi) - weighted) / theta[..., -1:, None]
    return np.concatenate([P, own[..., None, :, :]], axis=-3)


def with_Q_of_sigma2(Q: Array, P: Array, theta: Array) -> Array:
    """Append σ²'s row and column of Q (m × m × q × q), as Σ_k θ_k Q_hk = −P_h."""
    m, q = len(Q), P.shape[-1]
    full = np.zeros((m + 1, m + 1, q, q))
    full[:m, :m] = Q
    for h in range(m):
        full[h, m] = (-P[h] - np.tensordot(theta[:m], Q[h], 1)) / theta[m]
        full[m, h] = full[h, m].T
    full[m, m] = (-P[m] - np.tensordot(theta[:m], full[m, :m], 1)) / theta[m]
    return full
