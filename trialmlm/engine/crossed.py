"""Random effects of several grouping factors, nested or crossed, in two stages.

V = V₁ + Z₂G₂Z₂', V₁ = Z₁G₁Z₁' + σ²I with the leading factor's Z₁, by whose levels V₁ is
block-diagonal. With Ω₁ = V₁⁻¹ from the Woodbury identity level by level, A = Z₂'Ω₁Z₂ and
Ω = Ω₁ − Ω₁Z₂DZ₂'Ω₁, D = Λ₂(I + Λ₂'AΛ₂)⁻¹Λ₂'; nothing of size N is kept. Only derivatives by the G's
are summed; those by σ² follow from Euler's identity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.crossed_effects import CrossedPredictions
from trialmlm.engine.crossed_point import CrossedPoint, place
from trialmlm.engine.crossed_summary import CrossedSummary
from trialmlm.engine.data_likelihood import DataLikelihood
from trialmlm.engine.euler import bordered, with_P_of_sigma2, with_Q_of_sigma2, with_sigma2
from trialmlm.engine.identified import LEAST
from trialmlm.engine.likelihood import Block, Curve
from trialmlm.engine.objective import block_diagonal
from trialmlm.engine.random_parameters import on_boundary
from trialmlm.engine.term_parameters import TermParameters

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.control import Control

#: the smallest share of the residual variance that a search begins with
_LEAST = 0.01


@dataclass(frozen=True)
class CrossedLikelihood(DataLikelihood[CrossedSummary]):
    """REML or ML of V = Σ_f Z_f G_f Z_f' + σ²I.

    The natural parameters are the lower triangles of every term's G, the leading factor's terms
    first, and σ².
    """

    @cached_property
    def parameters(self) -> TermParameters:
        """What the search runs on."""
        return TermParameters(self.data.sizes)

    def starts(self) -> tuple[Array, ...]:
        """One scoring step from no effects at all, MIVQUE0 (Rao 1972); then shares of the variance.

        MIVQUE0 is SAS's start as well. It may be negative: its eigenvalues are raised.
        """
        parameters, curve = self.parameters, self._without_effects
        eta = parameters.natural(parameters.nothing())
        eta = eta - np.linalg.lstsq(curve.J, curve.g, rcond=None)[0]
        sigma2 = max(float(eta[-1]), _LEAST)
        G = [_raised(own, _LEAST * sigma2) for own in parameters.blocks(eta)]
        return (parameters.start(G, sigma2), *parameters.starts())

    @cached_property
    def _without_effects(self) -> Curve:
        nothing = self.parameters.nothing()
        return self.natural(nothing, self.evaluate(nothing))[0]

    @property
    def confounded(self) -> Array | None:
        """A direction in which the natural parameters move and the likelihood does not; or None.

        V is linear in them, so that this is a property of the design: the rank of the matrix of
        tr(Q∂_hVQ∂_kV), Q = I − X(X'X)⁻¹X' under REML and I under ML.
        """
        gram = self._without_effects.J
        squares = np.diag(gram)
        empty = squares <= LEAST * squares.max()
        if empty.any():
            return np.asarray(empty, dtype=float)
        sizes = np.sqrt(squares)
        values, vectors = np.linalg.eigh(gram / np.outer(sizes, sizes))
        return vectors[:, 0] if values[0] <= LEAST else None

    def evaluate(self, theta: Array) -> CrossedPoint:
        """The point at θ = (Λ of every term, log σ)."""
        terms = iter(self.parameters.factors(theta))
        factors = tuple(
            block_diagonal([next(terms) for _ in factor.sizes]) for factor in self.data.factors
        )
        return place(self.data, factors, self.parameters.sigma2(theta), reml=self.reml)

    def search(self, theta: Array, point: CrossedPoint) -> Curve:
        """Derivatives by θ, by the chain rule from the natural ones."""
        return self.parameters.chain(theta, self.natural(theta, point)[0])

    def condition(self, point: CrossedPoint) -> float:
        """The residual variance, of the scaled data: a zero variance of G is an estimate."""
        return point.sigma2

    def degenerate(self, point: CrossedPoint, control: Control) -> bool:
        """Whether the residual variance vanishes."""
        return point.sigma2 < control.vanishing

    def natural(self, theta: Array, point: CrossedPoint) -> tuple[Curve, Array]:
        """Derivatives by the entries of every G and by σ²."""
        eta = self.parameters.natural(theta)
        q = point.beta.size
        free = q if self.reml else 0
        P = with_P_of_sigma2(-point.products[:, :q, :q], point.Phi, eta)
        quad = with_sigma2(point.products[:, q, q], point.rOr, eta)
        trace: Array = point.traces
        J: Array = point.squares
        if self.reml:
            PhiP = point.Phi @ P[:-1]
            trace = trace + np.trace(PhiP, axis1=1, axis2=2)
            J = J - 2.0 * np.tensordot(point.Q[..., :q, :q], point.Phi, 2)
            flat = PhiP.reshape(len(PhiP), -1)
            J = J + flat @ PhiP.transpose(0, 2, 1).reshape(len(PhiP), -1).T
        trace = with_sigma2(trace, float(self.n_observations - free), eta)
        c = point.products[:, :q, q]
        A: Array = point.Q[..., q, q] - c @ point.Phi @ c.T
        J = bordered((J + J.T) / 2.0, trace, eta)
        A = bordered((A + A.T) / 2.0, quad, eta)
        return Curve(trace - quad, 2.0 * A - J, A, J), P

    @property
    def blocks(self) -> tuple[Block, ...]:
        """Terms of uncorrelated effects, factor after factor."""
        return tuple(
            Block(factor.given, first, K)
            for factor in self.data.factors
            for first, K in zip(accumulate(factor.sizes, initial=0), factor.K, strict=False)
        )

    @property
    def interior(self) -> bool:
        """A variance of zero in G is an estimate."""
        return False

    def weakest(self, point: CrossedPoint) -> tuple[int, ...]:
        """Levels have no visits."""
        del point
        return ()

    def singular(self, theta: Array, point: CrossedPoint) -> tuple[bool, ...]:
        """Which terms' G are singular, grouping after grouping as these were given."""
        found = iter(self.parameters.factors(theta))
        by_factor = {
            factor.given: [
                on_boundary((own := next(found)) @ own.T, point.sigma2) for _ in factor.sizes
            ]
            for factor in self.data.factors
        }
        return tuple(at for given in sorted(by_factor) for at in by_factor[given])

    def boundary(self, theta: Array, point: CrossedPoint) -> tuple[Array, Array] | None:
        """∂η/∂θ and the curvature of η where a term's G is singular."""
        if not any(self.singular(theta, point)):
            return None
        return self.parameters.jacobian(theta, self.natural(theta, point)[0].g)

    def weighted_Q(self, theta: Array, point: CrossedPoint, W: Array) -> Array:
        """Σ w_hk Q_hk; those with σ² from Σ_k θ_k Q_hk = −P_h."""
        eta = self.parameters.natural(theta)
        q = point.beta.size
        P = with_P_of_sigma2(-point.products[:, :q, :q], point.Phi, eta)
        result: Array = np.tensordot(W, with_Q_of_sigma2(point.Q[..., :q, :q], P, eta), 2)
        return result

    def weighted_R(self, theta: Array, point: CrossedPoint, W: Array) -> Array:
        """V is linear in its natural parameters."""
        del theta, W
        return np.zeros_like(point.Phi)

    def effects(self, point: CrossedPoint) -> CrossedPredictions:
        """Best linear unbiased predictions of the random effects."""
        return CrossedPredictions(point)


def _raised(G: Array, least: float) -> Array:
    """G with eigenvalues of at least so much."""
    roots, vectors = np.linalg.eigh(G)
    result: Array = (vectors * roots.clip(least)) @ vectors.T
    return result
