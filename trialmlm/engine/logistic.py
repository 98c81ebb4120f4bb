"""Logistic regression by Newton's method, and whether its likelihood has a maximum at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import linprog
from scipy.special import expit

from trialmlm.engine.basis import basis_of
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.basis import Basis

#: Newton's steps; a likelihood that has a maximum needs ten
_MOST_STEPS = 100
#: stops where the next step is shorter than this, in standard errors
_DISTANCE = 1e-9


@dataclass(frozen=True, slots=True)
class Logistic:
    """A maximum-likelihood fit of P(y = 1) = 1/(1 + e^−Xβ).

    Attributes
    ----------
    basis : Basis
    coefficients : ndarray, shape (q,)
        In the basis.
    covariance : ndarray, shape (q, q)
        In the basis, the inverse information.
    minus2_loglik : float
    iterations : int
    """

    basis: Basis
    coefficients: Array
    covariance: Array
    minus2_loglik: float
    iterations: int

    @property
    def beta(self) -> Array:
        """One per column of X; NaN where aliased."""
        return self._full(self.basis.R_inverse @ self.coefficients)

    @property
    def std_error(self) -> Array:
        """One per column of X; NaN where aliased."""
        C = self.basis.R_inverse @ self.covariance @ self.basis.R_inverse.T
        return self._full(np.sqrt(np.diag(C)))

    def _full(self, kept: Array) -> Array:
        full = np.full(self.basis.n_columns, np.nan)
        full[self.basis.kept] = kept
        return full


def logistic(X: Array, y: Array) -> Logistic:
    """Fit y (N zeros and ones) on X (N × columns), which :func:`separating` has passed.

    Raises
    ------
    FitError
        If the search does not end.
    """
    basis = basis_of(X)
    Q = X[:, basis.kept] @ basis.R_inverse
    beta: Array = np.zeros(Q.shape[1])
    deviance = _deviance(Q @ beta, y)
    for iteration in range(1, _MOST_STEPS + 1):
        p = expit(Q @ beta)
        information = (Q * (p * (1.0 - p))[:, None]).T @ Q
        score = Q.T @ (y - p)
        step = np.linalg.solve(information, score)
        if score @ step <= _DISTANCE**2:
            return Logistic(basis, beta, np.linalg.inv(information), deviance, iteration)
        beta, deviance = _downhill(Q, y, beta, step, deviance)
    msg = f"logistic regression: no optimum after {_MOST_STEPS} steps; use fewer terms"
    raise FitError(msg)


def _downhill(Q: Array, y: Array, beta: Array, step: Array, before: float) -> tuple[Array, float]:
    """The Newton step, halved until the deviance does not rise beyond rounding."""
    while True:
        after = _deviance(Q @ (beta + step), y)
        if after <= before + 1e-12 * abs(before):
            return beta + step, after
        step = step / 2.0


def _deviance(eta: Array, y: Array) -> float:
    """−2 log L."""
    return 2.0 * float(np.logaddexp(0.0, eta).sum() - y @ eta)


def separating(X: Array, y: Array) -> IntArray:
    """Columns of X with a combination that separates ones from zeros; empty where there is none.

    There is a direction b with (2y − 1) Xb ≥ 0 and not all 0 exactly where the likelihood has no
    maximum (Albert and Anderson 1984, Biometrika 71, 1–10); a linear program finds it
    (Konis 2007, Computational algorithms for detecting separation, thesis, University of Oxford).
    """
    kept = basis_of(X).kept
    A = (2.0 * y - 1.0)[:, None] * X[:, kept] / np.linalg.norm(X[:, kept], axis=0)
    program = linprog(-A.sum(axis=0), A_ub=-A, b_ub=np.zeros(y.size), bounds=(-1.0, 1.0))
    b = np.asarray(program.x, dtype=float)
    # of a likelihood with a maximum b is 0 but for the rounding of the program, 1e-9
    columns: IntArray = kept[(np.abs(b) > 1e-7) & (float((A @ b).sum()) > 1e-7)]
    return columns
