"""The imputation model refitted with its subjects counted otherwise."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.fit import fit, sigma_of
from trialmlm.errors import FitError
from trialmlm.missing.draws import Draws

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.model import ImputationModel


@dataclass(frozen=True, slots=True, eq=False)
class Recounted:
    """Refits.

    Attributes
    ----------
    draws : Draws
    converged : ndarray of bool, shape (D,)
    lost : tuple of str
        Coefficients that a refit which failed does not determine.
    """

    draws: Draws
    converged: BoolArray
    lost: tuple[str, ...]

    @property
    def usable(self) -> Draws:
        """The parameters of those that converged."""
        made, kept = self.draws, self.converged
        counts = None if made.counts is None else made.counts[kept]
        return Draws(made.beta[kept], made.Sigma[kept], counts)

    @property
    def why(self) -> str:
        """What a failed refit did not determine, in brackets."""
        shown = ", ".join(self.lost[:5]) + (", …" if len(self.lost) > 5 else "")
        return f" (not estimable in some: {shown})" if self.lost else ""


def recount(model: ImputationModel, counts: IntArray, *, everyone: bool) -> Recounted:
    """Refit.

    Parameters
    ----------
    model : ImputationModel
    counts : ndarray of int, shape (D, n)
        How often each subject of the layout counts.
    everyone : bool
        Whether subjects who count nowhere are imputed too. If they are not, a coefficient that
        only they would need (of their site) may be lost.
    """
    found = model.refits.recount(counts[:, model.subjects])
    beta, covariance = np.nan_to_num(found.beta), model.by_visit(found.Sigma)
    converged, lost = found.converged.copy(), found.lost_coefficients
    spared = ~converged & lost.any(axis=1) & ~found.lost_parameters.any(axis=1)
    for d in np.flatnonzero(spared & (not everyone)):
        anew = _anew(model, counts[d])
        if anew is not None:
            beta[d], covariance[d] = anew
            converged[d] = True
    names = [model.fit.coding.names[k] for k in np.flatnonzero(lost[~converged].any(axis=0))]
    return Recounted(Draws(beta, covariance, counts), converged, tuple(names))


def _anew(model: ImputationModel, counts: IntArray) -> tuple[Array, Array] | None:
    """The fit of those who count, with what they do not determine left out; None if it fails.

    It fails too if somebody who counts has a missing value whose mean is not determined.
    """
    design = model.fit.design
    chosen = np.repeat(np.arange(model.subjects.size), counts[model.subjects])
    again = replace(
        design,
        U=design.U[chosen],
        Y=design.Y[chosen],
        observed=design.observed[chosen],
        group=None if design.group is None else design.group[chosen],
    )
    try:
        found = fit(again, model.fit.family, reml=model.fit.options.reml)
    except FitError:
        return None
    needed = model.layout.missing & (counts > 0)[:, None]
    basis = found.likelihood.basis
    known = [basis.estimable(rows[needed]).all() for rows in (model.own, model.reference)]
    if not (found.convergence.converged and all(known)):
        return None
    return np.nan_to_num(found.beta), model.by_visit(sigma_of(found))
