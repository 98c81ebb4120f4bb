"""Shares of the variance at every level, and the correlations that they imply."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.inference.quantiles import normal_quantile
from trialmlm.models.asked import check_share

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from trialmlm.arrays import Array

RESIDUAL = "Residual"
#: a share below this is at its boundary, where it has no standard error
_ZERO = 1e-8


@dataclass(frozen=True, slots=True)
class _Share:
    """A ratio of sums of components, with the weights of both."""

    part: Array
    whole: Array

    def value(self, components: Array) -> float:
        return float(self.part @ components / (self.whole @ components))

    def std_error(self, components: Array, covariance: Array) -> float:
        """By the delta method."""
        whole = float(self.whole @ components)
        slope = (self.part - self.value(components) * self.whole) / whole
        return float(np.sqrt((slope @ covariance @ slope).clip(0.0)))


def variance_partition(
    components: pd.DataFrame,
    covariance: Array,
    *,
    outer: Mapping[str, Collection[str]] | None = None,
    at: Mapping[str, float] | None = None,
    residual: str | None = None,
    confidence: float = 0.95,
) -> pd.DataFrame:
    """Split the variance of a response among the levels of its hierarchy.

    Parameters
    ----------
    components : DataFrame
        As of ``fit.variance_components()``: group, term, term_2, variance.
    covariance : ndarray
        Of the estimates, in the same order.
    outer : mapping, optional
        Of a grouping factor, those that it is nested in; none by default.
    at : mapping, optional
        The values of the slopes' columns at which the response stands; zero otherwise.
    residual : str, optional
        Whose residual variance, where there are several.
    confidence : float
        Of the intervals.

    Returns
    -------
    DataFrame
        group, variance, share, share_low, share_high; icc, std_error, icc_low, icc_high: the
        correlation of two responses in the same group (and so in the same outer ones), NaN of the
        residual.

    Raises
    ------
    UsageError
        At a name that no slope has, or without a choice among residual variances.

    Notes
    -----
    The intervals are symmetric on the logit scale, by the delta method; NaN at a share of zero,
    where none of them means anything.
    """
    check_share("confidence", confidence)
    weights = _weights(components, at or {}, residual)
    values = components["variance"].to_numpy()
    whole = np.sum(list(weights.values()), axis=0)
    z = normal_quantile(0.5 + confidence / 2.0)
    rows = []
    for group, part in weights.items():
        own = _interval(_Share(part, whole), values, covariance, z)
        row = {"group": group, "variance": float(part @ values), "share": own[0]}
        row |= {"share_low": own[2], "share_high": own[3]}
        around = [weights[name] for name in (outer or {}).get(group, ())]
        both = _interval(_Share(np.sum([part, *around], axis=0), whole), values, covariance, z)
        names = ("icc", "std_error", "icc_low", "icc_high")
        blank = (float("nan"),) * 4
        rows.append(row | dict(zip(names, blank if group == RESIDUAL else both, strict=True)))
    return pd.DataFrame(rows)


def _interval(
    share: _Share, components: Array, covariance: Array, z: float
) -> tuple[float, float, float, float]:
    """Share, standard error and limits."""
    p = share.value(components)
    if not _ZERO < p < 1.0 - _ZERO:
        return p, float("nan"), float("nan"), float("nan")
    error = share.std_error(components, covariance)
    centre, half = np.log(p / (1.0 - p)), z * error / (p * (1.0 - p))
    low, high = (float(1.0 / (1.0 + np.exp(-end))) for end in (centre - half, centre + half))
    return p, error, low, high


def _weights(
    components: pd.DataFrame, at: Mapping[str, float], residual: str | None
) -> dict[str, Array]:
    """Of every group, how often each component counts in its variance."""
    random = components[components["group"] != RESIDUAL]
    slopes = set(random["term"]) - {"(Intercept)"}
    strange = sorted(set(at) - slopes)
    if strange:
        listed = ", ".join(sorted(slopes)) or "none"
        msg = f"at: {', '.join(strange)} is not a random slope of the model; they are: {listed}"
        raise UsageError(msg)
    place = {"(Intercept)": 1.0, "": 1.0, **dict.fromkeys(slopes, 0.0), **at}
    first = np.array([place.get(term, 0.0) for term in components["term"]])
    second = np.array([place[term] for term in components["term_2"]])
    alone = (components["term_2"] == "").to_numpy()
    product = np.where(alone, first**2, 2.0 * first * second)
    names = components["group"].to_numpy()
    found = {str(g): np.where(names == g, product, 0.0) for g in dict.fromkeys(random["group"])}
    return {**found, RESIDUAL: _residual(components, residual)}


def _residual(components: pd.DataFrame, residual: str | None) -> Array:
    own = (components["group"] == RESIDUAL).to_numpy(dtype=bool)
    labels: Sequence[str] = components.loc[own, "term"].tolist()
    if residual is None and len(labels) == 1:
        return own.astype(float)
    if residual not in labels:
        msg = f"residual: found {residual!r}; name one of {', '.join(labels) or 'none'}"
        raise UsageError(msg)
    return (own & (components["term"] == residual).to_numpy(dtype=bool)).astype(float)
