"""A method of inference: a covariance of the estimates, and a rule for degrees of freedom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.inference.distributions import f_upper

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.basis import Basis
    from trialmlm.inference.rows import Rows

#: below this, relatively, the covariance of Lβ is singular and its F test has no meaning
SINGULAR = 1e-12


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Fixed effects in the orthonormal basis, and the way back to the columns of X.

    Attributes
    ----------
    basis : Basis
    beta : ndarray, shape (q,)
        In the basis, in the response's units.
    scale : float
        Covariances in the basis are in units of scale².
    """

    basis: Basis
    beta: Array
    scale: float


@dataclass(frozen=True, slots=True)
class FTest:
    """An F test of Lβ = 0."""

    statistic: float
    num_df: int
    den_df: float
    p_value: float


class CovarianceOfEstimates(Protocol):
    """A covariance of β̂ that knows how far off it may be itself."""

    @property
    def name(self) -> str:
        """In words, or as in ``vcov=`` of the models."""

    @property
    def matrix(self) -> Array:
        """In the orthonormal basis, q × q."""

    def satterthwaite(self, L: Array) -> Array:
        """Df of the χ² with the mean and variance of l'Vl, for rows in the basis (r × q)."""


class Rule(Protocol):
    """Degrees of freedom of t tests, and of F tests with what their Wald statistic is times."""

    @property
    def name(self) -> str:
        """As in ``df=`` of the models."""

    def df(self, rows: Rows) -> Array:
        """Of each row by itself."""

    def scale_and_df(self, rows: Rows) -> tuple[float, float]:
        """λ and the denominator df of λF, F the Wald statistic over the number of rows."""


@dataclass(frozen=True, slots=True)
class Method:
    """Standard errors, degrees of freedom and F tests of rows L.

    Attributes
    ----------
    coefficients : Coefficients
        The estimates spoken of.
    vcov : ndarray, shape (q, q)
        The covariance that the tests use, in the basis.
    rule : Rule
    covariance : str
        The name of that covariance.
    """

    coefficients: Coefficients
    vcov: Array
    rule: Rule
    covariance: str = "model-based"

    @property
    def name(self) -> str:
        """As in ``df=`` of the models."""
        return self.rule.name

    def df(self, rows: Rows) -> Array:
        """Degrees of freedom of each row."""
        return self.rule.df(rows)

    def test(self, rows: Rows) -> FTest:
        """λ (Lβ)'(LVL')⁻¹Lβ / rank of all rows together, which are of full row rank.

        Returns
        -------
        FTest
            With NaN in the test where LVL' is singular, as a sandwich of few subjects may be.
        """
        rank = len(rows)
        estimate = rows.basis @ self.coefficients.beta / self.coefficients.scale
        F = _wald(estimate, rows.basis @ self.vcov @ rows.basis.T) / rank
        if np.isnan(F):
            return FTest(F, rank, np.nan, np.nan)
        scale, df = self.rule.scale_and_df(rows)
        return FTest(scale * F, rank, df, f_upper(scale * F, rank, df))


def _wald(estimate: Array, V: Array) -> float:
    """e'V⁻¹e in units in which V has a diagonal of ones; NaN if V is singular."""
    variances = np.diag(V)
    if not (variances > 0.0).all():
        return float("nan")
    sd = np.sqrt(variances)
    values, vectors = np.linalg.eigh(V / np.outer(sd, sd))
    if values[0] <= SINGULAR * values[-1]:
        return float("nan")
    return float(((vectors.T @ (estimate / sd)) ** 2 / values).sum())
