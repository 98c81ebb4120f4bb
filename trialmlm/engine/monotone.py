"""Posterior draws of a mean and a covariance where what is missing is missing from a visit on.

The likelihood then factors into a regression of each visit on the covariates and the visits before
it, whose posteriors are independent and known: no chain is needed (Rubin 1987, 5.4; Little and
Rubin 2002, 7.4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import FitError

if TYPE_CHECKING:
    from trialmlm.arrays import Array

#: a column whose part outside the earlier ones is smaller than this, relatively, adds nothing
_LEAST = 1e-10


def draw_monotone(Y: Array, Z: Array, draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw from the posterior of Y_i ~ N(M'z_i, Σ), unstructured, each visit with its own mean.

    Parameters
    ----------
    Y : ndarray, shape (n, T)
        NaN from some visit on.
    Z : ndarray, shape (n, q)
        Covariates, of full rank.
    draws : int
    rng : Generator

    Returns
    -------
    M, Sigma : ndarray, shapes (D, T, q) and (D, T, T)

    Raises
    ------
    FitError
        If a visit has too few subjects for its regression.

    Notes
    -----
    y_t = γ_t'z + Σ_{s<t} φ_ts y_s + e_t with the prior 1/σ_t² on every regression, as SAS PROC MI
    has it under MONOTONE REG: σ_t² = RSS/χ², (γ, φ) normal about the least-squares estimate.
    M_t = γ_t + Σ_s φ_ts M_s and Σ follow visit by visit.
    """
    T, q = Y.shape[1], Z.shape[1]
    M, Sigma = np.zeros((draws, T, q)), np.zeros((draws, T, T))
    for t in range(T):
        seen = ~np.isnan(Y[:, t])
        theta, variance = _regression(
            np.column_stack([Z[seen], Y[seen, :t]]), Y[seen, t], draws, rng
        )
        gamma, phi = theta[:, :q], theta[:, q:]
        M[:, t] = gamma + np.einsum("ds,dsq->dq", phi, M[:, :t])
        pull = np.einsum("ds,dsr->dr", phi, Sigma[:, :t, :t])
        Sigma[:, t, :t] = Sigma[:, :t, t] = pull
        Sigma[:, t, t] = variance + (pull * phi).sum(axis=1)
    return M, Sigma


def _regression(W: Array, y: Array, draws: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Coefficients (D, k) and residual variance (D,) from their posterior."""
    rows, k = W.shape
    df = rows - k
    Q, R = np.linalg.qr(W)
    diagonal = np.abs(np.diag(R))
    if df < 1 or (diagonal <= _LEAST * np.linalg.norm(W, axis=0)).any():
        msg = (
            f"{rows} subjects observed at a visit cannot carry its regression on {k} covariates "
            "and earlier visits; use fewer terms or fewer visits"
        )
        raise FitError(msg)
    projected = Q.T @ y
    residual = y - Q @ projected
    variance: Array = float(residual @ residual) / rng.chisquare(df, draws)
    noise = np.sqrt(variance)[:, None] * rng.standard_normal((draws, k))
    return np.linalg.solve(R, (projected + noise).T).T, variance
