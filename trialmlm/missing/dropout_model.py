"""Who leaves next: dropout as a discrete hazard, by the outcomes seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import special

from trialmlm.engine.logistic import Logistic, logistic, separating
from trialmlm.errors import FitError, UsageError
from trialmlm.formula.coding import make_coding
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.missing.observed import observe, require_constant
from trialmlm.missing.series import find_series, require_columns
from trialmlm.models.asked import check_share, rows_lost

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array, IntArray
    from trialmlm.missing.observed import Observed

#: what the frame of those at risk calls the last value observed, the one before, and leaving
LAST, PREVIOUS, LEAVES = "last", "previous", "leaves"


@dataclass(frozen=True, slots=True, repr=False, eq=False)
class DropoutModel:
    """A logistic model of dropout.

    Attributes
    ----------
    formula : str
        As fitted.
    frame : DataFrame
        term, estimate (log odds ratio of leaving per unit), std_error, statistic (z), p_value,
        ci_low, ci_high, odds_ratio, odds_ratio_low, odds_ratio_high. Aliased terms are NaN.
    at_risk : DataFrame
        The rows: subject, visit after which the subject may leave, `last` (the last value
        observed by then), `previous` (the one before it), `leaves` (1 or 0), and the arm and
        covariates.
    minus2_loglik : float
    notes : tuple of str
        Who is not used, and why.
    """

    formula: str
    frame: pd.DataFrame
    at_risk: pd.DataFrame
    minus2_loglik: float
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        leaves = int(self.at_risk[LEAVES].sum())
        return f"<DropoutModel {self.formula!r}, {leaves} of {len(self.at_risk):,} rows leave>"


def dropout_model(
    data: pd.DataFrame,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str | None = None,
    covariates: Sequence[str] = (),
    formula: str | None = None,
    visits: Sequence[Any] | None = None,
    confidence: float = 0.95,
) -> DropoutModel:
    """Model who leaves after a visit, given what was observed until then.

    Parameters
    ----------
    data : DataFrame
        At most one row per subject and visit. With the baseline among the visits, who leaves
        before the first visit is modelled as well.
    subject, visit, value : str
        Columns.
    arm : str, optional
    covariates : sequence of str
        Columns constant within subjects.
    formula : str, optional
        Right side of the model on the columns of `at_risk`, as ``"~ last * ARM + AVISIT"``; by
        default ``last``, the visit as a factor, the arm and the covariates.
    visits : sequence, optional
        The scheduled visits in order; by default those that occur.
    confidence : float

    Returns
    -------
    DropoutModel

    Raises
    ------
    UsageError
        If an argument names what is not there.
    DataError
        If the rows contradict each other.
    FitError
        If nobody leaves, everybody does, or a term separates those who leave from those who
        stay, so that its odds ratio has no finite estimate.

    Notes
    -----
    A subject is at risk of leaving after each visit up to the last observed one but the last
    scheduled, and leaves after the last observed one. logit P(leaves after visit k | there at k)
    = x_k'β, the discrete-time hazard, by maximum likelihood; standard errors from the
    information, intervals and tests are Wald's. An effect of past outcomes speaks against missing
    completely at random; whether dropout depends on the values not seen as well, no data tell.

    Examples
    --------
    >>> dropout_model(d, subject="USUBJID", visit="AVISIT", value="CHG", arm="ARM").frame
    ... # doctest: +SKIP
    """
    check_share("confidence", confidence)
    seen = observe(
        "dropout_model", data, subject=subject, visit=visit, value=value, arm=arm, visits=visits
    )
    carried = [*([arm] if arm else []), *covariates]
    _check_carried(data, seen, subject, visit, carried)
    at_risk = _at_risk(data, seen, subject, visit, carried)
    text = formula or _default(at_risk, visit, carried)
    read = read_formula(text)
    if read.response or read.covariance or read.random:
        msg = f"dropout_model: formula= found {text!r}, expected the right side alone, '~ last'"
        raise UsageError(msg)
    rows = model_frame(at_risk, [LEAVES, *sorted(read.variables)])
    y = rows.variables[LEAVES].numbers()
    coding = make_coding(read.fixed, rows.variables)
    columns = coding.matrix(rows.variables, rows.rows.size)
    _check_estimable(columns, y, coding.names)
    fit = logistic(columns, y)
    frame = _frame(fit, coding.names, confidence)
    notes = (*rows_lost(rows), *_never(seen))
    return DropoutModel(text, frame, at_risk, fit.minus2_loglik, notes)


def _check_carried(
    data: pd.DataFrame, seen: Observed, subject: str, visit: str, carried: Sequence[str]
) -> None:
    if len(seen.visits) < 2:
        msg = f"dropout_model: {visit} has one visit; to leave between visits takes two: list both"
        raise UsageError(msg)
    require_columns("dropout_model", data, carried)
    taken = [name for name in (*carried, subject, visit) if name in {LAST, PREVIOUS, LEAVES}]
    if taken:
        msg = f"dropout_model: a column is named {taken[0]}, as one that is made; rename it"
        raise UsageError(msg)
    series = find_series("dropout_model", data, [subject], visit, seen.visits)
    for name in carried:
        require_constant("dropout_model", data, series, subject, name, "has one value of it")


def _at_risk(
    data: pd.DataFrame, seen: Observed, subject: str, visit: str, carried: Sequence[str]
) -> pd.DataFrame:
    """A row per subject and visit after which the subject may leave."""
    last = seen.last
    who, at = np.nonzero(np.arange(len(seen.visits) - 1) <= last[:, None])
    own = data[list(carried)].iloc[seen.first[who]].reset_index(drop=True)
    latest = _latest(seen)
    frame = pd.DataFrame(
        {
            subject: seen.subjects[who],
            visit: pd.Categorical(seen.visits[at], seen.visits[:-1]),
            LAST: _value(seen, latest)[who, at],
            PREVIOUS: _value(seen, _before(latest))[who, at],
            LEAVES: (at == last[who]).astype(int),
        }
    )
    return pd.concat([frame, own], axis=1)


def _latest(seen: Observed) -> IntArray:
    """Position of the latest visit observed by then, −1 before there is one, n × T."""
    places = np.where(seen.seen, np.arange(len(seen.visits)), -1)
    found: IntArray = np.maximum.accumulate(places, axis=1)
    return found


def _before(latest: IntArray) -> IntArray:
    """The latest visit observed before the latest one."""
    behind = np.column_stack([np.full(len(latest), -1), latest])  # [:, k] is that before visit k
    found: IntArray = np.where(latest >= 0, np.take_along_axis(behind, latest.clip(0), 1), -1)
    return found


def _value(seen: Observed, place: IntArray) -> Array:
    found: Array = np.where(place >= 0, np.take_along_axis(seen.Y, place.clip(0), 1), np.nan)
    return found


def _default(at_risk: pd.DataFrame, visit: str, carried: Sequence[str]) -> str:
    several = len(at_risk[visit].unique()) > 1
    terms = [LAST, *([visit] if several else []), *carried]
    return "~ " + " + ".join(name if name.isidentifier() else f"Q('{name}')" for name in terms)


def _check_estimable(columns: Array, y: Array, names: Sequence[str]) -> None:
    if y.min() == y.max():
        msg = f"dropout_model: {'everybody' if y.max() else 'nobody'} leaves in {y.size:,} rows"
        raise FitError(msg)
    apart = separating(columns, y)
    if apart.size:
        listed = ", ".join(names[k] for k in apart)
        msg = (
            f"dropout_model: {listed} separate those who leave from those who stay: some "
            "odds ratio is infinite, and no estimate exists; pool levels of the factor, or leave "
            "the term out"
        )
        raise FitError(msg)


def _frame(fit: Logistic, names: Sequence[str], confidence: float) -> pd.DataFrame:
    half = special.ndtri(0.5 + confidence / 2.0) * fit.std_error
    statistic = fit.beta / fit.std_error
    return pd.DataFrame(
        {
            "term": names,
            "estimate": fit.beta,
            "std_error": fit.std_error,
            "statistic": statistic,
            "p_value": 2.0 * special.ndtr(-np.abs(statistic)),
            "ci_low": fit.beta - half,
            "ci_high": fit.beta + half,
            "odds_ratio": np.exp(fit.beta),
            "odds_ratio_low": np.exp(fit.beta - half),
            "odds_ratio_high": np.exp(fit.beta + half),
        }
    )


def _never(seen: Observed) -> tuple[str, ...]:
    never = int((seen.last < 0).sum())
    return (f"{never:,} subjects without any value are never at risk",) if never else ()
