"""What the engine is given: subjects, not rows."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray


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
    group : ndarray of int, shape (n,), optional
        Which covariance a subject has, codes without gaps; by default all have the same.
    weights : ndarray, shape (n, T), optional
        Of the rows, positive where observed: V_i = W^-1/2 Σ W^-1/2.
    """

    B: Array
    U: Array
    Y: Array
    observed: BoolArray
    group: IntArray | None = None
    weights: Array | None = None

    @property
    def groups(self) -> IntArray:
        """Each subject's covariance group."""
        return np.zeros(len(self.U), dtype=np.intp) if self.group is None else self.group

    @property
    def root_weights(self) -> Array:
        """√w of every row, n × T; 1 where nothing is observed or weighted."""
        if self.weights is None:
            return np.ones(self.observed.shape)
        return np.sqrt(np.where(self.observed, self.weights, 1.0))

    @property
    def log_weights(self) -> float:
        """Σ log w over the rows, which −2l loses by the weighting."""
        return 0.0 if self.weights is None else float(np.log(self.weights[self.observed]).sum())

    @property
    def n_observations(self) -> int:
        """N, the number of responses."""
        return int(self.observed.sum())

    def rows(self) -> Array:
        """X, N × q, subject by subject and visit by visit: for residuals, never for fitting."""
        X = np.einsum("tqs,ns->ntq", self.B, self.U)
        selected: Array = X[self.observed]
        return selected

    def weighted(self) -> Design:
        """The same model on rows √w x, √w y, whose covariance is Σ itself.

        Weights that vary within a subject take u_i once per visit, so that patterns stay as they
        are.
        """
        if self.weights is None:
            return self
        root = np.sqrt(np.where(self.observed, self.weights, 0.0))
        largest = root.max(axis=1)
        if (np.where(self.observed, root, largest[:, None]) == largest[:, None]).all():
            B, U = self.B, self.U * largest[:, None]
        else:
            T, q, s = self.B.shape
            U = (root[:, :, None] * self.U[:, None, :]).reshape(len(self.U), T * s)
            B = np.zeros((T, q, T, s))
            B[np.arange(T), :, np.arange(T)] = self.B
            B = B.reshape(T, q, T * s)
        return replace(self, B=B, U=U, Y=self.Y * root, weights=None)
