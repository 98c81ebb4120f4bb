"""Best linear unbiased predictions of random effects, with how far off they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray


@dataclass(frozen=True, slots=True)
class PredictedEffects:
    """b̂ of every level of a grouping factor, in the units of the data.

    Attributes
    ----------
    G : ndarray, shape (r, r)
        Covariance of the random effects.
    blup : ndarray, shape (n, r)
        ĜZ'Ωr.
    variance : ndarray, shape (n, r, r)
        Of b̂ − b, the uncertainty of β̂ included (Henderson 1975; SAS's StdErrPred squared).
    """

    G: Array
    blup: Array
    variance: Array


class Predictions(Protocol):
    """The predicted effects of a model."""

    @property
    def parts(self) -> Sequence[PredictedEffects]:
        """One per grouping factor."""

    @property
    def leading(self) -> int:
        """The grouping factor by whose levels residuals are whitened first."""

    @property
    def shifts(self) -> Sequence[Array]:
        """Effects s of every grouping factor, n × r: r + Zs whitened by the leading factor alone.

        That is r whitened by all factors: uncorrelated, with variance 1.
        """

    def added_variance(self, rows: Array, levels: Sequence[IntArray], Z: Sequence[Array]) -> Array:
        """What Zb̂ adds to the variance of xβ̂: that of xβ̂ + Zb̂ − xβ − Zb, less that of xβ̂.

        Parameters
        ----------
        rows : ndarray, shape (n, q)
            x, in the orthonormal basis.
        levels : sequence of ndarray of int, shape (n,)
            Of every grouping factor; −1 adds nothing.
        Z : sequence of ndarray, shape (n, r)
        """


@dataclass(frozen=True, slots=True)
class ClusterPredictions:
    """Of one grouping factor.

    Attributes
    ----------
    parts : tuple of PredictedEffects
        One.
    cross : ndarray, shape (n, q, r)
        Covariance of β̂ (in the orthonormal basis) with b̂ − b, −ΦX'ΩZĜ.
    """

    parts: tuple[PredictedEffects]
    cross: Array

    @property
    def leading(self) -> int:
        """The one there is."""
        return 0

    @property
    def shifts(self) -> tuple[Array, ...]:
        """None: there is no other factor."""
        return (np.zeros_like(self.parts[0].blup),)

    def added_variance(self, rows: Array, levels: Sequence[IntArray], Z: Sequence[Array]) -> Array:
        """As :class:`Predictions` says."""
        (level,), (z,) = levels, Z
        known = level >= 0
        own, at = z[known], level[known]
        found = np.zeros(len(rows))
        found[known] = np.einsum("nr,nrs,ns->n", own, self.parts[0].variance[at], own)
        found[known] += 2.0 * np.einsum("nq,nqr,nr->n", rows[known], self.cross[at], own)
        return found


def cluster_predictions(
    point: Any, z: Array, H: Array, inner: Array, K: Array, scale: float
) -> ClusterPredictions:
    """Map the predictions back to the columns of Z and the units of y as given.

    Parameters
    ----------
    point : ClusterPoint or EffectsPoint
    z, H : ndarray
        Z'Ωr (n × r) and Z'ΩX (n × r × q).
    inner : ndarray, shape (n, r, r)
        Z'ΩZ − Z'ΩXΦX'ΩZ.
    K : ndarray, shape (r, r)
        Z given = Z here · K.
    scale : float
    """
    G, back = point.G, np.linalg.inv(K)
    own = effects_of(G, z, inner, back, scale)
    cross = -(point.Phi @ H.transpose(0, 2, 1)) @ G @ back.T * scale**2
    return ClusterPredictions((own,), cross)


def effects_of(G: Array, z: Array, inner: Array, back: Array, scale: float) -> PredictedEffects:
    """Of one factor, from the same pieces; back = K⁻¹."""
    variance = G - G @ inner @ G
    return PredictedEffects(
        G=back @ G @ back.T * scale**2,
        blup=z @ G @ back.T * scale,
        variance=back @ variance @ back.T * scale**2,
    )
