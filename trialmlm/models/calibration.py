"""How well a mixed model predicts a cluster that it has not seen: leaving out one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, NotAvailableError
from trialmlm.inference.contrasts import estimates
from trialmlm.models.asked import check_share
from trialmlm.models.levels import levels_of
from trialmlm.models.lmm import lmm
from trialmlm.models.new_cluster import Asked, prediction_interval, residual_weights
from trialmlm.models.new_rows import design_rows
from trialmlm.models.table import table_of

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.models.lmm_fit import LmmFit

_LIMITS = ("pi_std_error", "pi_df", "pi_low", "pi_high")
_COLUMNS = ("n", "observed", "predicted", *_LIMITS, "z", "inside")


@dataclass(frozen=True, repr=False)
class Calibration:
    """Clusters predicted from all the others.

    Attributes
    ----------
    frame : DataFrame
        The cluster's column, n; observed and predicted mean of its rows; pi_std_error, pi_df,
        pi_low, pi_high of the observed mean; z = (observed − predicted) / pi_std_error; inside.
    points : DataFrame
        The cluster, observed and predicted of each row used, with the data's index.
    confidence : float
    notes : tuple of str
        Clusters that could not be predicted, and why.
    """

    frame: pd.DataFrame
    points: pd.DataFrame
    confidence: float
    notes: tuple[str, ...]

    def __repr__(self) -> str:
        return f"<Calibration {len(self.frame):,} clusters>"

    @property
    def summary(self) -> pd.DataFrame:
        """Quantity, value, expected: coverage, mean and variance of z, intercept and slope.

        Returns
        -------
        DataFrame
            Intercept and slope are of the observed rows on the predicted, by least squares; NaN
            where all predictions are the same.
        """
        found, points = self.frame.dropna(subset="z"), self.points.dropna()
        intercept, slope = _line(points["predicted"].to_numpy(), points["observed"].to_numpy())
        rows = [
            ("coverage", float(found["inside"].mean()), self.confidence),
            ("mean of z", float(found["z"].mean()), 0.0),
            ("variance of z", float(found["z"].var(ddof=1)), 1.0),
            ("intercept", intercept, 0.0),
            ("slope", slope, 1.0),
        ]
        return pd.DataFrame(rows, columns=pd.Index(["quantity", "value", "expected"]))


def _line(x: Array, y: Array) -> tuple[float, float]:
    """Intercept and slope of the least-squares line."""
    centred = x - x.mean()
    if np.abs(centred).max() <= 0.05 * y.std():
        # what varies is only which cluster was left out
        return float("nan"), float("nan")
    slope = float(centred @ y / (centred @ centred))
    return float(y.mean()) - slope * float(x.mean()), slope


def calibration(fit: LmmFit, confidence: float = 0.95) -> Calibration:
    """Predict every cluster from a fit without it, and compare.

    Parameters
    ----------
    fit : LmmFit
    confidence : float
        Of the intervals, which carry the variance between clusters, the residual's share in the
        mean of the cluster's rows, and the uncertainty of the fixed effects.

    Returns
    -------
    Calibration

    Raises
    ------
    NotAvailableError
        If the model has several grouping factors.

    Examples
    --------
    >>> calibration(fit).summary  # doctest: +SKIP
    """
    level, *others = levels_of(fit)
    if others:
        raise NotAvailableError("calibration: takes one grouping factor in this version")
    check_share("confidence", confidence)
    name, data = level.name, table_of(fit.variables)
    rows, notes, by_row = [], [], np.full(fit.n_obs, np.nan)
    for k, group in enumerate(level.groups):
        own = level.codes == k
        try:
            found, by_row[own] = _predicted(fit, data, own, confidence)
        except FitError as why:
            notes.append(f"{name} {group} is not predicted: {why}")
            found = {"n": int(own.sum()), "observed": float(fit.response[own].mean())}
        rows.append({name: group, **found})
    frame = pd.DataFrame(rows, columns=pd.Index([name, *_COLUMNS]))
    named = np.array(level.groups, dtype=object)[level.codes]
    points = pd.DataFrame(
        {name: named, "observed": fit.response, "predicted": by_row}, index=fit.rows.labels
    )
    return Calibration(frame, points, confidence, tuple(notes))


def _predicted(
    fit: LmmFit, data: pd.DataFrame, own: BoolArray, confidence: float
) -> tuple[dict[str, Any], Array]:
    """The mean of a cluster's rows, and each of them, from a fit to the others."""
    one = lmm(
        fit.formula,
        _used_levels(data[~own]),
        df="satterthwaite",
        information=fit.options.information,
        reml=fit.gaussian.reml,
    )
    asked = _mean(one, data[own])
    found = prediction_interval(one, asked, confidence).iloc[0]
    observed, predicted = float(fit.response[own].mean()), float(asked.estimate[0])
    z = (observed - predicted) / float(found["pi_std_error"])
    row = {
        "n": int(own.sum()),
        "observed": observed,
        "predicted": predicted,
        **{name: float(found[name]) for name in _LIMITS},
        "z": z,
        "inside": float(found["pi_low"]) <= observed <= float(found["pi_high"]),
    }
    X = design_rows(one.coding, data[own])
    return row, estimates(one.method, X).estimate


def _mean(one: LmmFit, rows: pd.DataFrame) -> Asked:
    """The mean of a cluster's rows as one thing to predict."""
    x = design_rows(one.coding, rows).mean(axis=0, keepdims=True)
    basis = one.method.coefficients.basis
    found = estimates(one.method, x)
    Z = [level.matrix(rows).mean(axis=0, keepdims=True) for level in levels_of(one)]
    residual = residual_weights(one, rows).mean(axis=0, keepdims=True) / len(rows)
    return Asked(basis.rows(x), Z, residual, found.estimate, found.std_error**2, found.df)


def _used_levels(data: pd.DataFrame) -> pd.DataFrame:
    """Without the categories that no row has."""
    found = data.copy()
    for name in found.columns:
        if isinstance(found[name].dtype, pd.CategoricalDtype):
            found[name] = found[name].cat.remove_unused_categories()
    return found
