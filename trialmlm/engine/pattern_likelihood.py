"""The likelihood of repeated measures: one Σ per group over the visits, data summed per pattern."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.likelihood import Curve
from trialmlm.engine.objective import (
    State,
    block_diagonal,
    covariances,
    derivatives,
    evaluate,
    project,
)
from trialmlm.engine.summary import Summary

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.engine.control import Control
    from trialmlm.engine.objective import Derivatives

#: below this a Σ is not looked at; the search calls it degenerate a little earlier
LEAST = 1e-9
#: smallest eigenvalue of a correlation to start from, where somebody lacks a visit
FLOOR = 0.1
#: a visit is part of the weakest direction from this share of its largest loading
LOADING = 0.25


@dataclass(frozen=True)
class PatternLikelihood(DataLikelihood[Summary]):
    """REML or ML of a covariance family over the visits.

    Attributes
    ----------
    covariance : Covariance
        The family; every group has parameters of its own, one group's after the other's in θ.
    """

    covariance: Covariance

    @property
    def pattern(self) -> IntArray:
        """Each subject's pattern."""
        return self.data.pattern

    @property
    def interior(self) -> bool:
        """A variance of zero or a correlation of one is no estimate here."""
        return True

    def starts(self) -> tuple[Array, ...]:
        """The groups' moments, then half their covariances, and at last none."""
        found = [moments(self.data, group) for group in self.data.groups]
        alone = [np.diag(np.diag(start)) for start in found]
        half = [(start + less) / 2.0 for start, less in zip(found, alone, strict=True)]
        start = self.covariance.start
        return tuple(np.concatenate([*map(start, kind)]) for kind in (found, half, alone))

    def evaluate(self, theta: Array) -> State:
        """The point at θ; a Σ that is singular to working precision is refused as well."""
        Sigma = np.stack(self._each(self.covariance.sigma, theta))
        found = evaluate(self.data, Sigma, reml=self.reml)
        if found.vanishing < LEAST or found.condition < LEAST:
            raise np.linalg.LinAlgError("at a singular covariance the likelihood is rounding")
        return found

    @property
    def together(self) -> BoolArray:
        """Which pairs of visits a pattern has, P × T × T."""
        return self.data.together

    def V(self, point: State) -> Array:
        """The covariance of every pattern, P × T × T, the identity where it has no visit."""
        return covariances(point.Sigma, self.data)

    def search(self, theta: Array, point: State) -> Curve:
        """Derivatives by θ, by the chain rule from those by Σ."""
        jacobians = self._each(self.covariance.jacobian, theta)
        found = derivatives(self.data, point, jacobians, reml=self.reml)
        parts = zip(self._split(theta), found.G, strict=True)
        bend = [self.covariance.curvature(part, G) for part, G in parts]
        return _curve(found, jacobians, bend)

    def natural(self, theta: Array, point: State) -> tuple[Curve, Array]:
        """Derivatives by the natural parameters; the curvature of Σ by them is in H."""
        tangents = self._each(self.covariance.tangent, theta)
        found = derivatives(self.data, point, tangents, reml=self.reml)
        second = self._each(self.covariance.natural_second, theta)
        bend = [np.tensordot(part, G, 2) for part, G in zip(second, found.G, strict=True)]
        return _curve(found, tangents, bend), found.P

    def weighted_Q(self, theta: Array, point: State, W: Array) -> Array:
        """Σ w_hk Q_hk: one T × T matrix per pattern, D_p = Σ w_hk ∂_hV Ω_p ∂_kV."""
        T = self.data.n_visits
        D = np.empty_like(point.Omega)
        tangents = self._each(self.covariance.tangent, theta)
        blocks = _blocks(W, len(tangents))
        for group, tangent, own in zip(self.data.groups, tangents, blocks, strict=True):
            flat = tangent.reshape(-1, T * T)
            pairs = (flat.T @ own @ flat).reshape(T, T, T, T).transpose(0, 3, 1, 2)
            Omega = point.Omega[group].reshape(-1, T * T)
            D[group] = (Omega @ pairs.reshape(T * T, T * T).T).reshape(-1, T, T)
        return project(self.data, point.Omega @ D @ point.Omega, self.data.M)

    def weighted_R(self, theta: Array, point: State, W: Array) -> Array:
        """Σ w_hk R_hk: one T × T matrix for all patterns of a group, Σ w_hk ∂²_hkΣ."""
        D = np.empty_like(point.Omega)
        second = self._each(self.covariance.natural_second, theta)
        blocks = _blocks(W, len(second))
        for group, own, part in zip(self.data.groups, blocks, second, strict=True):
            D[group] = np.tensordot(own, part, 2)
        return project(self.data, point.Omega @ D @ point.Omega, self.data.M)

    def condition(self, point: State) -> float:
        """The smallest eigenvalue of a correlation: 0 at a singular Σ, whatever the units."""
        return point.condition

    def weakest(self, point: State) -> tuple[int, ...]:
        """The visits whose variance vanishes, or that carry the correlation's last eigenvector."""
        found = {j for Sigma in point.Sigma for j in _weakest(Sigma, point.condition)}
        return tuple(sorted(found))

    def degenerate(self, point: State, control: Control) -> bool:
        """Whether a correlation of one or a variance of zero is near."""
        return point.vanishing < control.vanishing or point.condition < control.singular

    def _split(self, theta: Array) -> Array:
        """θ of each group, a row each."""
        return theta.reshape(len(self.data.groups), -1)

    def _each(self, of: Callable[[Array], Array], theta: Array) -> list[Array]:
        return [of(part) for part in self._split(theta)]


def _weakest(Sigma: Array, condition: float) -> list[int]:
    """Visits of a group whose variance vanishes, or whose correlation is the least of all."""
    variances = np.diag(Sigma)
    vanishing = np.flatnonzero(variances < 100.0 * LEAST * variances.max())
    if vanishing.size:
        return vanishing.tolist()
    sd = np.sqrt(variances)
    values, vectors = np.linalg.eigh(Sigma / np.outer(sd, sd))
    load = np.abs(vectors[:, 0])
    near = values[0] <= 2.0 * condition
    return np.flatnonzero(near & (load > LOADING * load.max())).tolist()


def _curve(found: Derivatives, directions: Sequence[Array], bend: Sequence[Array]) -> Curve:
    """The gradient along the directions, and the observed Hessian with the curvature of Σ."""
    slopes = [np.tensordot(part, G, 2) for part, G in zip(directions, found.G, strict=True)]
    return Curve(np.concatenate(slopes), found.H + block_diagonal(bend), found.A, found.J)


def _blocks(W: Array, count: int) -> list[Array]:
    """The diagonal blocks of W: the second derivatives of V across groups are zero."""
    k = len(W) // count
    return [W[g * k : (g + 1) * k, g * k : (g + 1) * k] for g in range(count)]


def moments(summary: Summary, group: slice) -> Array:
    """Pairwise residual covariance over the visits in a group, made positive definite.

    The eigenvalues of its correlation are floored where pairs of visits rest on different subjects.
    """
    visits = summary.visits[group]
    together = visits[:, :, None] & visits[:, None, :]
    pairs = np.tensordot(summary.n[group], together.astype(float), 1)
    products = summary.Y[group].sum(axis=0) / pairs.clip(1.0)
    variances = np.diag(products).copy()
    variances[variances <= 1e-6] = max(1e-6, float(variances.mean()))
    sd = np.sqrt(variances)
    correlation = products / np.outer(sd, sd)
    np.fill_diagonal(correlation, 1.0)
    values, vectors = np.linalg.eigh(correlation)
    floor = 10.0 * LEAST if pairs.min() == pairs.max() else FLOOR
    floored = (vectors * values.clip(floor)) @ vectors.T
    unit = np.sqrt(np.diag(floored))
    result: Array = floored / np.outer(unit, unit) * np.outer(sd, sd)
    return result
