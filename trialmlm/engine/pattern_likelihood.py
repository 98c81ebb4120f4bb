"""The likelihood of repeated measures: one Σ over the visits, data summed up per pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.objective import State, derivatives, evaluate, project
from trialmlm.engine.summary import Summary

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.control import Control

#: below this a Σ is not looked at; the search calls it degenerate a little earlier
LEAST = 1e-9


@dataclass(frozen=True)
class PatternLikelihood(DataLikelihood[Summary]):
    """REML or ML of a covariance family over the visits.

    Attributes
    ----------
    covariance : Covariance
        The family.
    """

    covariance: Covariance

    def starts(self) -> tuple[Array, ...]:
        """The moments, and their diagonal should that search not end well."""
        start = moments(self.data)
        return self.covariance.start(start), self.covariance.start(np.diag(np.diag(start)))

    def evaluate(self, theta: Array) -> State:
        """The point at θ; a Σ that is singular to working precision is refused as well."""
        Sigma = self.covariance.sigma(theta)
        variances = np.diag(Sigma)
        if variances.min() < LEAST * variances.max() or _smallest_eigenvalue(Sigma) < LEAST:
            raise np.linalg.LinAlgError("at a singular covariance the likelihood is rounding")
        return evaluate(self.data, Sigma, reml=self.reml)

    def search(self, theta: Array, point: State) -> Curve:
        """Derivatives by θ, by the chain rule from those by Σ."""
        jacobian = self.covariance.jacobian(theta)
        found = derivatives(self.data, point, jacobian, reml=self.reml)
        bend = self.covariance.curvature(theta, found.G)
        return Curve(np.tensordot(jacobian, found.G, 2), found.H + bend, found.A, found.J)

    def natural(self, theta: Array, point: State) -> tuple[Curve, Array]:
        """Derivatives by the natural parameters; the curvature of Σ by them is in H."""
        tangent = self.covariance.tangent(theta)
        found = derivatives(self.data, point, tangent, reml=self.reml)
        bend = np.tensordot(self.covariance.natural_second(theta), found.G, 2)
        return Curve(np.tensordot(tangent, found.G, 2), found.H + bend, found.A, found.J), found.P

    def weighted_Q(self, theta: Array, point: State, W: Array) -> Array:
        """Σ w_hk Q_hk: one T × T matrix per pattern, D_p = Σ w_hk ∂_hV Ω_p ∂_kV."""
        Omega = point.Omega
        n_patterns, T, _ = Omega.shape
        flat = self.covariance.tangent(theta).reshape(-1, T * T)
        pairs = (flat.T @ W @ flat).reshape(T, T, T, T).transpose(0, 3, 1, 2).reshape(T * T, T * T)
        D = (Omega.reshape(n_patterns, T * T) @ pairs.T).reshape(n_patterns, T, T)
        return project(self.data, Omega @ D @ Omega, self.data.M)

    def weighted_R(self, theta: Array, point: State, W: Array) -> Array:
        """Σ w_hk R_hk: one T × T matrix for all patterns, Σ w_hk ∂²_hkΣ."""
        D = np.tensordot(W, self.covariance.natural_second(theta), 2)
        return project(self.data, point.Omega @ D @ point.Omega, self.data.M)

    def condition(self, point: State) -> float:
        """The smallest eigenvalue of the correlation: 0 at a singular Σ, whatever the units."""
        return _smallest_eigenvalue(point.Sigma)

    def degenerate(self, point: State, control: Control) -> bool:
        """Whether a correlation of one or a variance of zero is near."""
        variances = np.diag(point.Sigma)
        vanishes = bool(variances.min() < control.vanishing * variances.max())
        return vanishes or self.condition(point) < control.singular


def _smallest_eigenvalue(Sigma: Array) -> float:
    """Of the correlation matrix."""
    sd = np.sqrt(np.diag(Sigma))
    return float(np.linalg.eigvalsh(Sigma / np.outer(sd, sd))[0])


def moments(summary: Summary) -> Array:
    """Pairwise residual covariance over the visits, made positive definite.

    The eigenvalues of its correlation are floored, as pairs of visits rest on different subjects.
    """
    together = summary.visits[:, :, None] & summary.visits[:, None, :]
    pairs = np.tensordot(summary.n, together.astype(float), 1)
    products = summary.Y.sum(axis=0) / pairs.clip(1.0)
    variances = np.diag(products).copy()
    variances[variances <= 1e-6] = max(1e-6, float(variances.mean()))
    sd = np.sqrt(variances)
    correlation = products / np.outer(sd, sd)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    floored = (vectors * values.clip(0.1)) @ vectors.T
    unit = np.sqrt(np.diag(floored))
    result: Array = floored / np.outer(unit, unit) * np.outer(sd, sd)
    return result
