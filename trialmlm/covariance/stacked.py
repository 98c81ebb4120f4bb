"""One family at many θ: Σ of each, and how a function of Σ changes along each θ."""

from __future__ import annotations

from functools import singledispatch
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.covariance.unstructured import Unstructured, lower_indices

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@singledispatch
def sigmas(family: Any, theta: Array) -> Array:
    """Σ(θ) of every row, … × k in, … × T × T out."""
    rows = [family.sigma(row) for row in theta.reshape(-1, theta.shape[-1])]
    return np.stack(rows).reshape(*theta.shape[:-1], *rows[0].shape)


@singledispatch
def slopes(family: Any, theta: Array, G: Array) -> Array:
    """⟨∂Σ/∂θ_h, G⟩ of every row: … × k and symmetric … × T × T in, … × k out."""
    pairs = zip(theta.reshape(-1, theta.shape[-1]), G.reshape(-1, *G.shape[-2:]), strict=True)
    rows = [np.tensordot(family.jacobian(row), own, 2) for row, own in pairs]
    return np.stack(rows).reshape(theta.shape)


@sigmas.register(Unstructured)
def _(family: Unstructured, theta: Array) -> Array:
    factor, _ = _factors(family, theta)
    return factor @ factor.swapaxes(-1, -2)


@slopes.register(Unstructured)
def _(family: Unstructured, theta: Array, G: Array) -> Array:
    """A coefficient: 2 d_j (GΛ)[i, j]; a log SD: 2 (Λ'GΛ)[j, j]."""
    rows, columns = lower_indices(family.n_visits)
    factor, sd = _factors(family, theta)
    GF = G @ factor
    found = 2.0 * (sd[..., None, :] * GF)[..., rows, columns]
    found[..., rows == columns] = 2.0 * (factor * GF).sum(axis=-2)
    return np.ascontiguousarray(found)  # an index of places leaves the axes in another order


def _factors(family: Unstructured, theta: Array) -> tuple[Array, Array]:
    """Λ and D of every θ."""
    T = family.n_visits
    rows, columns = lower_indices(T)
    sd = np.exp(theta[..., rows == columns])
    L = np.zeros((*theta.shape[:-1], T, T))
    L[..., rows, columns] = np.where(rows == columns, 1.0, theta)
    return L * sd[..., None, :], sd
