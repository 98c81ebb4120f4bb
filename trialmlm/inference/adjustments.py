"""Adjustments for making several comparisons at once: the one table of them.

Each gives adjusted p-values and, where the method has them, the half width of simultaneous
intervals in standard errors; a stepwise method has none that is generally agreed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.inference.distributions import t_quantile
from trialmlm.inference.max_t import max_t_quantile, max_t_upper
from trialmlm.inference.stepwise import fixed_sequence, hochberg, holm
from trialmlm.inference.studentized_range import range_quantile, range_upper

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Family:
    """Comparisons that are adjusted together, each of them estimable.

    Attributes
    ----------
    statistic, p_value, df : ndarray, shape (m,)
        t statistics, their unadjusted p-values, and each one's own degrees of freedom (SAS's
        ADJDFE=ROW).
    correlation : ndarray, shape (m, m)
        Of the estimates.
    n_means : int
        Means that are compared if every comparison is a difference of two; otherwise 0.
    """

    statistic: Array
    p_value: Array
    df: Array
    correlation: Array
    n_means: int


#: family -> adjusted p-values
PValues: TypeAlias = Callable[[Family], "Array"]
#: family, simultaneous confidence -> half widths in standard errors
HalfWidths: TypeAlias = Callable[[Family, float], "Array"]


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A method by its two answers.

    Attributes
    ----------
    p_values, half_widths
    in_order : bool
        Whether nothing is tested after a hypothesis that was not rejected.
    """

    p_values: PValues
    half_widths: HalfWidths
    in_order: bool = False


def _no_intervals(family: Family, confidence: float) -> Array:
    del confidence
    return np.full(family.df.size, np.nan)


def _bonferroni_p(family: Family) -> Array:
    bound: Array = np.minimum(family.p_value * family.p_value.size, 1.0)
    return bound


def _bonferroni_half(family: Family, confidence: float) -> Array:
    return t_quantile(1.0 - (1.0 - confidence) / (2.0 * family.df.size), family.df)


def _sidak_p(family: Family) -> Array:
    with np.errstate(divide="ignore"):  # a p-value of one stays one
        logs = np.log1p(-family.p_value.clip(0.0, 1.0))
    result: Array = -np.expm1(family.p_value.size * logs)
    return result


def _sidak_half(family: Family, confidence: float) -> Array:
    each = confidence ** (1.0 / family.df.size)
    return t_quantile(0.5 + each / 2.0, family.df)


def _dunnett_p(family: Family) -> Array:
    found = [
        max_t_upper(abs(t), family.correlation, df)
        for t, df in zip(family.statistic.tolist(), family.df.tolist(), strict=True)
    ]
    # what the numerical error of the integral must not change
    bound = np.minimum(family.p_value * family.p_value.size, 1.0)
    clipped: Array = np.clip(np.array(found), family.p_value, bound)
    return clipped


def _dunnett_half(family: Family, confidence: float) -> Array:
    R = family.correlation
    return _by_df(family.df, lambda df: max_t_quantile(confidence, R, df))


def _tukey_p(family: Family) -> Array:
    k = _means_compared(family)
    found = [
        range_upper(np.sqrt(2.0) * abs(t), k, df)
        for t, df in zip(family.statistic.tolist(), family.df.tolist(), strict=True)
    ]
    bounded: Array = np.maximum(np.array(found), family.p_value)
    return bounded


def _tukey_half(family: Family, confidence: float) -> Array:
    k = _means_compared(family)
    return _by_df(family.df, lambda df: range_quantile(confidence, k, df) / float(np.sqrt(2.0)))


def _by_df(df: Array, half_width: Callable[[float], float]) -> Array:
    """One root is found per distinct df."""
    distinct, place = np.unique(df, return_inverse=True)
    found: Array = np.array([half_width(value) for value in distinct.tolist()])[place]
    return found


def _means_compared(family: Family) -> int:
    if family.n_means < 2:
        raise UsageError(
            "adjust: 'tukey' is for differences of two means within one group; "
            "use 'dunnett', which takes any contrasts, or 'holm'"
        )
    return family.n_means


#: name -> method. Bonferroni; Šidák (1967); Holm (1979); Hochberg (1988); Dunnett (1955) from the
#: joint distribution with the contrasts' own correlation, which for other contrasts than those
#: with a control is the single-step maximum-|t| method; Tukey and Kramer (1956); fixed sequence.
ADJUSTMENTS: Mapping[str, Adjustment] = {
    "none": Adjustment(lambda f: f.p_value, lambda f, level: t_quantile(0.5 + level / 2.0, f.df)),
    "bonferroni": Adjustment(_bonferroni_p, _bonferroni_half),
    "sidak": Adjustment(_sidak_p, _sidak_half),
    "holm": Adjustment(lambda f: holm(f.p_value), _no_intervals),
    "hochberg": Adjustment(lambda f: hochberg(f.p_value), _no_intervals),
    "fixed-sequence": Adjustment(lambda f: fixed_sequence(f.p_value), _no_intervals, True),
    "dunnett": Adjustment(_dunnett_p, _dunnett_half),
    "tukey": Adjustment(_tukey_p, _tukey_half),
}
