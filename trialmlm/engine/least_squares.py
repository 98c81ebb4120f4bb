"""Ordinary least squares: the case of one record per subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.standardise import standardise
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.basis import Basis


@dataclass(frozen=True, slots=True)
class LeastSquares:
    """A least-squares fit in an orthonormal basis of X.

    Attributes
    ----------
    basis : Basis
    coefficients : ndarray, shape (q,)
        In the basis.
    residuals : ndarray, shape (N,)
    n_observations : int
    """

    basis: Basis
    coefficients: Array
    residuals: Array
    n_observations: int

    @property
    def residual_df(self) -> int:
        """N − rank(X)."""
        return self.n_observations - self.basis.kept.size

    @property
    def sigma2(self) -> float:
        """Residual variance."""
        return float(self.residuals @ self.residuals) / self.residual_df

    @property
    def beta(self) -> Array:
        """One per column of X; NaN where aliased."""
        full = np.full(self.basis.n_columns, np.nan)
        full[self.basis.kept] = self.basis.R_inverse @ self.coefficients
        return full


def least_squares(X: Array, y: Array) -> LeastSquares:
    """Fit y on X (N × columns).

    Raises
    ------
    FitError
        If no residual degrees of freedom are left, or no residual variation.
    """
    rows = standardise(X, y)
    found = LeastSquares(rows.basis, rows.offset, rows.y * (rows.scale or 1.0), y.size)
    if found.residual_df <= 0:
        msg = (
            f"{y.size} observations cannot carry {rows.basis.kept.size} fixed effects: no residual "
            "degrees of freedom are left; use fewer terms"
        )
        raise FitError(msg)
    size = float(np.sqrt(y @ y / y.size))
    if float(np.sqrt(found.sigma2)) <= 1e-13 * size:
        raise FitError(
            "the fixed effects reproduce the response exactly: no variation is left; check that "
            "the response is not constant, nor computed from the terms of the model"
        )
    return found
