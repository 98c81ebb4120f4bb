"""What is said after the fit of the covariance over the visits: the one place that reads it.

Prediction, simulation and the standard errors of covariance parameters take Σ̂ and its derivatives
from here, so that a likelihood with several Σ has one function to answer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.pattern_likelihood import PatternLikelihood
from trialmlm.errors import NotAvailableError

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.fit import GaussianFit


@dataclass(frozen=True, slots=True)
class VisitCovariance:
    """Σ̂ of a group over the visits, in units of the fit's scale².

    Attributes
    ----------
    Sigma : ndarray, shape (T, T)
    tangent : ndarray, shape (m, T, T)
        Derivatives of Σ by the natural parameters of all groups.
    """

    Sigma: Array
    tangent: Array

    def inverses(self, given: BoolArray) -> Array:
        """Σ_oo⁻¹ of each row's visits, zero outside them: r × T in, r × T × T out."""
        distinct, row = np.unique(given, axis=0, return_inverse=True)
        together = distinct[:, :, None] & distinct[:, None, :]
        filled = np.where(together, self.Sigma, np.eye(len(self.Sigma)))
        found: Array = np.where(together, np.linalg.inv(filled), 0.0)[row.reshape(-1)]
        return found


def visit_covariances(fit: GaussianFit) -> tuple[VisitCovariance, ...]:
    """Of a fit of repeated measures, one per covariance group.

    Raises
    ------
    NotAvailableError
        If subjects have times of their own.
    """
    likelihood = fit.likelihood
    if not isinstance(likelihood, PatternLikelihood):
        raise NotAvailableError("this needs visits that are common to all subjects")
    parts = fit.theta.reshape(len(fit.point.Sigma), -1)
    tangents = [likelihood.covariance.tangent(part) for part in parts]
    return tuple(
        VisitCovariance(Sigma, _among(tangents, g)) for g, Sigma in enumerate(fit.point.Sigma)
    )


def _among(tangents: list[Array], g: int) -> Array:
    """The derivatives of group g by the parameters of all groups: zero by those of others."""
    blocks = [tangent if h == g else np.zeros_like(tangent) for h, tangent in enumerate(tangents)]
    return np.concatenate(blocks)
