"""How well a mixed model predicts a cluster that it has not seen: leaving out one at a time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, NotAvailableError, UsageError
from trialmlm.inference.contrasts import estimates
from trialmlm.models.asked import check_share
from trialmlm.models.levels import containing, levels_of
from trialmlm.models.lmm import lmm
from trialmlm.models.new_cluster import (
    Asked,
    component_weights,
    prediction_interval,
    residual_weights,
)
from trialmlm.models.new_rows import design_rows
from trialmlm.models.table import table_of

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.models.levels import Level
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


def calibration(fit: LmmFit, by: str | None = None, confidence: float = 0.95) -> Calibration:
    """Predict every cluster from a fit without it, and compare.

    Parameters
    ----------
    fit : LmmFit
    by : str, optional
        The grouping factor whose groups are left out; by default the first of the model. Factors
        nested in it are left out with it; those that hold it stay, and their effects are used.
    confidence : float
        Of the intervals, which carry the variance between clusters, the residual's share in the
        mean of the cluster's rows, and the uncertainty of the fixed effects.

    Returns
    -------
    Calibration

    Raises
    ------
    UsageError
        If the model has no such grouping factor.
    NotAvailableError
        If another factor is crossed with it.

    Examples
    --------
    >>> calibration(fit).summary  # doctest: +SKIP
    """
    if not fit.independent_residuals:
        raise NotAvailableError(
            "calibration: random effects beside a residual covariance are not available in this "
            "version"
        )
    level = _left_out(fit, by)
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


def _left_out(fit: LmmFit, by: str | None) -> Level:
    levels = {level.name: level for level in levels_of(fit)}
    name = next(iter(levels)) if by is None else by
    if name not in levels:
        msg = f"by: found {by!r}, expected one of {', '.join(levels)}"
        raise UsageError(msg)
    outer = containing(tuple(levels.values()))
    for other in levels.keys() - {name}:
        if other not in outer[name] and name not in outer[other]:
            msg = (
                f"calibration: {other} is crossed with {name}, and leaving out a {name} does not "
                "leave its effects alone; not available in this version"
            )
            raise NotAvailableError(msg)
    return levels[name]


def _predicted(
    fit: LmmFit, data: pd.DataFrame, own: BoolArray, confidence: float
) -> tuple[dict[str, Any], Array]:
    """The mean of a cluster's rows, and each of them, from a fit to the others."""
    one = lmm(
        fit.formula,
        _used_levels(data[~own]),
        df="satterthwaite",
        information=fit.options.information,
        weights=fit.options.weights,
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
    return row, one.predict(data[own])["predicted"].to_numpy()


def _mean(one: LmmFit, rows: pd.DataFrame) -> Asked:
    """The mean of a cluster's rows as one thing to predict."""
    x = design_rows(one.coding, rows).mean(axis=0, keepdims=True)
    found = estimates(one.method, x)
    basis = one.method.coefficients.basis.rows(x)
    estimate, places, Z = found.estimate, [], []
    new = np.zeros(len(one.variance_components()))
    for k, level in enumerate(levels_of(one)):
        own, keys = level.matrix(rows), level.keys(rows)
        place = level.groups.index(keys[0]) if keys[0] in level.groups else -1
        if place >= 0:  # all rows are of this group, as it holds the cluster
            estimate = estimate + own.mean(axis=0) @ level.blup[place]
        else:
            new += _new_groups(one, k, own, keys)
        places.append(np.array([place]))
        Z.append(own.mean(axis=0, keepdims=True) * (place >= 0))
    residual = residual_weights(one, rows).mean(axis=0) / len(rows)
    new[new.size - residual.size :] = residual
    variance = found.std_error**2 + one.effects.added_variance(basis, places, Z)
    return Asked(basis, new[None], estimate, variance, found.df)


def _new_groups(one: LmmFit, k: int, own: Array, keys: list[Any]) -> Array:
    """Variance components of the mean of rows in new groups of a level: Σ_g z̄_g'Gz̄_g."""
    codes = np.unique(np.array([str(key) for key in keys]), return_inverse=True)[1].reshape(-1)
    parts = np.eye(int(codes.max()) + 1)[codes].T @ own / len(own)
    Z = [
        parts if level == k else np.zeros((len(parts), len(other.terms)))
        for level, other in enumerate(levels_of(one))
    ]
    residual = np.zeros((len(parts), one.residual_variances.size))
    weights: Array = component_weights(one, Z, residual).sum(axis=0)
    return weights


def _used_levels(data: pd.DataFrame) -> pd.DataFrame:
    """Without the categories that no row has."""
    found = data.copy()
    for name in found.columns:
        if isinstance(found[name].dtype, pd.CategoricalDtype):
            found[name] = found[name].cat.remove_unused_categories()
    return found
