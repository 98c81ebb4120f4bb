"""Analysis of covariance: one record per subject, ordinary least squares."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from trialmlm.engine.least_squares import LeastSquares, least_squares
from trialmlm.errors import UsageError
from trialmlm.formula.coding import make_coding
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.formula.response import response_values
from trialmlm.inference.fixed_df import FixedDf
from trialmlm.inference.method import Coefficients, Method
from trialmlm.models.fitted import FittedModel
from trialmlm.models.options import levels_not_used, rows_lost
from trialmlm.models.report import report


@dataclass(frozen=True, repr=False)
class AncovaFit(FittedModel):
    """A fitted analysis of covariance.

    Attributes
    ----------
    ols : LeastSquares
        The engine's fit.
    """

    ols: LeastSquares

    @property
    def n_obs(self) -> int:
        """Rows used."""
        return self.ols.n_observations

    @property
    def residual_df(self) -> int:
        """N − rank(X)."""
        return self.ols.residual_df

    @property
    def sigma(self) -> float:
        """Residual standard deviation (root mean squared error)."""
        return float(np.sqrt(self.ols.sigma2))

    def residuals(self) -> pd.Series:
        """Y − Xβ̂ of the rows used, in the data's order and with its index."""
        return pd.Series(self.ols.residuals, index=self.rows.labels, name="response")

    def summary(self) -> str:
        """The fit as text."""
        facts = {
            "Model": self.formula,
            "Data": f"{self.n_obs:,} rows",
            "Residual SD": f"{self.sigma:.6g} on {self.residual_df} degrees of freedom",
        }
        return report(facts, self.notes, Effects=self.coefficients())

    def __str__(self) -> str:
        return self.summary()


def ancova(formula: str, data: pd.DataFrame) -> AncovaFit:
    """Fit an analysis of covariance by ordinary least squares.

    Parameters
    ----------
    formula : str
        ``response ~ fixed effects``.
    data : DataFrame
        One row per subject. Rows with a missing value in a column of the model are not used,
        and counted.

    Returns
    -------
    AncovaFit

    Raises
    ------
    ExpressionError
        If the formula is refused.
    UsageError
        If it has no response, or names a covariance or random effects.
    FitError
        If the data do not carry the model.

    Examples
    --------
    >>> ancova("CHG ~ BASE + TRT01P", week24).ls_means("TRT01P").frame  # doctest: +SKIP
    """
    read = read_formula(formula)
    if read.covariance or read.random:
        raise UsageError(
            "ancova: takes one record per subject; a covariance or random effect belongs in mmrm"
        )
    frame = model_frame(data, sorted(read.variables))
    y = response_values(read.response, frame.variables)
    coding = make_coding(read.fixed, frame.variables)
    X = coding.matrix(frame.variables, frame.rows.size)
    notes = (*rows_lost(frame), *levels_not_used(frame, sorted(coding.categorical)))
    ols = least_squares(X, y)
    return AncovaFit(formula, coding, frame, _method(ols), notes, ols)


def _method(ols: LeastSquares) -> Method:
    """T and F on the residual degrees of freedom; the basis is orthonormal."""
    coefficients = Coefficients(ols.basis, ols.coefficients, float(np.sqrt(ols.sigma2)))
    identity = np.eye(ols.basis.kept.size)
    return Method(coefficients, identity, FixedDf(float(ols.residual_df), "residual"))
