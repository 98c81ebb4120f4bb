"""Satterthwaite degrees of freedom: match the variance of a variance to a χ²'s."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.distributions import f_upper
from trialmlm.inference.method import Coefficients, FTest

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit


def coefficients_of(fit: GaussianFit) -> Coefficients:
    """The fixed effects of a Gaussian fit, in its basis."""
    found = fit.likelihood
    return Coefficients(found.basis, found.offset + found.scale * fit.point.beta, found.scale)


def one_row_df(L: Array, Phi: Array, P: Array, W: Array) -> Array:
    """Df = 2(l'Φl)² / (g'Wg), g_h = −l'ΦP_hΦl, for every row l of L.

    Parameters
    ----------
    L : ndarray, shape (r, q)
    Phi : ndarray, shape (q, q)
    P : ndarray, shape (m, q, q)
    W : ndarray, shape (m, m)

    Returns
    -------
    ndarray, shape (r,)
    """
    v = L @ Phi
    variance = (v * L).sum(axis=1)
    g = ((v @ P) * v).sum(axis=2)  # m × r
    spread = (g * (W @ g)).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spread > 0.0, 2.0 * variance**2 / spread, np.inf)


@dataclass(frozen=True, slots=True)
class Satterthwaite:
    """Satterthwaite (1946) for one row, Fai and Cornelius (1996) for several.

    The df of one row does not depend on how the covariance is parameterised. Those of an F test
    depend on the basis of its rows; which rows :mod:`~trialmlm.inference.anova` takes is said
    there.
    """

    coefficients: Coefficients
    vcov: Array
    P: Array
    W: Array
    name: str = "satterthwaite"

    @classmethod
    def of(cls, fit: GaussianFit, information: str = "observed") -> Satterthwaite:
        """From a fit."""
        W = fit.information(information)
        return cls(coefficients_of(fit), fit.point.Phi, fit.P, W)

    def df(self, L: Array) -> Array:
        """One per row."""
        return one_row_df(L, self.vcov, self.P, self.W)

    def test(self, L: Array) -> FTest:
        """F = mean of squared independent t's; its df from theirs."""
        rank = len(L)
        variances, vectors = np.linalg.eigh(L @ self.vcov @ L.T)
        rows = vectors.T @ L
        t2 = (rows @ self.coefficients.beta) ** 2 / (variances * self.coefficients.scale**2)
        statistic = float(t2.mean())
        den_df = self._pooled_df(self.df(rows))
        return FTest(statistic, rank, den_df, f_upper(statistic, rank, den_df))

    @staticmethod
    def _pooled_df(df: Array) -> float:
        """2E/(E − r) with E = Σ ν/(ν − 2); 2 where a row has too few to have a mean."""
        if np.isinf(df).all() or np.ptp(df) <= 1e-8 * df.max():
            return float(df.mean())
        if (df <= 2.0).any():
            return 2.0
        expectation = float((1.0 / (1.0 - 2.0 / df)).sum())
        return 2.0 * expectation / (expectation - df.size)
