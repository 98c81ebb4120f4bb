"""What many refits of one model found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, BoolArray


@dataclass(frozen=True, slots=True)
class Refitted:
    """D refits, in the units of the data.

    Attributes
    ----------
    beta : ndarray, shape (D, p)
        Fixed effects, one per column of X as in `GaussianFit.beta`: NaN where aliased, and all of
        them where the refit did not converge.
    Sigma : ndarray, shape (D, G, T, T)
        Over the visits, of each covariance group; NaN where the refit did not converge.
    converged : ndarray of bool, shape (D,)
    lost_coefficients : ndarray of bool, shape (D, p)
        Columns of X that the subjects counted do not determine.
    lost_parameters : ndarray of bool, shape (D, m)
        Natural parameters of the covariance that nobody counted informs.
    reasons : tuple of str, length D
        Why a refit did not converge; empty where it did.
    """

    beta: Array
    Sigma: Array
    converged: BoolArray
    lost_coefficients: BoolArray
    lost_parameters: BoolArray
    reasons: tuple[str, ...]

    @classmethod
    def joined(cls, parts: Sequence[Refitted]) -> Refitted:
        """Several batches, one after the other."""
        return cls(
            beta=np.concatenate([part.beta for part in parts]),
            Sigma=np.concatenate([part.Sigma for part in parts]),
            converged=np.concatenate([part.converged for part in parts]),
            lost_coefficients=np.concatenate([part.lost_coefficients for part in parts]),
            lost_parameters=np.concatenate([part.lost_parameters for part in parts]),
            reasons=tuple(reason for part in parts for reason in part.reasons),
        )
