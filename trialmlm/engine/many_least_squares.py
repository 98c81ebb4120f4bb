"""Least squares of one design and many responses, which differ in some of their elements alone.

The responses of n subjects are observed but for c of them, which are filled D times over; subjects
may count otherwise in each filling. Every filling, and every direction in which filled elements may
be shifted, is a right side of the same normal equations.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray

#: below this, relatively, the normal equations of a resample are singular: a level was lost
_SINGULAR = 1e-10


@dataclass(frozen=True, slots=True, eq=False)
class FilledResponse:
    """A response in m parts: as it was filled, and the directions in which it may be shifted.

    Attributes
    ----------
    observed : ndarray, shape (n,)
        0 where it was filled.
    subject : ndarray of int, shape (c,)
        Which elements were filled.
    values : ndarray, shape (D, m, c)
        Filled; then the directions, 1 and 0 for an element that takes part in it or not.
    """

    observed: Array
    subject: IntArray
    values: Array

    @property
    def centre(self) -> Array:
        """The response averaged over the fillings, (n,)."""
        made = self.observed.copy()
        made[self.subject] = self.values[:, 0].mean(axis=0)
        return made

    def less(self, fitted: Array) -> FilledResponse:
        """Less `fitted`, (n,), so that sums of squares do not cancel."""
        observed = self.observed - fitted
        observed[self.subject] = 0.0
        values = self.values.copy()
        values[:, 0] -= fitted[self.subject]
        return replace(self, observed=observed, values=values)


@dataclass(frozen=True, slots=True, eq=False)
class ManyEstimates:
    """Rows · b of D fillings, in m parts.

    With d = (1, δ₁, …) a shift by δ along the directions has the estimate d'e and the squared
    standard error d'Sd.

    Attributes
    ----------
    estimate : ndarray, shape (D, m, q)
    square : ndarray, shape (D, m, m, q)
    df : ndarray, shape (D, q)
    """

    estimate: Array
    square: Array
    df: Array


def many_least_squares(
    Q: Array, rows: Array, counts: Array, response: FilledResponse
) -> ManyEstimates:
    """Solve Q'CQ b = Q'Cy, C = diag(counts), for every filling and direction.

    Parameters
    ----------
    Q : ndarray, shape (n, r)
        Orthonormal columns.
    rows : ndarray, shape (1 or D, q, r)
        Combinations of b.
    counts : ndarray, shape (1 or D, n)
        How often a subject counts; one row where it is the same in every filling.
    response : FilledResponse

    Returns
    -------
    ManyEstimates
        NaN for a filling in which a column of Q is lost.
    """
    around = Q.T @ response.centre
    y = response.less(Q @ around)
    inverse = _inverses(Q, counts)
    weighted = y.values * counts[:, None, y.subject]
    h = weighted @ Q[y.subject]
    h[:, 0] += counts @ (Q * y.observed[:, None])
    b = h @ inverse
    S = weighted @ y.values.swapaxes(1, 2)
    S[:, 0, 0] += counts @ y.observed**2
    S -= b @ h.swapaxes(1, 2)
    b[:, 0] += around
    estimate = b @ rows.swapaxes(1, 2)
    df = np.maximum(counts.sum(axis=1) - Q.shape[1], 0.0)
    spread = ((rows @ inverse) * rows).sum(axis=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        square = (S / df[:, None, None])[..., None] * spread[:, None, None, :]
    shape = (len(estimate), estimate.shape[2])
    return ManyEstimates(estimate, square, np.broadcast_to(df[:, None], shape))


def _inverses(Q: Array, counts: Array) -> Array:
    """(Q'CQ)⁻¹ of each resample, NaN where it is singular."""
    n, r = Q.shape
    products = (Q[:, :, None] * Q[:, None, :]).reshape(n, r * r)
    G = (counts @ products).reshape(-1, r, r)
    values = np.linalg.eigvalsh(G)
    good = values[:, 0] > _SINGULAR * values[:, -1]
    found = np.full(G.shape, np.nan)
    found[good] = np.linalg.inv(G[good])
    return found
