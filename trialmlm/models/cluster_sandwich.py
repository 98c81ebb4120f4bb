"""Sandwich covariances of models with random effects, over the clusters of their highest level."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.cluster_rows import ClusterRows
from trialmlm.errors import NotAvailableError
from trialmlm.inference.register import SANDWICH_KINDS
from trialmlm.inference.sandwich import Sandwich
from trialmlm.models.random_part import likelihood_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.models.random_part import RandomPart


def cluster_sandwich(
    name: str | None,
    gaussian: GaussianFit,
    rows: tuple[Array, Array],
    parts: Sequence[RandomPart],
    Z: Sequence[Array],
    residual: tuple[IntArray, Array],
) -> Sandwich | None:
    """The sandwich named in ``vcov=``; None where none is.

    Parameters
    ----------
    name : str or None
    gaussian : GaussianFit
    rows : pair of ndarray
        X and the response of the rows used.
    parts : sequence of RandomPart
    Z : sequence of ndarray, shape (N, r)
        Columns of each.
    residual : pair of ndarray, shape (N,)
        Which residual variance a row has, and what it is times.

    Raises
    ------
    NotAvailableError
        Where no factor holds all others, so that no clusters are independent.
    FitError
        With one cluster.
    """
    if name is None:
        return None
    top = highest(parts, name)
    likelihood = likelihood_of(gaussian)
    found = [part.G for part in likelihood.effects(gaussian.point).parts]
    sigma2 = np.atleast_1d(gaussian.point.sigma2)[residual[0]] * residual[1] * likelihood.scale**2

    def covariances(at: IntArray) -> Array:
        """The covariance of rows of clusters, n × t × t."""
        total = sigma2[at][:, :, None] * np.eye(at.shape[1])
        for part, own, G in zip(parts, Z, found, strict=True):
            codes = part.groups.codes[at]
            same = codes[:, :, None] == codes[:, None, :]
            total = total + np.where(same, own[at] @ G @ own[at].transpose(0, 2, 1), 0.0)
        return total

    clusters = ClusterRows.of(gaussian, *rows, top.groups.codes, covariances)
    return Sandwich.over(SANDWICH_KINDS[name], clusters, f"levels of {top.name}")


def highest(parts: Sequence[RandomPart], name: str) -> RandomPart:
    """The grouping factor whose levels hold those of all others whole.

    Raises
    ------
    NotAvailableError
        Where there is none.
    """
    top = min(parts, key=lambda part: part.n_levels)
    for part in parts:
        pairs = np.unique(np.stack([part.groups.codes, top.groups.codes]), axis=1)
        if pairs.shape[1] > part.n_levels:
            msg = (
                f"vcov: {name} rests on independent clusters, and {part.name} is crossed with "
                f"{top.name}; leave vcov out, or nest one in the other"
            )
            raise NotAvailableError(msg)
    return top


def subject_sandwich(
    name: str | None,
    gaussian: GaussianFit,
    rows: tuple[Array, Array],
    place: tuple[IntArray, IntArray],
    V: Array,
) -> Sandwich | None:
    """The same beside a residual covariance, over its subjects.

    Parameters
    ----------
    name, gaussian, rows
        As above.
    place : pair of ndarray of int, shape (N,)
        The subject and the visit of every row.
    V : ndarray, shape (n, T, T)
        Of every subject, in units of the response.
    """
    if name is None:
        return None
    subject, visit = place

    def own(at: IntArray) -> Array:
        here, seen = subject[at[:, :1, None]], visit[at]
        found: Array = V[here, seen[:, :, None], seen[:, None, :]]
        return found

    clusters = ClusterRows.of(gaussian, *rows, subject, own)
    return Sandwich.over(SANDWICH_KINDS[name], clusters, "subjects")
