"""Intervals of linear combinations of mean squares: Satterthwaite, Wald, modified large sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.quantiles import chi2_quantile, f_quantile, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array, IntArray


@dataclass(frozen=True, slots=True)
class Combination:
    """γ̂ = Σ c_j MS_j, an estimate of a variance.

    Attributes
    ----------
    c : ndarray, shape (k,)
    mean_sq : ndarray, shape (k,)
    df : ndarray of int, shape (k,)
    variance : float
        Of γ̂, as estimated.
    """

    c: Array
    mean_sq: Array
    df: IntArray
    variance: float

    @property
    def estimate(self) -> float:
        """γ̂."""
        return float(self.c @ self.mean_sq)

    @property
    def satterthwaite_df(self) -> float:
        """2γ̂² / Var γ̂ (Satterthwaite 1946)."""
        return 2.0 * self.estimate**2 / self.variance


def satterthwaite(of: Combination, alpha: float) -> tuple[float, float]:
    """νγ̂ / χ²_ν on Satterthwaite's ν: exact for one mean square, rough for differences."""
    if of.estimate <= 0.0:
        return (0.0, float("nan"))
    df = of.satterthwaite_df
    scaled = df * of.estimate
    return scaled / chi2_quantile(1.0 - alpha / 2.0, df), scaled / chi2_quantile(alpha / 2.0, df)


def wald(of: Combination, alpha: float) -> tuple[float, float]:
    """γ̂ ± z SE, cut at zero: exact for one mean square alone, which then takes its χ²."""
    if np.count_nonzero(of.c) == 1:
        return satterthwaite(of, alpha)
    half = normal_quantile(1.0 - alpha / 2.0) * float(np.sqrt(of.variance))
    return max(0.0, of.estimate - half), max(0.0, of.estimate + half)


def modified_large_sample(of: Combination, alpha: float) -> tuple[float, float]:
    """The modified large-sample interval, cut at zero; mean squares must be independent.

    Notes
    -----
    Graybill and Wang (1980) for sums, Ting, Burdick, Graybill, Jeyaratnam and Lu (1990) for
    differences: the squared distances G²c²MS² and H²c²MS² make the interval of each mean square
    exact, and the products between a positive and a negative part that of their ratio's F test.
    """
    tail = alpha / 2.0
    positive, negative = np.flatnonzero(of.c > 0.0), np.flatnonzero(of.c < 0.0)
    size = np.abs(of.c) * of.mean_sq
    G = np.array([1.0 - n / chi2_quantile(1.0 - tail, n) for n in of.df.tolist()])
    H = np.array([n / chi2_quantile(tail, n) - 1.0 for n in of.df.tolist()])
    down = float(np.square(G * size)[positive].sum() + np.square(H * size)[negative].sum())
    up = float(np.square(H * size)[positive].sum() + np.square(G * size)[negative].sum())
    for q in positive:
        for r in negative:
            n, m, product = int(of.df[q]), int(of.df[r]), float(size[q] * size[r])
            F, f = f_quantile(1.0 - tail, n, m), f_quantile(tail, n, m)
            down += product * ((F - 1.0) ** 2 - (G[q] * F) ** 2 - H[r] ** 2) / F
            up += product * ((1.0 - f) ** 2 - (H[q] * f) ** 2 - G[r] ** 2) / f
    low = of.estimate - np.sqrt(max(0.0, down))
    high = of.estimate + np.sqrt(max(0.0, up))
    return max(0.0, float(low)), max(0.0, float(high))


#: name -> the interval of a combination of mean squares at 1 − α
VARIANCE_INTERVALS: Mapping[str, Callable[[Combination, float], tuple[float, float]]] = {
    "satterthwaite": satterthwaite,
    "wald": wald,
    "mls": modified_large_sample,
}
#: those that need independent mean squares, which only balanced data give
BALANCED_ONLY = frozenset({"mls"})
