"""Agreement of two methods of measurement: bias and limits of agreement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.frame import model_frame
from trialmlm.inference.limits_of_agreement import (
    REPEATED,
    SINGLE,
    Differences,
    bias,
    differences,
    variance_interval,
)
from trialmlm.inference.quantiles import normal_quantile
from trialmlm.models.asked import check_share, rows_lost

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import IntArray
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True, repr=False)
class BlandAltman:
    """Two methods of measurement compared.

    Attributes
    ----------
    frame : DataFrame
        quantity (bias, lower limit, upper limit, sd), estimate, ci_low, ci_high, interval: how
        the interval was made.
    points : DataFrame
        mean and difference (first − second) of each pair, with the index of the data, and the
        subject where one is named.
    summary : Differences
        What they were made from; the variance between and within subjects.
    notes : tuple of str
        What the reader of a result should know.
    """

    frame: pd.DataFrame
    points: pd.DataFrame
    summary: Differences
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<BlandAltman {self.summary.pairs:,} pairs of {self.summary.n:,} subjects>"


def bland_altman(
    data: pd.DataFrame,
    first: str,
    second: str,
    subject: str | None = None,
    *,
    interval: str | None = None,
    coverage: float = 0.95,
    confidence: float = 0.95,
) -> BlandAltman:
    """Bias and limits of agreement of two methods (Bland and Altman 1986, 1999).

    Parameters
    ----------
    data : DataFrame
        One row per pair of measurements; incomplete pairs are not used, and counted.
    first, second : str
        The columns of the two methods; differences are first − second.
    subject : str, optional
        Who the pair is of, where subjects have several: pairs of one subject are alike.
    interval : {"exact", "approximate", "mover"}, optional
        Of the limits: the noncentral t (default), Bland and Altman's normal one, or that
        recovered from the intervals of bias and variance, the only one of several pairs per
        subject (and their default).
    coverage : float
        Share of single differences between the limits.
    confidence : float

    Returns
    -------
    BlandAltman

    Raises
    ------
    FitError
        If there are fewer than three subjects.
    UsageError

    Notes
    -----
    Of several pairs per subject, whose true value may change, the variance of a single difference
    is that of the subjects' means plus (1 − 1/m) of that within subjects, m the harmonic mean of
    the pairs per subject, and the bias is the mean of the subjects' means (Zou 2013); with equally
    many pairs these are the analysis of variance's (Bland and Altman 2007).

    Examples
    --------
    >>> bland_altman(flow, "wright", "mini").frame  # doctest: +SKIP
    """
    check_share("coverage", coverage)
    check_share("confidence", confidence)
    rows = model_frame(data, [first, second, *([subject] if subject else [])])
    one, two = rows.variables[first].numbers(), rows.variables[second].numbers()
    codes = _codes(rows.variables, subject, one.size)
    if codes.max() < 2:
        msg = f"{codes.max() + 1} subjects with a pair; limits of agreement need three at least"
        raise FitError(msg)
    found = differences(one - two, codes)
    points = pd.DataFrame({"mean": (one + two) / 2.0, "difference": one - two}, index=rows.labels)
    if subject:
        points.insert(0, subject, data[subject].iloc[rows.rows])
    frame = _frame(found, _kind(found, interval), coverage, 1.0 - confidence)
    return BlandAltman(frame, points, found, rows_lost(rows, "pairs"))


def _codes(variables: Mapping[str, Variable], subject: str | None, size: int) -> IntArray:
    return np.arange(size) if subject is None else variables[subject].as_factor().codes


def _kind(found: Differences, interval: str | None) -> str:
    """The interval asked for, or the default."""
    kinds = REPEATED if found.pairs > found.n else SINGLE
    if interval is None:
        return next(iter(kinds))
    if interval in kinds:
        return interval
    why = "with several pairs per subject " if interval in SINGLE else ""
    msg = f"interval: found {interval!r}, {why}expected one of {', '.join(kinds)}"
    raise UsageError(msg)


def _frame(found: Differences, kind: str, coverage: float, alpha: float) -> pd.DataFrame:
    z, sd = normal_quantile(0.5 + coverage / 2.0), float(np.sqrt(found.variance))
    centre = bias(found, alpha)
    rows: list[tuple[Any, ...]] = [
        ("bias", centre.estimate, centre.ci_low, centre.ci_high, "t"),
        *(
            (f"{side} limit", found.bias + shift * sd, *SINGLE[kind](found, shift, alpha), kind)
            for side, shift in (("lower", -z), ("upper", z))
        ),
        ("sd", sd, *np.sqrt(np.maximum(variance_interval(found, alpha), 0.0)),
         "chi-squared" if found.pairs == found.n else "mls"),
    ]  # fmt: skip
    return pd.DataFrame(
        rows, columns=pd.Index(["quantity", "estimate", "ci_low", "ci_high", "interval"])
    )
