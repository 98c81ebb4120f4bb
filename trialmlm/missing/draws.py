"""Parameters of the imputation model, many times over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.missing.posterior import Posterior


@dataclass(frozen=True, slots=True, eq=False)
class Draws:
    """D sets of parameters.

    Attributes
    ----------
    beta : ndarray, shape (D, p)
        Coefficients of the mean model's columns, aliased ones 0.
    Sigma : ndarray, shape (D, G, T, T)
        Covariance of each group over the visits of the layout, in squared units of the response.
    counts : ndarray of int, shape (D, n), or None
        How often each subject counted in the fit and counts in the analysis; None where everyone
        counts once in the analysis.
    noise : ndarray, shape (D, k), or None
        Standard normal numbers for the missing cells; None where values are conditional means.
    posterior : Posterior or None
        The chains that they were taken from.
    failed : int
        Further resamples whose fit failed: not among the D.
    """

    beta: Array
    Sigma: Array
    counts: IntArray | None = None
    noise: Array | None = None
    posterior: Posterior | None = None
    failed: int = 0

    @property
    def said(self) -> str:
        """What became of resamples that failed."""
        return (
            f"the imputation model could not be fitted to {self.failed} resamples; "
            f"{len(self.beta)} others are used"
        )

    def part(self, rows: slice) -> Draws:
        """Some of them."""
        return Draws(
            self.beta[rows],
            self.Sigma[rows],
            None if self.counts is None else self.counts[rows],
            None if self.noise is None else self.noise[rows],
        )

    def repeated(self, times: int) -> Draws:
        """Each set of parameters so many times, one after the other."""
        counts = None if self.counts is None else np.repeat(self.counts, times, axis=0)
        return replace(
            self,
            beta=np.repeat(self.beta, times, axis=0),
            Sigma=np.repeat(self.Sigma, times, axis=0),
            counts=counts,
        )
