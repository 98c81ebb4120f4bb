"""Influence of each subject: what the fit would be without it, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.covariance.parameters import PARAMETERS
from trialmlm.engine.leave_out import LeaveOut
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import FitError
from trialmlm.models.covariance_parameters import parameters_of, words_of
from trialmlm.models.estimates_frame import check_apart

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.leave_out import Lost
    from trialmlm.models.mmrm import MmrmFit

#: the numbers of a subject beside its DFBETAS
_NUMBERS = ("cooks_distance", "cov_ratio", "likelihood_distance")


def influence(fit: MmrmFit) -> pd.DataFrame:
    """One row per subject; see :meth:`~trialmlm.models.mmrm.MmrmFit.influence`."""
    if not fit.convergence.converged:
        raise FitError(f"influence: the fit itself is {fit.convergence}")
    fit.occasions.check_common("influence")
    check_apart([fit.subjects.name], ["n_obs", *_NUMBERS, "note"])
    refits = LeaveOut.of(fit.gaussian, fit.design)
    kept = fit.gaussian.likelihood.basis.kept
    rows = []
    for i in range(refits.n_subjects):
        lost = refits.lost(i)
        without = None if lost else refits.refit(i)
        if without is None or not without.convergence.converged:
            why = _said(fit, lost) if without is None else str(without.convergence)
            rows.append([np.nan] * (len(_NUMBERS) + kept.size) + [why])
        else:
            rows.append([*_numbers(fit.gaussian, without), *_dfbetas(fit.gaussian, without), ""])
    terms = [f"dfbetas {fit.coding.names[k]}" for k in kept]
    found = pd.DataFrame(rows, columns=pd.Index([*_NUMBERS, *terms, "note"]))
    found.insert(0, fit.subjects.name, np.array(fit.subjects.levels, dtype=object))
    found.insert(1, "n_obs", fit.design.observed.sum(axis=1))
    return found


def _numbers(full: GaussianFit, without: GaussianFit) -> list[float]:
    """Cook's distance, covariance ratio and likelihood distance."""
    moved = full.point.beta - without.point.beta
    cook = float(moved @ np.linalg.solve(full.point.Phi, moved)) / full.rank
    ratio = np.linalg.slogdet(without.point.Phi)[1] - np.linalg.slogdet(full.point.Phi)[1]
    return [cook, float(np.exp(ratio)), _likelihood_distance(full, without)]


def _likelihood_distance(full: GaussianFit, without: GaussianFit) -> float:
    """−2l of all data at the parameters found without the subject, less its minimum.

    REML's −2l knows θ alone; that of ML also pays for the β that is not the best at that θ.
    """
    point = full.likelihood.evaluate(without.theta)
    rise = float(point.deviance - full.point.deviance)
    if not full.reml:
        apart = without.point.beta - point.beta
        rise += float(apart @ np.linalg.solve(point.Phi, apart))
    return rise


def _dfbetas(full: GaussianFit, without: GaussianFit) -> Array:
    """(β̂_k − β̂_k without) / SE of β̂_k without."""
    basis = full.likelihood.basis
    moved = basis.R_inverse @ (full.point.beta - without.point.beta)
    half = basis.R_inverse @ without.point.Phi
    found: Array = moved / np.sqrt((half * basis.R_inverse).sum(axis=1))
    return found


def _said(fit: MmrmFit, lost: Lost) -> str:
    """What the others do not determine, by name."""
    names = [fit.coding.names[k] for k in lost.coefficients]
    said = [f"not estimable without this subject: {', '.join(names)}"] if names else []
    if lost.parameters.size:
        said.append(f"resting on this subject alone: {', '.join(_of_covariance(fit, lost))}")
    return "; ".join(said)


def _of_covariance(fit: MmrmFit, lost: Lost) -> list[str]:
    """The entries of Σ that the lost parameters move, as they are reported."""
    if fit.family.abbreviation not in PARAMETERS:
        return [f"{lost.parameters.size} covariance parameters"]
    tangents = [spread.tangent[lost.parameters] for spread in visit_covariances(fit.gaussian)]
    touched = np.abs(np.concatenate(tangents)).sum(axis=0) > 0.0
    entries = {(p.row, p.column): words_of(fit, p) for p in reversed(parameters_of(fit))}
    return [entries[at] for at in sorted(entries) if touched[at]]
