"""Search parameters as a saved fit holds them: of an unstructured Σ the log-Cholesky factor's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.unstructured import Unstructured, lower_indices

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance


def to_file(families: Sequence[Covariance], theta: Array) -> Array:
    """θ of every group, one after the other, as files of format 1 have it."""
    return _each(families, theta, 1.0)


def from_file(families: Sequence[Covariance], theta: Array) -> Array:
    """The search's θ."""
    return _each(families, theta, -1.0)


def _each(families: Sequence[Covariance], theta: Array, power: float) -> Array:
    parts = theta.reshape(len(families), -1)
    pairs = zip(families, parts, strict=True)
    return np.concatenate([_scaled(family, part, power) for family, part in pairs])


def _scaled(family: Covariance, theta: Array, power: float) -> Array:
    """Λ_ij = L_ij D_j below the diagonal; the logarithms on it are the same."""
    if not isinstance(family, Unstructured):
        return theta
    rows, columns = lower_indices(family.n_visits)
    log_sd = theta[rows == columns]
    scaled: Array = np.where(rows == columns, theta, theta * np.exp(power * log_sd[columns]))
    return scaled
