"""Draws from the posterior of a normal repeated-measures model with gaps, by Gibbs sampling."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.augmentation import sweep
from trialmlm.engine.incomplete import Incomplete
from trialmlm.engine.inverse_wishart import JEFFREYS, draw_inverse_wishart
from trialmlm.errors import UsageError
from trialmlm.missing.posterior import Posterior, Trace

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.engine.inverse_wishart import InverseWishart

#: a chain starts at a Σ drawn as though so many times fewer subjects had been observed
DISPERSION = 4.0


def gibbs(
    responses: Array,
    rows: Array,
    group: IntArray,
    *,
    draws: int,
    seed: int | np.random.SeedSequence,
    start: Array,
    burn_in: int = 100,
    thin: int = 5,
    chains: int = 20,
    prior: InverseWishart = JEFFREYS,
) -> Posterior:
    """Sample (β, Σ) of Y_i ~ N(X_i β, Σ_g) given what was observed.

    Parameters
    ----------
    responses : ndarray, shape (n, T)
        Y, NaN where there is no value that the model may learn from: not observed, or set aside
        since an intercurrent event.
    rows : ndarray, shape (n, T, p)
        X, any columns; only the rows of observed values count.
    group : ndarray of int, shape (n,)
        Which covariance each subject has, codes from 0 without gaps.
    draws : int
        D, how many to return.
    seed : int or SeedSequence
        The same seed gives the same draws; more `draws` go on where fewer end.
    start : ndarray, shape (G, T, T)
        Σ about which the chains start, dispersed: the REML estimate. No start of β is needed, as
        a sweep begins by drawing it.
    burn_in, thin, chains : int
        Sweeps set aside at first; sweeps from one kept draw to the next; chains side by side,
        which give the draws in turn.
    prior : InverseWishart
        Of each Σ_g; by default Jeffreys' |Σ|^-(T+1)/2, as in SAS PROC MI.
        ``InverseWishart.around(start)`` is the weak prior of R's rbmi. That of β is flat.

    Returns
    -------
    Posterior

    Raises
    ------
    UsageError
        If a number is below 1, shapes do not fit, or `start` is not positive definite.
    DataError
        If columns are collinear over the observed rows, or values are too few for the prior.

    Notes
    -----
    Monotone data augmentation of Schafer (1997, 6.5): what is missing after a subject's last visit
    is integrated out, intermittent gaps are drawn. The posterior is the exact one, without
    approximation by bootstrap or normality; `Posterior.diagnostics` tells what is left of
    dependence between draws. The model takes gaps to be missing at random given what `responses`
    holds.
    """
    _check_counts(draws=draws, thin=thin, chains=chains)
    if not isinstance(burn_in, Integral) or burn_in < 0:
        msg = f"burn_in: found {burn_in!r}, expected a whole number of sweeps, 0 or more"
        raise UsageError(msg)
    _check_start(start, responses.shape[1], group)
    proper = prior.df > responses.shape[1] - 1
    data = Incomplete.of(responses, rows, group, proper=proper)
    rng = np.random.default_rng(seed)
    covariance = _dispersed(start, data.reached[:, 0], chains, rng)
    sweeps = burn_in + thin * -(-draws // chains)
    betas = np.empty((sweeps, chains, rows.shape[2]))
    covariances = np.empty((sweeps, *covariance.shape))
    for step in range(sweeps):
        betas[step], covariance = sweep(data, covariance, prior, rng)
        covariances[step] = covariance
    return Posterior.of(Trace(betas, covariances, burn_in, thin), draws)


def _dispersed(start: Array, sizes: Array, chains: int, rng: np.random.Generator) -> Array:
    """A Σ for each chain, about `start` and more widely spread than the posterior."""
    n_visits = start.shape[-1]
    df = n_visits + 2 + sizes / DISPERSION
    scale = start * (df - n_visits - 1)[:, None, None]
    return draw_inverse_wishart(rng, df, np.broadcast_to(scale, (chains, *start.shape)))


def _check_counts(**counts: int) -> None:
    for name, found in counts.items():
        if not isinstance(found, Integral) or found < 1:
            msg = f"{name}: found {found!r}, expected a whole number, at least 1"
            raise UsageError(msg)


def _check_start(start: Array, n_visits: int, group: IntArray) -> None:
    expected = (int(group.max(initial=0)) + 1, n_visits, n_visits)
    if start.shape != expected:
        msg = f"start: found an array of shape {start.shape}, expected {expected}"
        raise UsageError(msg)
    symmetric = np.allclose(start, start.swapaxes(-1, -2))
    if not symmetric or not (np.linalg.eigvalsh(start) > 0).all():
        msg = (
            "start: found a covariance that is not positive definite, expected the REML estimate; "
            "where that is singular, share the covariance between arms or simplify the model"
        )
        raise UsageError(msg)
