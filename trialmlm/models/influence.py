"""Influence of each subject: what the fit would be without it, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.covariance.parameters import PARAMETERS
from trialmlm.engine.many import Refits
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import FitError
from trialmlm.models.covariance_parameters import parameters_of, words_of
from trialmlm.models.estimates_frame import check_apart

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.leave_out import Lost
    from trialmlm.engine.many_optima import Optima
    from trialmlm.models.mmrm import MmrmFit

#: the numbers of a subject beside its DFBETAS
_NUMBERS = ("cooks_distance", "cov_ratio", "likelihood_distance")


def influence(fit: MmrmFit) -> pd.DataFrame:
    """One row per subject; see :meth:`~trialmlm.models.mmrm.MmrmFit.influence`."""
    if not fit.convergence.converged:
        raise FitError(f"influence: the fit itself is {fit.convergence}")
    fit.occasions.check_common("influence")
    check_apart([fit.subjects.name], ["n_obs", *_NUMBERS, "note"])
    refits = Refits.of(fit.gaussian, fit.design)
    lost = [refits.one.lost(i) for i in range(refits.one.n_subjects)]
    notes = np.array([_said(fit, own) if own else "" for own in lost], dtype=object)
    kept = fit.gaussian.likelihood.basis.kept
    numbers = np.full((len(lost), len(_NUMBERS) + kept.size), np.nan)
    able = np.flatnonzero(notes == "")
    for batch in refits.batches(able.size):
        left = able[batch]
        without = refits.without(left)
        notes[left] = without.reasons
        numbers[left] = _numbers(fit.gaussian, refits, without)
    terms = [f"dfbetas {fit.coding.names[k]}" for k in kept]
    found = pd.DataFrame(numbers, columns=pd.Index([*_NUMBERS, *terms]))
    found["note"] = notes
    found.insert(0, fit.subjects.name, np.array(fit.subjects.levels, dtype=object))
    found.insert(1, "n_obs", fit.design.observed.sum(axis=1))
    return found


def _numbers(full: GaussianFit, refits: Refits, without: Optima) -> Array:
    """Cook's distance, covariance ratio, likelihood distance and DFBETAS, a row per refit."""
    found = np.full((len(without.beta), len(_NUMBERS) + full.rank), np.nan)
    good = without.converged
    if not good.any():
        return found
    point, Phi = full.point, without.Phi[good]
    moved = point.beta - without.beta[good]
    cook = _squares(moved, point.Phi) / full.rank
    ratio = np.exp(np.linalg.slogdet(Phi)[1] - np.linalg.slogdet(point.Phi)[1])
    rise = _rises(full, refits, without.theta[good], without.beta[good])
    found[good] = np.column_stack([cook, ratio, rise, _dfbetas(full, moved, Phi)])
    return found


def _squares(apart: Array, Phi: Array) -> Array:
    """d'Φ⁻¹d of every row d."""
    found: Array = (apart * np.linalg.solve(Phi, apart[..., None])[..., 0]).sum(axis=1)
    return found


def _rises(full: GaussianFit, refits: Refits, theta: Array, beta: Array) -> Array:
    """−2l of all data at the parameters found without a subject, less its minimum.

    REML's −2l knows θ alone; that of ML also pays for the β that is not the best at that θ.
    """
    everyone = refits.everyone
    least = everyone.deviances(everyone.evaluate(full.theta[None]))
    at = everyone.evaluate(theta)
    rise: Array = everyone.deviances(at) - least
    return rise if full.reml else rise + _squares(beta - at.beta, at.Phi)


def _dfbetas(full: GaussianFit, moved: Array, Phi: Array) -> Array:
    """(β̂_k − β̂_k without) / SE of β̂_k without."""
    half = full.likelihood.basis.R_inverse
    spread = np.einsum("kq,dqr,kr->dk", half, Phi, half, optimize=True)
    found: Array = moved @ half.T / np.sqrt(spread)
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
