"""Responses drawn from a fitted mixed model, its parameters taken as they were estimated."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.models.levels import levels_of, residual_of_rows

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.models.lmm_fit import LmmFit


def draw_response(fit: LmmFit, rng: np.random.Generator) -> Array:
    """A response for each row used: Xβ̂, a draw of every random effect, and of the residual."""
    values = fit.fitted + np.sqrt(residual_of_rows(fit)) * rng.standard_normal(fit.n_obs)
    for level in levels_of(fit):
        # G may be singular: its root is taken by its eigenvectors
        roots, vectors = np.linalg.eigh(level.G)
        factor = vectors * np.sqrt(roots.clip(0.0))
        b = rng.standard_normal(level.blup.shape) @ factor.T
        values = values + (level.Z * b[level.codes]).sum(axis=1)
    return values
