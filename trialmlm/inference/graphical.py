"""Sequentially rejective graphical procedures: gatekeeping on p-values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray


def graphical_p_values(p: Array, weights: Array, G: Array) -> Array:
    """Adjusted p-values of the procedure of Bretz, Maurer, Brannath and Posch (2009).

    Parameters
    ----------
    p : ndarray, shape (m,)
    weights : ndarray, shape (m,)
        Share of α that each hypothesis has at first; not negative, their sum at most 1.
    G : ndarray, shape (m, m)
        G[j, k]: what part of its share j passes on to k once it is rejected.

    Returns
    -------
    ndarray, shape (m,)
        A hypothesis is rejected at level α if its adjusted p-value is at most α (their
        algorithm 2).
    """
    weights, G = weights.astype(float), G.astype(float)
    open_ = np.ones(p.size, dtype=bool)
    adjusted = np.ones(p.size)
    reached = 0.0
    while open_.any():
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(open_ & (weights > 0.0), p / weights, np.inf)
        j = int(np.argmin(ratio))
        if np.isinf(ratio[j]):
            break  # nothing is left to spend on the others
        reached = max(reached, min(1.0, float(ratio[j])))
        adjusted[j] = reached
        open_[j] = False
        weights, G = _passed_on(weights, G, j, open_)
    return adjusted


def _passed_on(weights: Array, G: Array, j: int, open_: BoolArray) -> tuple[Array, Array]:
    """Shares and transitions among the hypotheses still open, once j is rejected."""
    weights = np.where(open_, weights + weights[j] * G[j], 0.0)
    through = np.outer(G[:, j], G[j])
    kept = 1.0 - G[:, j] * G[j]  # 1 − g_lj g_jl
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = (G + through) / kept[:, None]
    usable = np.outer(open_, open_) & (kept > 1e-12)[:, None]
    moved = np.where(usable, moved, 0.0)
    np.fill_diagonal(moved, 0.0)
    return weights, moved
