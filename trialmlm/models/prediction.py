"""Predictions of an MMRM: means and responses, of new subjects and of those of the fit."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import UsageError
from trialmlm.inference.distributions import t_quantile
from trialmlm.inference.prediction import Predictor
from trialmlm.inference.source import Repeated
from trialmlm.models.new_rows import (
    design_rows,
    group_codes,
    root_weights,
    subject_codes,
    visit_codes,
)

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.visit_covariance import VisitCovariance
    from trialmlm.models.mmrm import MmrmFit

#: interval= -> how its limits are called
INTERVALS = {"confidence": ("ci_low", "ci_high"), "prediction": ("pi_low", "pi_high")}
#: rows predicted at once: what stands beside each is subject × visit × coefficient
_AT_ONCE = 4096


@dataclass(frozen=True, slots=True)
class Known:
    """The responses that predictions are conditional on, and whose row each stands in.

    Attributes
    ----------
    place : ndarray of int, shape (r, T)
        For each new row and visit, the row of `X` and `residual`; −1 where there is none.
    X : ndarray, shape (k, q)
        Rows of the responses, in the columns of X that are kept.
    residual : ndarray, shape (k,)
        y − Xβ̂.
    """

    place: IntArray
    X: Array
    residual: Array


def predict(
    fit: MmrmFit, new: pd.DataFrame, confidence: float, interval: str, *, conditional: bool
) -> pd.DataFrame:
    """Predictions with intervals; see :meth:`~trialmlm.models.mmrm.MmrmFit.predict`."""
    if interval not in INTERVALS:
        msg = f"predict: interval is {interval!r}, expected one of {', '.join(INTERVALS)}"
        raise UsageError(msg)
    if not 0.0 < confidence < 1.0:
        msg = f"confidence: found {confidence!r}, expected a number between 0 and 1, as 0.95"
        raise UsageError(msg)
    fit.occasions.check_common("predict: a prediction interval or a conditional prediction")
    L = design_rows(fit.coding, new)
    basis = fit.method.coefficients.basis
    roots, group = root_weights(fit, new), group_codes(fit, new)
    asked = _Rows(fit, L[:, basis.kept] * roots[:, None], visit_codes(fit, new), group)
    known = _known(fit, new, group) if conditional else _nothing(fit, len(new))
    found = np.zeros((3, len(new)))
    for g in np.unique(group):
        rows = np.flatnonzero(group == g)
        for at in np.array_split(rows, -(-rows.size // _AT_ONCE)):
            found[:, at] = asked.predicted(known, at, response=interval == "prediction")
    estimate, std_error, df = np.where(basis.estimable(L), found, np.nan)
    estimate, std_error = estimate / roots, std_error / roots
    half = t_quantile(0.5 + confidence / 2.0, df) * std_error
    low, high = INTERVALS[interval]
    columns = {"estimate": estimate, "std_error": std_error, "df": df}
    limits = {low: estimate - half, high: estimate + half}
    return pd.DataFrame({**columns, **limits}, index=new.index)


@dataclass(frozen=True)
class _Rows:
    """New rows, times the root of their weight.

    Attributes
    ----------
    fit : MmrmFit
    x : ndarray, shape (r, q)
        In the columns of X that are kept.
    visit, group : ndarray of int, shape (r,)
    """

    fit: MmrmFit
    x: Array
    visit: IntArray
    group: IntArray

    @cached_property
    def spreads(self) -> tuple[VisitCovariance, ...]:
        """Of each group."""
        return visit_covariances(self.fit.gaussian)

    @cached_property
    def source(self) -> Repeated:
        """What the fit's method is made from."""
        return Repeated(self.fit.gaussian, self.fit.options.information, self.fit.design)

    def predicted(self, known: Known, at: IntArray, *, response: bool) -> Array:
        """Estimate, standard error and df of some rows of one group, 3 × rows."""
        place, spread = known.place[at], self.spreads[self.group[at[0]]]
        given = place >= 0
        X = np.where(given[:, :, None], known.X[place], 0.0)
        method = self.fit.method
        one = Predictor(self.x[at], self.visit[at], given, X, spread, method, self.source)
        residual = np.where(given, known.residual[place], 0.0)
        beta = method.coefficients.basis.R_inverse @ method.coefficients.beta
        estimate = self.x[at] @ beta + (one.weights * residual).sum(axis=1)
        variance = one.response_variance if response else one.mean_variance
        df = one.response_df if response else one.mean_df
        error = method.coefficients.scale * np.sqrt(variance.clip(0.0))
        return np.stack([estimate, error, df])


def _nothing(fit: MmrmFit, rows: int) -> Known:
    """No response to condition on."""
    q = fit.gaussian.rank
    place = np.full((rows, fit.layout.n_visits), -1, dtype=np.intp)
    return Known(place, np.zeros((1, q)), np.zeros(1))


def _known(fit: MmrmFit, new: pd.DataFrame, group: IntArray) -> Known:
    """The responses of the fit, subject by subject, times the root of their weight.

    Raises
    ------
    UsageError
        If the column of the subject is missing, or a subject is in another group here.
    """
    subject = subject_codes(fit, new)
    moved = (subject >= 0) & (fit.design.groups[subject] != group)
    if moved.any():
        name = (fit.subjects.levels or ())[subject[int(np.argmax(moved))]]
        msg = f"predict: subject {name} is in another group of the covariance than in the fit"
        raise UsageError(msg)
    layout = fit.layout
    rows = np.flatnonzero(np.isin(layout.subject, subject))
    where = layout.subject[rows], layout.visit[rows]
    table = np.full((layout.n_subjects + 1, layout.n_visits), -1, dtype=np.intp)
    table[where] = np.arange(rows.size)
    roots = fit.design.root_weights[where]
    taken = {name: fit.variables[name].take(rows) for name in fit.coding.variables}
    X = fit.coding.matrix(taken, rows.size)[:, fit.gaussian.likelihood.basis.kept]
    residual = fit.residuals().to_numpy()[rows]
    # a subject that the fit does not know has code −1, the table's last row, where nothing is
    # known; the extra row keeps place −1 inside the arrays
    blank = np.zeros((1, X.shape[1]))
    found = np.concatenate([X * roots[:, None], blank])
    return Known(table[subject], found, np.append(residual * roots, 0.0))
