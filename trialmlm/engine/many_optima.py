"""The optima of many reweighted data sets, in the basis and units of the summary they share."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.stacked import sigmas, slopes
from trialmlm.engine.control import Control
from trialmlm.engine.many_points import deviances, gradients, points
from trialmlm.engine.many_search import descend
from trialmlm.engine.pattern_tree import PatternTree
from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Callable

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.fit import GaussianFit
    from trialmlm.engine.leave_out import LeaveOut
    from trialmlm.engine.many_points import Points
    from trialmlm.engine.many_sums import Sums
    from trialmlm.engine.pattern_likelihood import PatternLikelihood


@dataclass(frozen=True, slots=True)
class Optima:
    """D optima, in the basis and units of the summary; all NaN where there is none.

    Attributes
    ----------
    theta : ndarray, shape (D, k)
    Sigma : ndarray, shape (D, G, T, T)
    beta : ndarray, shape (D, q)
    Phi : ndarray, shape (D, q, q)
        (X'ΩX)⁻¹.
    reasons : tuple of str, length D
        Why there is none; empty where there is.
    """

    theta: Array
    Sigma: Array
    beta: Array
    Phi: Array
    reasons: tuple[str, ...]

    @property
    def converged(self) -> BoolArray:
        """Where there is an optimum."""
        return np.array([not reason for reason in self.reasons], dtype=bool)


@dataclass(frozen=True, slots=True)
class ManyLikelihoods:
    """The likelihoods of many reweighted data sets.

    Attributes
    ----------
    likelihood : PatternLikelihood
        Of all subjects, each counted once.
    sums : Sums
        Of each data set.
    tree : PatternTree
        Of their patterns.
    """

    likelihood: PatternLikelihood
    sums: Sums
    tree: PatternTree

    def among(self, rows: IntArray | BoolArray) -> ManyLikelihoods:
        """Some of them."""
        return replace(self, sums=self.sums[rows])

    @property
    def size(self) -> int:
        """D."""
        return len(self.sums.n)

    def evaluate(self, theta: Array) -> Points:
        """The points at θ, a row each, or one row for all.

        Raises
        ------
        numpy.linalg.LinAlgError
            If a matrix is singular.
        """
        Sigma = sigmas(self.likelihood.covariance, self._split(theta))
        return points(self.likelihood.data, self.sums, Sigma, self.tree.inverses(Sigma))

    def deviances(self, at: Points) -> Array:
        """−2l at the points but for constants."""
        likelihood = self.likelihood
        return deviances(likelihood.data, self.sums, at, reml=likelihood.reml)

    def gradient(self, rows: IntArray, theta: Array) -> Array:
        """∂(−2l)/∂θ of some of them, a row each; NaN where a matrix is singular."""
        some = self if len(rows) == self.size else self.among(rows)
        try:
            at = some.evaluate(theta)
        except np.linalg.LinAlgError:
            if len(rows) == 1:
                return np.full((1, theta.shape[1]), np.nan)
            full = np.broadcast_to(theta, (len(rows), theta.shape[1]))
            each = zip(rows, full, strict=True)
            return np.concatenate([self.gradient(np.array([d]), own[None]) for d, own in each])
        G = gradients(some.likelihood.data, some.sums, at, reml=self.likelihood.reml)
        own = np.broadcast_to(theta, (len(rows), theta.shape[1]))
        return slopes(self.likelihood.covariance, self._split(own), G).reshape(own.shape)

    def undoubted(self, theta: Array, expected: float) -> BoolArray:
        """Whether each Σ is no nearer to a singular one than can be expected.

        There the likelihood of few subjects may have several optima, or none. `expected` is the
        smallest eigenvalue of the full fit's correlations.
        """
        control = Control()
        Sigma = sigmas(self.likelihood.covariance, self._split(theta))
        least = max(control.singular, min(control.doubtful, 0.1 * expected))
        variances = np.diagonal(Sigma, axis1=2, axis2=3)
        sd = np.sqrt(variances)
        correlation = Sigma / (sd[..., :, None] * sd[..., None, :])
        vanishing = (variances.min(axis=2) / variances.max(axis=2)).min(axis=1)
        condition = np.linalg.eigvalsh(correlation).min(axis=(1, 2))
        found: BoolArray = (vanishing >= control.vanishing) & (condition >= least)
        return found

    def _split(self, theta: Array) -> Array:
        """θ of each group, D × G × k."""
        return theta.reshape(len(theta), len(self.likelihood.data.groups), -1)


def find_optima(one: LeaveOut, sums: Sums, alone: Callable[[int], GaussianFit]) -> Optima:
    """The optimum of each data set.

    Parameters
    ----------
    one : LeaveOut
        The full fit, from which every search starts.
    sums : Sums
    alone : callable
        Data set d fitted by itself and with safeguards, where the short way fails.
    """
    many = ManyLikelihoods(one.likelihood, sums, PatternTree.of(one.likelihood.data))
    theta, arrived = _searched(many, one)
    reasons = [""] * many.size
    for d in np.flatnonzero(~arrived):
        theta[d], reasons[d] = _with_care(alone, int(d), theta.shape[1])
    good = np.array([not reason for reason in reasons], dtype=bool)
    theta[~good] = np.nan
    found = one.fit.point
    shapes = (found.Sigma.shape, found.beta.shape, found.Phi.shape)
    Sigma, beta, Phi = (np.full((many.size, *shape), np.nan) for shape in shapes)
    if good.any():
        at = many.among(good).evaluate(theta[good])
        Sigma[good], beta[good], Phi[good] = at.Sigma, at.beta, at.Phi
    return Optima(theta, Sigma, beta, Phi, tuple(reasons))


def _searched(many: ManyLikelihoods, one: LeaveOut) -> tuple[Array, BoolArray]:
    """θ of each, and whether it is the optimum beyond doubt."""
    start = one.fit.theta
    if not many.size:
        return np.zeros((0, start.size)), np.zeros(0, dtype=bool)
    with np.errstate(over="ignore", invalid="ignore"):  # a search may go astray
        ends = descend(many.gradient, start, one.inverse, many.size)
    arrived = ends.arrived.copy()
    if arrived.any():
        expected = one.likelihood.condition(one.fit.point)
        arrived[arrived] = many.undoubted(ends.theta[arrived], expected)
    return ends.theta, arrived


def _with_care(alone: Callable[[int], GaussianFit], d: int, size: int) -> tuple[Array, str]:
    """θ found by the safe way, and why it is not the optimum, if so."""
    try:
        found = alone(d)
    except FitError as error:
        return np.full(size, np.nan), str(error)
    ended = found.convergence
    return found.theta, "" if ended.converged else str(ended)
