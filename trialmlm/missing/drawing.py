"""Methods of imputation: where the parameters come from, and whether values are drawn."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import FitError
from trialmlm.missing.draws import Draws
from trialmlm.missing.gibbs import gibbs
from trialmlm.missing.metropolis import metropolis
from trialmlm.missing.monotone import monotone_draws
from trialmlm.missing.recounted import recount
from trialmlm.missing.remarks import listed
from trialmlm.missing.resamples import bootstrap_counts, jackknife_counts
from trialmlm.missing.sampler import INDEPENDENT, Sampler

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array
    from trialmlm.missing.asked import Asked
    from trialmlm.missing.layout import Layout
    from trialmlm.missing.model import ImputationModel
    from trialmlm.missing.posterior import Posterior

#: branches of the seed: for subjects, for the noise of values and for chains
_SUBJECTS, _NOISE, _CHAINS = (0,), (1,), (2,)


@dataclass(frozen=True, slots=True)
class DrawingMethod:
    """A method of imputation.

    Attributes
    ----------
    name : str
    random : bool
        Whether values are drawn: it then takes ``imputations=`` and ``seed=``.
    variance : str
        The variance that goes with it by default.
    derivation : str
        What DTYPE says of an imputed value.
    draw : callable
        Parameters from the model.
    unstructured : bool
        Whether it takes unstructured covariances only.
    sampled : bool
        Whether it runs chains.
    monotone : bool
        Whether it takes no intermittent gaps.
    """

    name: str
    random: bool
    variance: str
    derivation: str
    draw: Callable[[ImputationModel, Asked], Draws]
    unstructured: bool = False
    sampled: bool = False
    monotone: bool = False


def jackknife(model: ImputationModel, asked: Asked) -> Draws:
    """Refits without each subject in turn.

    Raises
    ------
    FitError
        If more of them fail than are tolerated; names the subjects.
    """
    layout = model.layout
    _check_arms("jackknife", layout)
    found = recount(model, jackknife_counts(len(layout.subjects)), everyone=False)
    failed = np.flatnonzero(~found.converged)
    if failed.size > asked.tolerated * found.converged.size:
        subjects = listed(layout.subjects[failed])
        msg = (
            f"jackknife: the imputation model cannot be fitted without one of {failed.size} "
            f"subjects, {subjects}{found.why}; use fewer terms or a structure with fewer "
            "parameters, another variance, or tolerate a larger share with failures="
        )
        raise FitError(msg)
    return replace(found.usable, failed=failed.size)


def bootstrap(model: ImputationModel, asked: Asked, *, everyone: bool = False) -> Draws:
    """Refits of subjects drawn with replacement within their arm (Efron 1994).

    Every replicate has a seed of its own; one whose fit fails is counted and replaced by a
    further one, until more have failed than are tolerated.

    Parameters
    ----------
    model : ImputationModel
    asked : Asked
    everyone : bool
        Whether its parameters are to impute everyone, or those drawn alone.

    Raises
    ------
    FitError
    """
    _check_arms("bootstrap", model.layout)
    seeds = np.random.SeedSequence(asked.seed, spawn_key=_SUBJECTS)
    parts: list[Draws] = []
    wanting, failed = asked.replicates, 0
    while wanting:
        counts = np.stack(
            [
                bootstrap_counts(model.layout.arm, np.random.default_rng(child))
                for child in seeds.spawn(wanting)
            ]
        )
        found = recount(model, counts, everyone=everyone)
        parts.append(found.usable)
        wanting = int((~found.converged).sum())
        failed += wanting
        _check_failed(failed, asked, found.why)
    return replace(_joined(parts), failed=failed)


def approximate_bayes(model: ImputationModel, asked: Asked) -> Draws:
    """A bootstrap's parameters for everyone, and noise (Little and Rubin 2002, 10.2.3).

    The bootstrap distribution of the REML estimate stands for the posterior.
    """
    made = bootstrap(model, asked, everyone=True)
    return replace(made, counts=None, noise=noise_of(model, asked))


def bayes(model: ImputationModel, asked: Asked) -> Draws:
    """Parameters from their posterior, and noise.

    Of an unstructured covariance by :func:`~trialmlm.missing.gibbs.gibbs`, of another by
    :func:`~trialmlm.missing.metropolis.metropolis`.
    """
    posterior = (_gibbs if model.unstructured else _metropolis)(model, asked)
    beta = model.all_coefficients(posterior.beta)
    return Draws(beta, posterior.Sigma, noise=noise_of(model, asked), posterior=posterior)


def _gibbs(model: ImputationModel, asked: Asked) -> Posterior:
    seen = model.seen
    estimate = model.point.Sigma[0]
    sampler = asked.sampler or Sampler()
    return gibbs(
        seen.responses,
        seen.rows,
        seen.group,
        draws=asked.replicates,
        seed=np.random.SeedSequence(asked.seed, spawn_key=_CHAINS),
        start=estimate,
        burn_in=sampler.burn_in,
        thin=sampler.thin,
        chains=sampler.chains,
        prior=sampler.prior_at(estimate),
    )


def _metropolis(model: ImputationModel, asked: Asked) -> Posterior:
    sampler = asked.sampler or INDEPENDENT
    posterior = metropolis(
        model.refits.one.likelihood,
        model.fit.gaussian.theta,
        draws=asked.replicates,
        seed=np.random.SeedSequence(asked.seed, spawn_key=_CHAINS),
        burn_in=sampler.burn_in,
        thin=sampler.thin,
        chains=sampler.chains,
    )
    return posterior.over(model.visits)


def monotone(model: ImputationModel, asked: Asked) -> Draws:
    """Parameters from their posterior, visit by visit, and noise."""
    seeds = np.random.SeedSequence(asked.seed, spawn_key=_CHAINS)
    beta, covariance = monotone_draws(model.seen, asked.replicates, np.random.default_rng(seeds))
    return Draws(model.all_coefficients(beta), covariance, noise=noise_of(model, asked))


def point(model: ImputationModel, asked: Asked) -> Draws:
    """The fit's own parameters."""
    del asked
    return model.point


def noise_of(model: ImputationModel, asked: Asked) -> Array:
    """Standard normal numbers for every missing cell, a child seed for each replicate, D × k."""
    missing = int(model.layout.missing.sum())
    seeds = np.random.SeedSequence(asked.seed, spawn_key=_NOISE).spawn(asked.replicates)
    drawn = [np.random.default_rng(seed).standard_normal(missing) for seed in seeds]
    return np.stack(drawn)


def _check_arms(kind: str, layout: Layout) -> None:
    """An arm of one subject is never without it, or never with another: it would not vary."""
    sizes = np.bincount(layout.arm, minlength=len(layout.arms))
    if (sizes < 2).any():
        msg = (
            f"{kind}: arm {layout.arms[int(np.argmin(sizes))]} has one subject, so that how its "
            "mean varies from subject to subject cannot be told; leave the arm out, or use "
            "method='bayes'"
        )
        raise FitError(msg)


def _check_failed(failed: int, asked: Asked, why: str) -> None:
    if failed > asked.tolerated * asked.replicates:
        msg = (
            f"bootstrap: the imputation model could not be fitted to {failed} resamples, more "
            f"than the share {asked.tolerated:g} of {asked.replicates} that failures= tolerates"
            f"{why}; use fewer terms or a structure with fewer parameters, or method='bayes'"
        )
        raise FitError(msg)


def _joined(parts: list[Draws]) -> Draws:
    counts = [part.counts for part in parts if part.counts is not None]
    return Draws(
        np.concatenate([part.beta for part in parts]),
        np.concatenate([part.Sigma for part in parts]),
        np.concatenate(counts),
    )


CONDITIONAL_MEAN = "conditional-mean"
#: the methods by name
METHODS: Mapping[str, DrawingMethod] = {
    method.name: method
    for method in (
        DrawingMethod(
            CONDITIONAL_MEAN,
            random=False,
            variance="jackknife",
            derivation="CONDITIONAL MEAN",
            draw=point,
        ),
        DrawingMethod(
            "approximate-bayes",
            random=True,
            variance="rubin",
            derivation="MI",
            draw=approximate_bayes,
        ),
        DrawingMethod(
            "bayes",
            random=True,
            variance="rubin",
            derivation="MI",
            draw=bayes,
            sampled=True,
        ),
        DrawingMethod(
            "monotone",
            random=True,
            variance="rubin",
            derivation="MI",
            draw=monotone,
            unstructured=True,
            monotone=True,
        ),
    )
}
#: the ways to resample by name
RESAMPLES: Mapping[str, Callable[[ImputationModel, Asked], Draws]] = {
    "jackknife": jackknife,
    "bootstrap": bootstrap,
}
