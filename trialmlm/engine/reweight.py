"""The same summary with each subject counted otherwise: left out, or drawn several times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.summary import least_squares_residual, orthonormal_subjects, roots_of

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.design import Design
    from trialmlm.engine.summary import Summary


@dataclass(frozen=True, slots=True)
class Subjects:
    """What each subject adds to a summary, in the summary's own basis and units.

    Attributes
    ----------
    U : ndarray, shape (n, s)
    Y : ndarray, shape (n, T)
        0 where not observed.
    observed : ndarray of bool, shape (n, T)
    pattern : ndarray of int, shape (n,)
    log_weights : ndarray, shape (n,)
        Σ log w of each.
    """

    U: Array
    Y: Array
    observed: BoolArray
    pattern: IntArray
    log_weights: Array

    @classmethod
    def of(cls, design: Design, summary: Summary) -> Subjects:
        """Of the design that was summed up."""
        weighted = design.weighted()
        U, _ = orthonormal_subjects(weighted)
        Y, _ = least_squares_residual(U, summary.B, weighted.Y, weighted.observed)
        root = np.where(design.observed, design.root_weights, 1.0)
        log_weights = 2.0 * np.log(root).sum(axis=1)
        return cls(U, Y / summary.scale, design.observed, summary.pattern, log_weights)

    def rows(self, summary: Summary, i: int) -> Array:
        """X̃_i, the rows of subject i in the basis, visits observed × q."""
        at = self.observed[i]
        found: Array = summary.B[at] @ self.U[i]
        return found


def reweighted(summary: Summary, subjects: Subjects, counts: IntArray) -> Summary:
    """The summary in which subject i counts ``counts[i]`` times: for the bootstrap and its like.

    Parameters
    ----------
    summary : Summary
    subjects : Subjects
        Of the same design.
    counts : ndarray of int, shape (n,)
        0 or more.

    Returns
    -------
    Summary
        In the same basis, offset and scale, so that θ and β stay comparable; −2l is that of the
        data so counted. Whether its X still has full rank is for the caller to know.
    """
    weights = counts.astype(float)
    pieces = [np.flatnonzero(subjects.pattern == p) for p in range(len(summary.visits))]
    sizes = np.array([weights[p].sum() for p in pieces])
    U, Y = subjects.U, subjects.Y
    left = weights[:, None] * U
    M = np.stack([left[p].T @ U[p] for p in pieces])
    root, root_pattern = roots_of(M)
    return replace(
        summary,
        n=sizes,
        M=M,
        N=np.stack([left[p].T @ Y[p] for p in pieces]),
        Y=np.stack([(weights[p, None] * Y[p]).T @ Y[p] for p in pieces]),
        root=root,
        root_pattern=root_pattern,
        n_observations=int((counts[:, None] * subjects.observed).sum()),
        log_weights=float(weights @ subjects.log_weights),
    )


def without(summary: Summary, subjects: Subjects, i: int) -> Summary:
    """The summary without subject i: C_p − w_i w_i' and n_p − 1 of its pattern p alone."""
    p = int(subjects.pattern[i])
    u, y = subjects.U[i], subjects.Y[i]
    n, M, N, Y = summary.n.copy(), summary.M.copy(), summary.N.copy(), summary.Y.copy()
    n[p] -= 1.0
    M[p] -= np.outer(u, u)
    N[p] -= np.outer(u, y)
    Y[p] -= np.outer(y, y)
    if n[p] == 0.0:  # exactly nothing is left, not the rounding of it
        M[p], N[p], Y[p] = 0.0, 0.0, 0.0
    own, _ = roots_of(M[p : p + 1])
    others = summary.root_pattern != p
    return replace(
        summary,
        n=n,
        M=M,
        N=N,
        Y=Y,
        root=np.concatenate([summary.root[others], own]),
        root_pattern=np.append(summary.root_pattern[others], np.full(len(own), p)),
        n_observations=summary.n_observations - int(subjects.observed[i].sum()),
        log_weights=summary.log_weights - float(subjects.log_weights[i]),
    )
