"""Draws from a posterior, and whether the chains that gave them had settled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.missing.chains import autocorrelation, effective_size, r_hat

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Trace:
    """Every sweep of every chain.

    Attributes
    ----------
    beta : ndarray, shape (S, C, p)
    Sigma : ndarray, shape (S, C, G, T, T)
    burn_in : int
        Sweeps set aside at first.
    thin : int
        Sweeps from one kept draw to the next.
    """

    beta: Array
    Sigma: Array
    burn_in: int
    thin: int

    @property
    def kept(self) -> slice:
        """The sweeps whose ends are draws."""
        return slice(self.burn_in + self.thin - 1, None, self.thin)

    def scalars(self) -> Array:
        """β and the lower triangles of Σ, sweeps × chains × quantities."""
        lower = np.tril_indices(self.Sigma.shape[-1])
        entries = self.Sigma[..., lower[0], lower[1]]
        flat: Array = np.concatenate([self.beta, entries.reshape(*entries.shape[:2], -1)], axis=2)
        return flat


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """Draws of (β, Σ) and the trace they were taken from.

    Attributes
    ----------
    beta : ndarray, shape (D, p)
    Sigma : ndarray, shape (D, G, T, T)
    trace : Trace
    by : str
        How they were drawn.
    """

    beta: Array
    Sigma: Array
    trace: Trace
    by: str = "Gibbs sampling"

    @classmethod
    def of(cls, trace: Trace, draws: int, by: str = "Gibbs sampling") -> Posterior:
        """The first `draws` of the kept ones: all chains of a sweep, then those of the next."""
        beta, covariance = trace.beta[trace.kept], trace.Sigma[trace.kept]
        return cls(
            beta.reshape(-1, *beta.shape[2:])[:draws],
            covariance.reshape(-1, *covariance.shape[2:])[:draws],
            trace,
            by,
        )

    def over(self, visits: IntArray) -> Posterior:
        """With the visits in another order."""
        across = (..., visits[:, None], visits)
        trace = replace(self.trace, Sigma=self.trace.Sigma[across])
        return replace(self, Sigma=self.Sigma[across], trace=trace)

    def diagnostics(
        self,
        coefficients: Sequence[str] | None = None,
        visits: Sequence[object] | None = None,
        groups: Sequence[object] | None = None,
    ) -> pd.DataFrame:
        """Whether the chains had settled, a row for each coefficient and (co)variance.

        Parameters
        ----------
        coefficients, visits, groups : sequence, optional
            Labels of the p coefficients, T visits, G groups; by default they are counted from 1.

        Returns
        -------
        DataFrame
            ``quantity``, ``mean``, ``sd``; ``r_hat`` over the sweeps after the burn-in (near 1,
            below 1.01 by Vehtari et al. 2021); ``effective_size`` of the kept draws;
            ``autocorrelation`` between draws that follow one another in a chain; ``mc_error``,
            the Monte Carlo standard error of the mean.
        """
        scalars = self.trace.scalars()
        kept = scalars[self.trace.kept]
        sd = kept.std(axis=(0, 1), ddof=min(1, kept.shape[0] * kept.shape[1] - 1))
        size = effective_size(kept)
        return pd.DataFrame(
            {
                "quantity": quantity_names(self.trace, coefficients, visits, groups),
                "mean": kept.mean(axis=(0, 1)),
                "sd": sd,
                "r_hat": r_hat(scalars[self.trace.burn_in :]),
                "effective_size": size,
                "autocorrelation": autocorrelation(scalars[self.trace.burn_in :], self.trace.thin),
                "mc_error": sd / np.sqrt(size),
            }
        )

    def unsettled(self, limit: float = 1.05) -> pd.DataFrame:
        """The rows of `diagnostics` whose R-hat is above a limit: more burn-in or thinning is due.

        Parameters
        ----------
        limit : float
        """
        table = self.diagnostics()
        return table[table["r_hat"] > limit]

    def trace_frame(
        self,
        coefficients: Sequence[str] | None = None,
        visits: Sequence[object] | None = None,
        groups: Sequence[object] | None = None,
    ) -> pd.DataFrame:
        """Every sweep of every chain, for figures: quantity, sweep, chain, value, kept.

        Parameters
        ----------
        coefficients, visits, groups : sequence, optional
            As of `diagnostics`.
        """
        scalars = self.trace.scalars()
        sweeps, chains, quantities = scalars.shape
        names = quantity_names(self.trace, coefficients, visits, groups)
        each = sweeps * chains
        return pd.DataFrame(
            {
                "quantity": np.repeat(names, each),
                "sweep": np.tile(np.repeat(np.arange(1, sweeps + 1), chains), quantities),
                "chain": np.tile(np.arange(1, chains + 1), sweeps * quantities),
                "value": scalars.transpose(2, 0, 1).ravel(),
                "burn_in": np.tile(
                    np.repeat(np.arange(sweeps) < self.trace.burn_in, chains), quantities
                ),
            }
        )


def quantity_names(
    trace: Trace,
    coefficients: Sequence[str] | None,
    visits: Sequence[object] | None,
    groups: Sequence[object] | None,
) -> list[str]:
    """What the scalars of a trace are called: coefficients, then "cov(4, 5)" and "var(5)"."""
    n_groups, n_visits = trace.Sigma.shape[2:4]
    named = list(coefficients or [f"beta {k + 1}" for k in range(trace.beta.shape[2])])
    visit = [str(v) for v in (visits if visits is not None else range(1, n_visits + 1))]
    group = [str(g) for g in (groups if groups is not None else range(1, n_groups + 1))]
    for label in group:
        of = f" {label}" if n_groups > 1 else ""
        for row, column in zip(*np.tril_indices(n_visits), strict=True):
            pair = f"cov({visit[column]}, {visit[row]})"
            named.append((f"var({visit[row]})" if row == column else pair) + of)
    return named
