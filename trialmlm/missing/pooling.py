"""Rubin's rules: one estimate of many imputations, its variance, and what is lost."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.inference.distributions import t_two_sided
from trialmlm.missing.hypothesis_tests import Inference, t_tests

if TYPE_CHECKING:
    from trialmlm.arrays import Array

#: (imputations, lambda, complete-data df) -> df
_Rule = Callable[[int, "Array", "Array"], "Array"]

#: B below this share of Ū is rounding: SDs that differ by a factor of 1e-10
ROUNDING = 1e-20


@dataclass(frozen=True, slots=True, eq=False)
class Rubin:
    """Estimates pooled over M imputations; arrays have the shape (q,), one entry per quantity.

    Attributes
    ----------
    imputations : int
        M.
    estimate : ndarray
        Mean of the estimates.
    within : ndarray
        Ū, the mean of their squared standard errors.
    between : ndarray
        B, their variance; NaN of one imputation, and so is all that rests on it.
    df : ndarray
    """

    imputations: int
    estimate: Array
    within: Array
    between: Array
    df: Array

    @property
    def total(self) -> Array:
        """T = Ū + (1 + 1/M) B."""
        return self.within + self._added

    @property
    def std_error(self) -> Array:
        """√T."""
        return np.sqrt(self.total)

    @property
    def riv(self) -> Array:
        """Relative increase in variance through missing values, (1 + 1/M) B/Ū."""
        return _ratio(self._added, self.within)

    @property
    def lost(self) -> Array:
        """λ = (1 + 1/M) B/T, the share of the variance that missing values cause."""
        return _ratio(self._added, self.total)

    @property
    def fmi(self) -> Array:
        """Fraction of missing information, (r + 2/(df + 3))/(r + 1); 0 where B is 0."""
        found = (self.riv + 2 / (self.df + 3)) / (self.riv + 1)
        return np.where(self.between == 0, 0.0, found)

    @property
    def relative_efficiency(self) -> Array:
        """Of M imputations against infinitely many, 1/(1 + FMI/M)."""
        return 1 / (1 + self.fmi / self.imputations)

    @property
    def monte_carlo_error(self) -> Array:
        """Standard error of the estimate from M being finite, √(B/M)."""
        return np.sqrt(self.between / self.imputations)

    @property
    def _added(self) -> Array:
        return (1 + 1 / self.imputations) * self.between

    def tested(
        self, *, null: float = 0.0, alternative: str = "two-sided", confidence: float = 0.95
    ) -> Inference:
        """Tests and intervals by t, as `t_tests` has them."""
        return t_tests(self.estimate, self.std_error, self.df, null=null,
                       alternative=alternative, confidence=confidence)  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class MonteCarloErrors:
    """By how much pooled numbers would vary over other sets of M imputations; shapes (q,)."""

    estimate: Array
    std_error: Array
    df: Array
    p_value: Array


def rubin(
    estimates: Array,
    std_errors: Array,
    *,
    df_complete: Array | float = np.inf,
    rule: str = "barnard-rubin",
) -> Rubin:
    """Pool by the rules of Rubin (1987, ch. 3).

    Parameters
    ----------
    estimates, std_errors : ndarray, shape (M, q)
        Of each imputation and quantity.
    df_complete : float or ndarray that broadcasts to (M, q)
        Degrees of freedom of each analysis had nothing been missing. Where they differ between
        imputations, as Satterthwaite's do, their mean counts.
    rule : {"barnard-rubin", "rubin-1987"}
        Degrees of freedom: with `df_complete`, as R's mice and rbmi and SAS PROC MIANALYZE with
        EDF= have them; or large-sample, as PROC MIANALYZE without EDF=.

    Returns
    -------
    Rubin

    Raises
    ------
    UsageError
        If shapes differ, there is no imputation, or no such rule.

    Notes
    -----
    Barnard and Rubin (1999): 1/df = 1/ν_m + 1/ν_obs with ν_m = (M - 1)/λ² and
    ν_obs = (ν + 1)/(ν + 3) ν (1 - λ), ν the complete-data df. λ = 0 leaves ν_obs, not ν.

    Examples
    --------
    >>> pooled = rubin(np.array([[-2.1], [-2.9]]), np.array([[0.9], [1.1]]), df_complete=30)
    >>> f"{pooled.estimate[0]:.1f} ({pooled.std_error[0]:.4f}), df {pooled.df[0]:.3f}"
    '-2.5 (1.2207), df 6.405'
    """
    _check(estimates, std_errors, rule)
    complete = np.broadcast_to(df_complete, estimates.shape).mean(axis=0)
    within = (std_errors**2).mean(axis=0)
    return _rubin(
        len(estimates),
        estimates.mean(axis=0),
        within,
        _between(estimates, within),
        complete,
        RULES[rule],
    )


def monte_carlo_errors(
    estimates: Array,
    std_errors: Array,
    *,
    df_complete: Array | float = np.inf,
    rule: str = "barnard-rubin",
    null: float = 0.0,
) -> MonteCarloErrors:
    """Monte Carlo standard errors of the pooled estimate, SE, df and two-sided p-value.

    The jackknife over imputations (White, Royston and Wood 2011, sec. 7): each left out in turn,
    by updating means and variances. With fewer than 3 imputations they are NaN, but the
    estimate's.

    Parameters
    ----------
    estimates, std_errors, df_complete, rule
        As of `rubin`.
    null : float
        Value of no effect.

    Raises
    ------
    UsageError
        As of `rubin`.
    """
    full = rubin(estimates, std_errors, df_complete=df_complete, rule=rule)
    m = full.imputations
    if m < 3:
        unknown = np.full(full.estimate.shape, np.nan)
        return MonteCarloErrors(full.monte_carlo_error, unknown, unknown, unknown)
    away = estimates - full.estimate
    complete = np.broadcast_to(df_complete, estimates.shape)
    left = _rubin(
        m - 1,
        full.estimate - away / (m - 1),
        (m * full.within - std_errors**2) / (m - 1),
        # a sum of squares less one of its terms; rounding may leave it below 0
        np.maximum((m - 1) * full.between - m / (m - 1) * away**2, 0.0) / (m - 2),
        # taken from the mean of the others, so that infinite df stay infinite
        np.where(np.isinf(complete), np.inf, _mean_of_others(complete)),
        RULES[rule],
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        p_value = t_two_sided((left.estimate - null) / left.std_error, left.df)
    return MonteCarloErrors(
        full.monte_carlo_error, *map(_spread, (left.std_error, left.df, p_value))
    )


def _rubin(
    imputations: int, estimate: Array, within: Array, between: Array, complete: Array, rule: _Rule
) -> Rubin:
    added = (1 + 1 / imputations) * between
    df = rule(imputations, _ratio(added, within + added), complete)
    return Rubin(imputations, estimate, within, between, df)


def _between(estimates: Array, within: Array) -> Array:
    """B; 0 where imputations differ by rounding alone, as at a visit that misses nobody."""
    if len(estimates) == 1:
        return np.full(within.shape, np.nan)
    found = estimates.var(axis=0, ddof=1)
    return np.where(found <= ROUNDING * within, 0.0, found)


def _large_sample(imputations: int, lost: Array, complete: Array) -> Array:
    """(M - 1)/λ², Rubin (1987), eq. 3.1.6."""
    del complete
    with np.errstate(divide="ignore"):
        return (imputations - 1) / lost**2


def _barnard_rubin(imputations: int, lost: Array, complete: Array) -> Array:
    large = _large_sample(imputations, lost, complete)
    finite = np.where(np.isinf(complete), 1.0, complete)
    observed = (finite + 1) / (finite + 3) * finite * (1 - lost)
    with np.errstate(divide="ignore"):
        both = 1 / (1 / large + 1 / observed)
    return np.where(np.isinf(complete), large, both)


#: name -> degrees of freedom
RULES: Mapping[str, _Rule] = {"barnard-rubin": _barnard_rubin, "rubin-1987": _large_sample}


def _ratio(part: Array, whole: Array) -> Array:
    """0 of 0 is 0: nothing varies, so nothing is lost."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part == 0, 0.0, part / whole)


def _mean_of_others(each: Array) -> Array:
    finite = np.where(np.isinf(each), 0.0, each)
    others: Array = (finite.sum(axis=0) - finite) / (len(each) - 1)
    return others


def _spread(left: Array) -> Array:
    """The jackknife's standard error; 0 of infinite df, which do not vary."""
    constant = (left == left[0]).all(axis=0)
    settled = np.where(constant, 0.0, left)
    spread: Array = np.sqrt((len(left) - 1) * settled.var(axis=0))
    return spread


def _check(estimates: Array, std_errors: Array, rule: str) -> None:
    if rule not in RULES:
        msg = f"rule: found {rule!r}, expected one of {', '.join(RULES)}"
        raise UsageError(msg)
    if estimates.ndim != 2 or estimates.shape != std_errors.shape or not len(estimates):
        msg = (
            f"found estimates {estimates.shape} and standard errors {std_errors.shape}; expected "
            "both as imputations × quantities, at least one imputation"
        )
        raise UsageError(msg)
