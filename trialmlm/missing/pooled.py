"""One answer from many."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.inference.distributions import t_quantile, t_two_sided

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True, eq=False)
class Pooled:
    """Pooled estimates; every attribute has the shape (q,), NaN for what a method does not give.

    Attributes
    ----------
    estimate, std_error, df, ci_low, ci_high, statistic, p_value : ndarray
    fmi : ndarray
        Fraction of missing information.
    relative_efficiency : ndarray
        Of the imputations made, against infinitely many.
    monte_carlo_se : ndarray
        Of the estimate, from the imputations being finitely many; 0 where nothing is drawn.
    imputations, replicates : ndarray
        Random fillings averaged; resamples behind the standard error.
    """

    estimate: Array
    std_error: Array
    df: Array
    ci_low: Array
    ci_high: Array
    statistic: Array
    p_value: Array
    fmi: Array
    relative_efficiency: Array
    monte_carlo_se: Array
    imputations: Array
    replicates: Array

    def columns(self) -> dict[str, Array]:
        """By the names of the columns of a frame."""
        return {field.name: getattr(self, field.name) for field in fields(self)}


def wald(
    estimate: Array,
    std_error: Array,
    df: Array,
    confidence: float,
    *,
    imputations: int,
    replicates: int = 0,
    **known: Array,
) -> Pooled:
    """With t intervals and tests; df of infinity is the normal distribution."""
    with np.errstate(divide="ignore", invalid="ignore"):
        statistic = estimate / std_error
    half = t_quantile(0.5 + confidence / 2.0, df) * std_error
    absent = np.full(estimate.shape, np.nan)
    blank = {"fmi": absent, "relative_efficiency": absent, "monte_carlo_se": 0.0 * estimate}
    counts = {"imputations": imputations, "replicates": replicates}
    return Pooled(
        estimate,
        std_error,
        df,
        estimate - half,
        estimate + half,
        statistic,
        t_two_sided(statistic, df),
        **{**blank, **known},
        **{name: np.full(estimate.shape, count) for name, count in counts.items()},
    )
