"""What many reweighted data sets no longer determine."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.many_points import information

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.many_sums import Sums
    from trialmlm.engine.summary import Summary

#: a direction of X whose share in the rows left is smaller than this is lost
LEAST_SHARE = 1e-10
#: a coefficient is touched by a lost direction from this share of its own size
TOUCHED = 1e-7


def coefficients_lost(summary: Summary, sums: Sums) -> BoolArray:
    """Columns of X, D × p, that a direction without rows touches: X̃'X̃ = I over all subjects."""
    basis = summary.basis
    shares = information(summary, sums, (summary.together * np.eye(summary.n_visits))[None])
    found = np.zeros((len(shares), basis.n_columns), dtype=bool)
    size = np.linalg.norm(basis.R_inverse, axis=1)
    for d in np.flatnonzero(np.linalg.eigvalsh(shares)[:, 0] < LEAST_SHARE):
        values, vectors = np.linalg.eigh(shares[d])
        moved = np.abs(basis.R_inverse @ vectors[:, values < LEAST_SHARE])
        found[d, basis.kept] = (moved > TOUCHED * size[:, None]).any(axis=1)
    return found


def parameters_lost(summary: Summary, sums: Sums, tangents: Sequence[Array]) -> BoolArray:
    """Natural parameters, D × m, that move only entries of Σ of which nobody has both visits.

    Parameters
    ----------
    summary : Summary
    sums : Sums
    tangents : sequence of ndarray, shape (m, T, T)
        ∂Σ of each group by the parameters of all groups.
    """
    together = summary.together.reshape(len(summary.visits), -1).astype(float)
    lost = np.zeros((len(sums.n), len(tangents[0])), dtype=bool)
    for group, tangent in zip(summary.groups, tangents, strict=True):
        moves = (tangent != 0.0).reshape(len(tangent), -1).astype(float)
        informed = (sums.n[:, group] @ together[group] > 0.0).astype(float) @ moves.T
        lost |= (informed == 0.0) & (moves.sum(axis=1) > 0.0)
    return lost
