"""The parameters of Σ̂ with standard errors and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.covariance.parameters import KINDS, PARAMETERS
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.inference.parameters import LIMITS, std_error

if TYPE_CHECKING:
    from trialmlm.covariance.parameters import Parameter
    from trialmlm.models.mmrm import MmrmFit

_COLUMNS = ("parameter", "sas", "kind", "estimate", "std_error", "ci_low", "ci_high")


def covariance_parameters(fit: MmrmFit, confidence: float) -> pd.DataFrame:
    """See :meth:`~trialmlm.models.mmrm.MmrmFit.covariance_parameters`.

    Raises
    ------
    UsageError
        If `confidence` is not between 0 and 1.
    NotAvailableError
        If the structure's parameters are not listed, or subjects have times of their own.
    """
    if not 0.0 < confidence < 1.0:
        msg = f"confidence: found {confidence!r}, expected a number between 0 and 1, as 0.95"
        raise UsageError(msg)
    listed = parameters_of(fit)
    spreads, W = visit_covariances(fit.gaussian), fit.gaussian.information()
    levels: tuple[Any, ...] = (None,) if fit.group is None else fit.group.levels or ()
    unit = fit.gaussian.likelihood.scale**2
    rows = []
    for level, spread in zip(levels, spreads, strict=True):
        for parameter in listed:
            value, slope = KINDS[parameter.kind](spread.Sigma, parameter.row, parameter.column)
            error = std_error(slope, spread.tangent, W)
            scale = 1.0 if parameter.kind == "correlation" else unit
            limits = LIMITS[parameter.kind](value, error, confidence)
            numbers = (np.array([value, error, *limits]) * scale).tolist()
            rows.append([level, words_of(fit, parameter), parameter.sas, parameter.kind, *numbers])
    found = pd.DataFrame(rows, columns=pd.Index(["group", *_COLUMNS]))
    if fit.group is None:
        return found.drop(columns="group")
    return found.rename(columns={"group": fit.group.name})


def parameters_of(fit: MmrmFit) -> tuple[Parameter, ...]:
    """The parameters of the fit's structure, those of bands that are zero left out.

    Raises
    ------
    NotAvailableError
        If the structure's are not listed.
    """
    name = fit.family.abbreviation
    if name not in PARAMETERS:
        msg = f"the covariance parameters of {name} have no standard errors in this version"
        raise NotAvailableError(msg)
    listed = PARAMETERS[name](fit.layout.n_visits)
    bands = dict(fit.term.options).get("bands")
    return tuple(p for p in listed if bands is None or abs(p.row - p.column) < bands)


def words_of(fit: MmrmFit, parameter: Parameter) -> str:
    """A parameter in words, with the names of its visits."""
    visits = fit.occasions.labels
    return parameter.words.format(row=visits[parameter.row], column=visits[parameter.column])
