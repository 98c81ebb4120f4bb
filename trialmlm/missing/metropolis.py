"""Draws from the posterior of a repeated-measures model of any covariance, by Metropolis."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import FitError
from trialmlm.missing.posterior import Posterior, Trace

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.objective import State
    from trialmlm.engine.pattern_likelihood import PatternLikelihood

#: degrees of freedom of the candidates' t distribution: tails heavier than the posterior's
_TAILS = 5.0
_BY = "Metropolis sampling"


def metropolis(
    likelihood: PatternLikelihood,
    theta: Array,
    *,
    draws: int,
    seed: int | np.random.SeedSequence,
    burn_in: int = 20,
    thin: int = 8,
    chains: int = 20,
) -> Posterior:
    """Sample (β, Σ) of Y_i ~ N(X_i β, Σ_g(θ)) given what was observed.

    Parameters
    ----------
    likelihood : PatternLikelihood
    theta : ndarray
        The estimate, about which candidates are drawn.
    draws : int
        D, how many to return.
    seed : int or SeedSequence
        The same seed gives the same draws; more `draws` go on where fewer end.
    burn_in, thin, chains : int
        As of :func:`~trialmlm.missing.gibbs.gibbs`; as candidates do not depend on where a chain
        stands, few sweeps do.

    Returns
    -------
    Posterior
        β in the columns that are not aliased; Σ over the visits of the fit.

    Raises
    ------
    FitError
        If the parameters are not determined at the estimate.

    Notes
    -----
    β has a flat prior, and is integrated out: that leaves the restricted likelihood of θ (Harville
    1974). The prior of θ is Jeffreys' under it, |J(θ)|^½ with J its expected information, the same
    whatever the parameters are called; of an unstructured Σ and complete data it is
    |Σ|^-(T+1)/2. Candidates are from a t distribution about the estimate, scaled by the inverse
    Hessian: an independence chain (Tierney 1994). Given θ, β is normal.

    Examples
    --------
    >>> metropolis(likelihood, fit.theta, draws=100, seed=1).diagnostics()  # doctest: +SKIP
    """
    rng = np.random.default_rng(seed)
    likelihood = replace(likelihood, reml=True)
    candidates = _Candidates.about(likelihood, theta)
    sweeps = burn_in + thin * -(-draws // chains)
    current = [candidates.draw(rng) for _ in range(chains)]
    betas, covariances = [], []
    for _ in range(sweeps):
        current = [_moved(now, candidates.draw(rng), rng.random()) for now in current]
        betas.append(np.stack([_coefficients(likelihood, own.point, rng) for own in current]))
        covariances.append(np.stack([own.point.Sigma for own in current]) * likelihood.scale**2)
    trace = Trace(np.stack(betas), np.stack(covariances), burn_in, thin)
    return Posterior.of(trace, draws, by=_BY)


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A point, and the logarithm of how much denser the posterior is there than candidates are."""

    point: State
    weight: float


@dataclass(frozen=True, slots=True)
class _Candidates:
    """Where candidates come from."""

    likelihood: PatternLikelihood
    theta: Array
    root: Array

    @classmethod
    def about(cls, likelihood: PatternLikelihood, theta: Array) -> _Candidates:
        curve = likelihood.search(theta, likelihood.evaluate(theta))
        try:
            np.linalg.cholesky(curve.J)
            root = np.linalg.inv(np.linalg.cholesky(curve.H / 2.0)).T
        except np.linalg.LinAlgError:
            raise FitError(
                "bayes: the data do not determine every parameter of the covariance, so that its "
                "posterior cannot be drawn; use a structure with fewer parameters, or "
                "method='approximate-bayes'"
            ) from None
        return cls(likelihood, theta, root)

    def draw(self, rng: np.random.Generator) -> _Candidate:
        """A candidate at which the likelihood can be computed."""
        k = self.theta.size
        while True:
            z = rng.standard_normal(k) / np.sqrt(rng.chisquare(_TAILS) / _TAILS)
            theta = self.theta + self.root @ z
            density = -0.5 * (_TAILS + k) * np.log1p(z @ z / _TAILS)
            with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                found = self._posterior(theta)
            if found is not None:
                point, height = found
                return _Candidate(point, height - density)

    def _posterior(self, theta: Array) -> tuple[State, float] | None:
        """The point at θ and its log density but for a constant; None where there is none."""
        try:
            point = self.likelihood.evaluate(theta)
            information = np.linalg.slogdet(self.likelihood.search(theta, point).J)
        except np.linalg.LinAlgError:
            return None
        height = 0.5 * (float(information.logabsdet) - float(point.deviance))
        return (point, height) if information.sign > 0.0 and np.isfinite(height) else None


def _moved(now: _Candidate, candidate: _Candidate, chance: float) -> _Candidate:
    """The candidate with probability min(1, its weight over the present one's)."""
    return candidate if np.log(chance) < candidate.weight - now.weight else now


def _coefficients(likelihood: PatternLikelihood, point: State, rng: np.random.Generator) -> Array:
    """β given Σ, in the columns that are not aliased."""
    noise = np.linalg.cholesky(point.Phi) @ rng.standard_normal(point.beta.size)
    own = likelihood.offset + likelihood.scale * (point.beta + noise)
    found: Array = likelihood.basis.R_inverse @ own
    return found
