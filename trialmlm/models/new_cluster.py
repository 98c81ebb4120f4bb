"""Intervals of what a cluster that the fit did not see will show, its parts told apart."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import FitError, UsageError
from trialmlm.inference.distributions import t_quantile
from trialmlm.models.levels import component_map, levels_of
from trialmlm.models.new_rows import design_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.arrays import Array
    from trialmlm.models.lmm_fit import LmmFit

#: interval= -> whether the residual is part of it
PREDICTIONS = {"cluster": False, "prediction": True}


@dataclass(frozen=True, slots=True)
class Asked:
    """What is predicted: means of rows, or rows.

    Attributes
    ----------
    x : ndarray, shape (n, q)
        In the orthonormal basis.
    weights : ndarray, shape (n, components)
        How often each row of the table of variance components is part of it.
    estimate, variance, df : ndarray, shape (n,)
        The prediction, and how far off it may be for a known group; the df of that.
    """

    x: Array
    weights: Array
    estimate: Array
    variance: Array
    df: Array


def prediction_interval(fit: LmmFit, asked: Asked, confidence: float) -> pd.DataFrame:
    """Add the variance between clusters, and the residual's, to that of the prediction.

    Returns
    -------
    DataFrame
        between_variance, residual_variance, pi_std_error, pi_df, pi_low, pi_high.

    Notes
    -----
    V = Var(xβ̂) + z'Gz + σ², a t interval on the df of Satterthwaite, 2V² / Var V̂, in which
    Var(xβ̂) moves with the variances too. Without a part that is new it is the fixed part's df.
    """
    components = fit.variance_components()
    values = components["variance"].to_numpy()
    random = (components["group"] != "Residual").to_numpy()
    weights = asked.weights
    between, residual = weights[:, random] @ values[random], weights[:, ~random] @ values[~random]
    total = asked.variance + between + residual
    slope = weights @ component_map(fit) + _fixed(fit, asked.x)
    W = fit.gaussian.information(fit.options.information)
    spread = ((slope @ W) * slope).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = np.where(between + residual > 0.0, 2.0 * total**2 / spread, asked.df)
    error = np.sqrt(total)
    half = t_quantile(0.5 + confidence / 2.0, df) * error
    return pd.DataFrame(
        {
            "between_variance": between,
            "residual_variance": residual,
            "pi_std_error": error,
            "pi_df": df,
            "pi_low": asked.estimate - half,
            "pi_high": asked.estimate + half,
        }
    )


def component_weights(fit: LmmFit, Z: Sequence[Array], residual: Array) -> Array:
    """How often each row of the table of variance components counts, n × components.

    Parameters
    ----------
    fit : LmmFit
    Z : sequence of ndarray, shape (n, r)
        By level: the columns of a group that is not known; zero where it is.
    residual : ndarray, shape (n, residual variances)
    """
    table = {
        (level.name, term): own[:, k]
        for level, own in zip(levels_of(fit), Z, strict=True)
        for k, term in enumerate(level.terms)
    }
    columns = []
    for group, one, two in fit.variance_components()[["group", "term", "term_2"]].to_numpy():
        if group != "Residual":
            z = table[group, one]
            columns.append(2.0 * z * table[group, two] if two else z * z)
    return np.column_stack([*columns, residual])


def _fixed(fit: LmmFit, x: Array) -> Array:
    """Derivatives of Var(xβ̂) by the natural parameters, n × parameters."""
    v = x @ fit.gaussian.point.Phi
    slopes: Array = -((v @ fit.gaussian.P) * v).sum(axis=2).T * fit.gaussian.likelihood.scale**2
    return slopes


def asked_rows(fit: LmmFit, new: pd.DataFrame, frame: pd.DataFrame, kind: str) -> Asked:
    """New rows, with their predictions.

    Parameters
    ----------
    fit : LmmFit
    new : DataFrame
    frame : DataFrame
        Of ``fit.predict``: predicted, predicted_std_error, df.
    kind : str
        One of `PREDICTIONS`.

    Raises
    ------
    UsageError
        If the column that tells residual variances apart is missing.
    FitError
        At a level of it that the fit did not see.
    """
    Z = []
    for level in levels_of(fit):
        unknown = ~level.known(new)
        own = np.zeros((len(new), len(level.terms)))
        if unknown.any():
            own[unknown] = level.matrix(new[unknown])
        Z.append(own)
    residual = residual_weights(fit, new) * float(PREDICTIONS[kind])
    return Asked(
        x=fit.method.coefficients.basis.rows(design_rows(fit.coding, new)),
        weights=component_weights(fit, Z, residual),
        estimate=frame["predicted"].to_numpy(),
        variance=frame["predicted_std_error"].to_numpy() ** 2,
        df=frame["df"].to_numpy(),
    )


def residual_weights(fit: LmmFit, new: pd.DataFrame) -> Array:
    """How much of each residual variance every new row has, n × residual variances."""
    return _chosen_variance(fit, new) / _weights(fit, new)[:, None]


def _weights(fit: LmmFit, new: pd.DataFrame) -> Array:
    name = fit.options.weights
    if name is None:
        return np.ones(len(new))
    if name not in new.columns:
        msg = f"predict: the new rows need {name}, the weights, for the interval of a response"
        raise UsageError(msg)
    return new[name].to_numpy(dtype=float)


def _chosen_variance(fit: LmmFit, new: pd.DataFrame) -> Array:
    if fit.levels is None:
        return np.ones((len(new), 1))
    name, known = fit.levels.name, list(fit.levels.levels or ())
    if name not in new.columns:
        msg = f"predict: the new rows need {name}, which tells the residual variances apart"
        raise UsageError(msg)
    strange = [value for value in new[name] if value not in known]
    if strange:
        msg = f"predict: {name} has {strange[0]!r}, which the model was not fitted on"
        raise FitError(msg)
    return np.eye(len(known))[[known.index(value) for value in new[name]]]
