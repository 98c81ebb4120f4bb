"""Best linear unbiased predictions of random effects, with how far off they may be."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class PredictedEffects:
    """b̂_i of every cluster, in the units of the data.

    Attributes
    ----------
    G : ndarray, shape (r, r)
        Covariance of the random effects.
    blup : ndarray, shape (n, r)
        ĜZ'Ωr.
    variance : ndarray, shape (n, r, r)
        Of b̂ − b, the uncertainty of β̂ included (Henderson 1975; SAS's StdErrPred squared).
    cross : ndarray, shape (n, q, r)
        Covariance of β̂ (in the orthonormal basis) with b̂ − b, −ΦX'ΩZĜ.
    """

    G: Array
    blup: Array
    variance: Array
    cross: Array


def predicted_effects(
    point: Any, z: Array, H: Array, inner: Array, K: Array, scale: float
) -> PredictedEffects:
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
    G = point.G
    back = np.linalg.inv(K)
    variance = G - G @ inner @ G
    return PredictedEffects(
        G=back @ G @ back.T * scale**2,
        blup=z @ G @ back.T * scale,
        variance=back @ variance @ back.T * scale**2,
        cross=-(point.Phi @ H.transpose(0, 2, 1)) @ G @ back.T * scale**2,
    )
