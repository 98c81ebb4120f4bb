"""What the engine is given: subjects, not rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray


@dataclass(frozen=True, slots=True)
class Design:
    """The data of a model in which a fixed-effects row is a linear map of its subject.

    The row of subject i at visit j is ``x_ij = B_j u_i``: a term such as ARM:AVISIT is a column
    that depends on the visit alone times one that depends on the subject alone. A covariate that
    varies with time enters u_i once per visit.

    Attributes
    ----------
    B : ndarray, shape (T, q, s)
        The maps, the same for every subject.
    U : ndarray, shape (n, s)
        Subject-level columns.
    Y : ndarray, shape (n, T)
        Responses; 0 where not observed.
    observed : ndarray of bool, shape (n, T)
        Which responses there are.
    """

    B: Array
    U: Array
    Y: Array
    observed: BoolArray

    @property
    def n_observations(self) -> int:
        """N, the number of responses."""
        return int(self.observed.sum())

    def rows(self) -> Array:
        """X, N × q, subject by subject and visit by visit: for residuals, never for fitting."""
        X = np.einsum("tqs,ns->ntq", self.B, self.U)
        selected: Array = X[self.observed]
        return selected
