"""Responses drawn from a fitted MMRM, its parameters taken as they were estimated."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.engine.fit import sigma_of
from trialmlm.engine.visit_covariance import visit_covariances
from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.models.mmrm import MmrmFit


def simulate_rows(fit: MmrmFit, seed: int) -> pd.Series:
    """A response for each row used, in the data's order: Xβ̂ and a draw from N(0, Σ̂)."""
    noise = _noise(fit, np.linalg.cholesky(fit.pattern_covariances)[fit.patterns.pattern], seed)
    values = (fit.fitted + noise / fit.design.root_weights)[fit.layout.subject, fit.layout.visit]
    return pd.Series(values, index=fit.rows.labels, name="simulated")


def _noise(fit: MmrmFit, factors: Array, seed: int) -> Array:
    """Draws from N(0, FF'), n × T, F the factor of each subject."""
    if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
        msg = f"simulate: the seed is {seed!r}, expected a whole number that is not negative"
        raise UsageError(msg)
    rng = np.random.default_rng(int(seed))
    drawn: Array = (factors @ rng.standard_normal(fit.fitted.shape)[:, :, None])[:, :, 0]
    return drawn


def simulate_unobserved(fit: MmrmFit, seed: int) -> pd.Series:
    """A response at each visit that a subject of the fit lacks, given those that it has.

    Returns
    -------
    Series
        Indexed by subject and visit, both in the order of their levels.

    Raises
    ------
    UsageError
        If a covariate varies within subjects, or the rows have weights: neither has a value
        where there is no row.

    Notes
    -----
    With z ~ N(0, Σ) and z_o its part at the visits observed, z_m + w'(r_o − z_o) has the mean
    w'r_o and the variance Σ_mm − w'Σ_om of the unobserved given the observed.
    """
    fit.occasions.check_common("simulate: a conditional simulation")
    varying = [
        n for n in sorted(fit.coding.variables) if fit.layout.scope(fit.variables[n]) == "row"
    ]
    if varying:
        msg = f"simulate: {', '.join(varying)} varies within subjects and has no value where there "
        raise UsageError(f"{msg}is no row; a conditional simulation needs one")
    spreads, observed = visit_covariances(fit.gaussian), fit.design.observed
    if fit.design.weights is not None:
        raise UsageError("simulate: a visit without a row has no weight; leave conditional out")
    factors = np.linalg.cholesky(sigma_of(fit.gaussian))[fit.design.groups]
    noise = _noise(fit, factors, seed)
    residual = np.where(observed, fit.design.Y - fit.fitted - noise, 0.0)
    values = fit.fitted + noise
    for g, spread in enumerate(spreads):
        own = np.flatnonzero(fit.design.groups == g)
        weighted = np.einsum("njk,nk->nj", spread.inverses(observed[own]), residual[own])
        values[own] += weighted @ spread.Sigma
    subject, visit = np.nonzero(~observed)
    index = pd.MultiIndex.from_arrays(
        [np.array(fit.subjects.levels, dtype=object)[subject], _labels(fit)[visit]],
        names=[fit.subjects.name, fit.visits.name],
    )
    return pd.Series(values[subject, visit], index=index, name="simulated")


def _labels(fit: MmrmFit) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array(fit.visits.levels, dtype=object)
