"""The covariance parameters of random effects beside a residual covariance, as a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.covariance.natural_parameters import NATURAL
from trialmlm.covariance.parameters import KINDS, PARAMETERS
from trialmlm.formula.factor import level_text
from trialmlm.inference.parameters import std_error

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.models.lmm_residual_fit import ResidualLmmFit

_COLUMNS = ("group", "term", "term_2", "variance", "sd", "std_error", "separately_estimable")
#: kinds of parameter in squared units of the response
_SQUARED = frozenset({"variance", "covariance", "residual"})
#: a variance below this, in units of the residual's, is at its bound and has no error
_ZERO = 1e-8


def components(fit: ResidualLmmFit) -> pd.DataFrame:
    """See :meth:`~trialmlm.models.lmm_residual_fit.ResidualLmmFit.variance_components`."""
    N = fit.likelihood.free(fit.gaussian.theta)
    W = N.T @ fit.gaussian.information() @ N
    m = fit.likelihood.effects_family.n_parameters
    rows = [*_effects(fit, W[:m, :m]), *_residual(fit, W[m:, m:])]
    return pd.DataFrame(rows, columns=pd.Index(_COLUMNS))


def _effects(fit: ResidualLmmFit, W: Array) -> Iterator[list[Any]]:
    """Variances, then covariances, as the other fits list them."""
    names, G, errors = fit.random.names, fit.effects_covariance, _errors(fit, W)
    alone = ~fit.identified.aliased
    sd = np.sqrt(np.diag(G).clip(0.0))
    for i, name in enumerate(names):
        numbers = [float(sd[i] ** 2), float(sd[i]), float(errors[i, i])]
        yield [fit.groups.name, name, "", *numbers, bool(alone[i, i])]
    for i, name in enumerate(names if fit.identified.correlated else ()):
        for j in range(i):
            product = float(sd[i] * sd[j])
            correlation = float(G[i, j]) / product if product else float("nan")
            numbers = [float(G[i, j]), correlation, float(errors[i, j])]
            yield [fit.groups.name, names[j], name, *numbers, bool(alone[i, j])]


def _errors(fit: ResidualLmmFit, W: Array) -> Array:
    """Standard errors of the entries of G as given."""
    likelihood, r = fit.likelihood, len(fit.random.names)
    if fit.identified.weak or not len(W):
        return np.full((r, r), np.nan)
    back = np.linalg.inv(likelihood.K)
    family = likelihood.effects_family
    tangent = back @ family.tangent(likelihood.of_effects(fit.gaussian.theta)) @ back.T
    variance = np.einsum("hij,hk,kij->ij", tangent, W, tangent)
    bounded = np.diag(fit.effects_covariance) < _ZERO * likelihood.scale**2
    unknown = fit.identified.aliased | bounded[:, None] | bounded
    return np.where(unknown, np.nan, np.sqrt(variance.clip(0.0)) * likelihood.scale**2)


def _residual(fit: ResidualLmmFit, W: Array) -> Iterator[list[Any]]:
    """The residual's parameters, group by group."""
    at = 0
    alias = fit.identified.aliased_residual
    pairs = zip(fit.part.levels, fit.likelihood.groups(fit.gaussian.theta), strict=True)
    for level, (theta, family, _) in pairs:
        own = slice(at, at + theta.size)
        name = "Residual" if level is None else f"Residual {level_text(level)}"
        made = _natural if family.abbreviation in NATURAL else _of_entries
        for row in made(fit, family, theta, W[own, own], alias[own]):
            yield [name, *row]
        at += theta.size


def _of_entries(
    fit: ResidualLmmFit, family: Covariance, theta: Array, W: Array, alias: BoolArray
) -> Iterator[list[Any]]:
    """Functions of entries of R, by the delta method."""
    R, tangent, labels = family.sigma(theta), family.tangent(theta), fit.part.occasions.labels
    unit, sd = fit.likelihood.scale**2, np.sqrt(np.diag(R).clip(0.0))
    for p in PARAMETERS[family.abbreviation](family.n_visits):
        if p.kind == "correlation" and not p.sas and family.abbreviation in {"us", "cs", "toep"}:
            continue  # of covariances that are listed
        value, slope = KINDS[p.kind](R, p.row, p.column)
        moved = np.abs(np.tensordot(tangent, slope, 2)) > 0.0
        error = std_error(slope, tangent, W)
        term, other = p.words, ""
        if "{row}" in p.words:
            term = labels[p.row]
            other = labels[p.column] if p.row != p.column else ""
        numbers = _numbers(p.kind, value, error, unit)
        if p.kind == "covariance":
            numbers[1] = value / float(sd[p.row] * sd[p.column])
        yield [term, other, *numbers, not bool(alias[moved].any())]


def _natural(
    fit: ResidualLmmFit, family: Covariance, theta: Array, W: Array, alias: BoolArray
) -> Iterator[list[Any]]:
    """The natural parameters themselves, whose covariance is W."""
    listed = NATURAL[family.abbreviation](family)
    errors, unit = np.sqrt(np.diag(W).clip(0.0)), fit.likelihood.scale**2
    values = family.natural(theta)
    for parameter, value, error, own in zip(listed, values, errors, alias, strict=True):
        numbers = _numbers(parameter.kind, float(value), float(error), unit)
        yield [parameter.words, "", *numbers, not bool(own)]


def _numbers(kind: str, value: float, error: float, unit: float) -> list[float]:
    """Variance, sd and standard error; of what is no variance the value stands as sd."""
    found = error if error > 0.0 else float("nan")
    if kind not in _SQUARED:
        return [float("nan"), value, found]
    sd = float(np.sqrt(max(value, 0.0) * unit))
    return [value * unit, sd, found * unit]
