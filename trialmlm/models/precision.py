"""Precision of a measurement method: variance components of nested runs, after CLSI EP05."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.formula.frame import model_frame
from trialmlm.inference.nested import NestedAnova, nested_anova
from trialmlm.inference.variance_intervals import (
    BALANCED_ONLY,
    VARIANCE_INTERVALS,
    Combination,
)
from trialmlm.models.asked import check_share, rows_lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True, repr=False)
class Precision:
    """Variance components of a precision experiment.

    Attributes
    ----------
    anova : NestedAnova
        Mean squares and their expectations.
    names : tuple of str
        Of the components, outermost first: ``day``, ``day:run``, ``error``.
    interval : str
        The kind of interval in `frame`.
    confidence : float
    lost : tuple of str
        Which rows are not used.
    """

    anova: NestedAnova
    names: tuple[str, ...]
    interval: str
    confidence: float
    lost: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"<Precision {', '.join(self.names)}, {self.anova.codes.shape[1]:,} rows>"

    @property
    def mean(self) -> float:
        """Of all rows, to which the coefficients of variation refer."""
        return self.anova.mean

    @property
    def notes(self) -> tuple[str, ...]:
        """What the reader of a result should know."""
        raw = self.anova.variances
        return self.lost + tuple(
            f"the variance of {name} was estimated as {value:.4g} and is set to 0"
            for name, value in zip(self.names, raw, strict=True)
            if value < 0.0
        )

    @property
    def frame(self) -> pd.DataFrame:
        """The components.

        Returns
        -------
        DataFrame
            component (``total``, then outermost to ``error``, the repeatability), meaning, df
            (Satterthwaite's), variance, percent, sd, cv (percent of the mean), sd_low, sd_high,
            cv_low, cv_high.
        """
        kept = np.maximum(self.anova.variances, 0.0)
        spread = self.anova.covariance(kept)
        weights = [(kept > 0.0).astype(float), *np.eye(kept.size)]
        meanings = ["within the laboratory, all components", *self._meanings()]
        rows = [
            {"component": name, "meaning": meaning, **self._row(weight, kept, spread)}
            for name, meaning, weight in zip(("total", *self.names), meanings, weights, strict=True)
        ]
        return pd.DataFrame(rows)

    @property
    def mean_squares(self) -> pd.DataFrame:
        """The analysis of variance: component, df, sum_sq, mean_sq, and its expectation in words.

        Returns
        -------
        DataFrame
        """
        share = self.anova.expectation / self.anova.df[:, None]
        words = [
            " + ".join(f"{c:.6g} {name}" for c, name in zip(row, self.names, strict=True) if c)
            for row in np.where(np.abs(share) > 1e-12, share, 0.0)
        ]
        found = self.anova
        return pd.DataFrame(
            {
                "component": self.names,
                "df": found.df,
                "sum_sq": found.sum_sq,
                "mean_sq": found.mean_sq,
                "expected": words,
            }
        )

    def _meanings(self) -> list[str]:
        outer = [f"between {name.split(':')[-1]}" for name in self.names[:-1]]
        inside = [f", within {name.split(':')[-1]}" for name in self.names[:-2]]
        last = self.names[-2].split(":")[-1]
        return [
            *(a + b for a, b in zip(outer, ("", *inside), strict=True)),
            f"within {last}, the repeatability",
        ]

    def _row(self, weight: Array, kept: Array, spread: Array) -> dict[str, float]:
        """One line: the sum of the components weighted."""
        anova = self.anova
        c: Array = (weight @ np.linalg.inv(anova.expectation)) * anova.df
        c = np.where(np.abs(c) > 1e-12 * np.abs(c).max(), c, 0.0) if c.any() else c
        of = Combination(c, anova.mean_sq, anova.df, float(weight @ spread @ weight))
        variance = float(weight @ kept)
        low, high = VARIANCE_INTERVALS[self.interval](of, 1.0 - self.confidence)
        sd, total = np.sqrt(variance), float(kept.sum())
        sd_low, sd_high = np.sqrt(low), np.sqrt(high)
        to_cv = 100.0 / abs(anova.mean) if anova.mean else float("nan")
        return {
            "df": of.satterthwaite_df if variance > 0.0 else float("nan"),
            "variance": variance,
            "percent": 100.0 * variance / total,
            "sd": sd,
            "cv": sd * to_cv,
            "sd_low": sd_low,
            "sd_high": sd_high,
            "cv_low": sd_low * to_cv,
            "cv_high": sd_high * to_cv,
        }


def precision(
    data: pd.DataFrame,
    value: str,
    nested: str | Sequence[str],
    *,
    interval: str = "satterthwaite",
    confidence: float = 0.95,
) -> Precision:
    """Estimate the precision of a measurement method from a nested experiment.

    Parameters
    ----------
    data : DataFrame
        One row per measurement of one sample. Rows with a missing value are not used.
    value : str
        The column measured.
    nested : str or sequence of str
        The factors, outermost first, as ``("day", "run")`` or ``("site", "day", "run")``; a run
        is one of its day, whatever its label.
    interval : {"satterthwaite", "wald", "mls"}
        χ² on Satterthwaite's df; normal, and χ² for the repeatability; or the modified large
        sample of balanced data.
    confidence : float

    Returns
    -------
    Precision

    Raises
    ------
    FitError
        If a level has no more groups than the one it is nested in.
    NotAvailableError
        For the modified large-sample interval of unbalanced data.
    UsageError

    Notes
    -----
    Mean squares are equated to their expectations, balanced or not; an estimate below zero is set
    to zero, and `notes` says so. CLSI EP05-A3.

    Examples
    --------
    >>> precision(glucose, "result", ("day", "run")).frame  # doctest: +SKIP
    """
    names = (nested,) if isinstance(nested, str) else tuple(nested)
    if interval not in VARIANCE_INTERVALS:
        msg = f"interval: found {interval!r}, expected one of {', '.join(VARIANCE_INTERVALS)}"
        raise UsageError(msg)
    if not names:
        raise UsageError("nested: names no factor; name the outermost first, as ('day', 'run')")
    check_share("confidence", confidence)
    rows = model_frame(data, [value, *names])
    variables = rows.variables
    anova = _anova(variables[value], [variables[name].as_factor() for name in names])
    if interval in BALANCED_ONLY and not anova.balanced:
        msg = (
            f"interval: {interval} needs balanced data, every group with equally many parts; use "
            "'satterthwaite'"
        )
        raise NotAvailableError(msg)
    full = tuple(":".join(names[: k + 1]) for k in range(len(names)))
    return Precision(anova, (*full, "error"), interval, confidence, rows_lost(rows))


def _anova(value: Variable, factors: Sequence[Variable]) -> NestedAnova:
    found = nested_anova(value.numbers(), [factor.codes for factor in factors])
    for factor, df in zip(factors, found.df, strict=False):
        if df < 1:
            msg = (
                f"{factor.name} has one level in each group it is nested in: its variance cannot "
                "be estimated; leave it out"
            )
            raise FitError(msg)
    if not found.sum_sq.max() > 0.0:
        raise FitError(f"{value.name} is the same in all rows: there is no variance to estimate")
    if found.df[-1] < 1:
        msg = (
            f"every {factors[-1].name} has one row: there are no replicates, leave it out of nested"
        )
        raise FitError(msg)
    return found
