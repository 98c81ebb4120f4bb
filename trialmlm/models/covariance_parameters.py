"""The parameters of Σ̂ with standard errors and intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.covariance.natural_parameters import NATURAL
from trialmlm.covariance.parameters import KINDS, PARAMETERS
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import UsageError
from trialmlm.inference.parameters import LIMITS, std_error
from trialmlm.models.estimates_frame import check_apart

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.covariance.parameters import Parameter
    from trialmlm.models.mmrm import MmrmFit

#: an own variance below this, in units of the residual's, is at its bound and has no error
_ZERO = 1e-10
_COLUMNS = ("parameter", "sas", "kind", "estimate", "std_error", "ci_low", "ci_high")


def covariance_parameters(fit: MmrmFit, confidence: float) -> pd.DataFrame:
    """See :meth:`~trialmlm.models.mmrm.MmrmFit.covariance_parameters`.

    Raises
    ------
    UsageError
        If `confidence` is not between 0 and 1.
    """
    if not 0.0 < confidence < 1.0:
        msg = f"confidence: found {confidence!r}, expected a number between 0 and 1, as 0.95"
        raise UsageError(msg)
    made = _natural if fit.family.abbreviation in NATURAL else _of_entries
    found = pd.DataFrame(made(fit, confidence), columns=pd.Index(["group", *_COLUMNS]))
    if fit.group is None:
        return found.drop(columns="group")
    check_apart([fit.group.name], _COLUMNS)
    return found.rename(columns={"group": fit.group.name})


def _levels(fit: MmrmFit) -> tuple[Any, ...]:
    return (None,) if fit.group is None else fit.group.levels or ()


def _of_entries(fit: MmrmFit, confidence: float) -> Iterator[list[Any]]:
    """Functions of entries of Σ, by the delta method."""
    listed = parameters_of(fit)
    spreads, W = visit_covariances(fit.gaussian), fit.gaussian.information()
    unit = fit.gaussian.likelihood.scale**2
    for level, spread in zip(_levels(fit), spreads, strict=True):
        for parameter in listed:
            value, slope = KINDS[parameter.kind](spread.Sigma, parameter.row, parameter.column)
            error = std_error(slope, spread.tangent, W)
            scale = 1.0 if parameter.kind == "correlation" else unit
            limits = LIMITS[parameter.kind](value, error, confidence)
            numbers = (np.array([value, error, *limits]) * scale).tolist()
            yield [level, words_of(fit, parameter), parameter.sas, parameter.kind, *numbers]


def _natural(fit: MmrmFit, confidence: float) -> Iterator[list[Any]]:
    """The natural parameters themselves, whose covariance is W."""
    errors = np.sqrt(np.diag(fit.gaussian.information()).clip(0.0)).reshape(len(fit.families), -1)
    thetas = fit.gaussian.theta.reshape(len(fit.families), -1)
    scale = fit.gaussian.likelihood.scale
    units = {"variance": scale**2, "covariance": scale**2, "loading": scale}
    for level, family, theta, own in zip(_levels(fit), fit.families, thetas, errors, strict=True):
        listed = NATURAL[family.abbreviation](family)
        for parameter, value, error in zip(listed, family.natural(theta), own, strict=True):
            bounded = parameter.kind == "variance" and value < _ZERO
            error_ = np.nan if bounded else float(error)
            limits = LIMITS[parameter.kind](float(value), error_, confidence)
            numbers = np.array([value, error_, *limits]) * units.get(parameter.kind, 1.0)
            yield [level, parameter.words, parameter.sas, parameter.kind, *numbers.tolist()]


def parameters_of(fit: MmrmFit) -> tuple[Parameter, ...]:
    """The parameters of the fit's structure, those of bands that are zero left out."""
    listed = PARAMETERS[fit.family.abbreviation](fit.layout.n_visits)
    bands = dict(fit.term.options).get("bands")
    return tuple(p for p in listed if bands is None or abs(p.row - p.column) < bands)


def words_of(fit: MmrmFit, parameter: Parameter) -> str:
    """A parameter in words, with the names of its visits."""
    visits = fit.occasions.labels
    return parameter.words.format(row=visits[parameter.row], column=visits[parameter.column])
