"""What a Gaussian likelihood gives the search and the inference, whatever its structure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.engine.basis import Basis
    from trialmlm.engine.control import Control
    from trialmlm.engine.predicted_effects import Predictions


class Point(Protocol):
    """The likelihood at one value of its parameters."""

    @property
    def Phi(self) -> Array:
        """(X'ΩX)⁻¹ in the orthonormal basis."""

    @property
    def beta(self) -> Array:
        """Generalised least-squares coefficients in the basis, of the scaled residual."""

    @property
    def deviance(self) -> float:
        """−2 log-likelihood of the scaled data."""


@dataclass(frozen=True, slots=True)
class Curve:
    """First and second derivatives of −2l by some parameters.

    Attributes
    ----------
    g : ndarray, shape (k,)
        Gradient.
    H, A, J : ndarray, shape (k, k)
        Observed Hessian, average information, expected Hessian.
    """

    g: Array
    H: Array
    A: Array
    J: Array


class Likelihood(Protocol):
    """Data summed up, with a family of covariances.

    The search runs on an unconstrained θ; inference differentiates by the natural parameters:
    variances, covariances or correlations.
    """

    @property
    def basis(self) -> Basis:
        """Of the fixed effects."""

    @property
    def offset(self) -> Array:
        """Least-squares coefficients taken out of y beforehand."""

    @property
    def scale(self) -> float:
        """What y's residual was divided by."""

    @property
    def n_observations(self) -> int:
        """N."""

    @property
    def reml(self) -> bool:
        """Restricted, or full."""

    @property
    def interior(self) -> bool:
        """Whether an estimate lies inside the range of θ: a variance of zero is none."""

    def starts(self) -> tuple[Array, ...]:
        """θ to search from, in order; where −2l cannot be computed, the next is taken."""

    def evaluate(self, theta: Array) -> Any:
        """The point at θ; raises LinAlgError where the covariance is not positive definite."""

    def search(self, theta: Array, point: Any) -> Curve:
        """Derivatives by θ."""

    def condition(self, point: Any) -> float:
        """How far the covariance is from singular: its correlation's smallest eigenvalue."""

    def degenerate(self, point: Any, control: Control) -> bool:
        """Whether the search runs towards a singular covariance."""

    def weakest(self, point: Any) -> tuple[int, ...]:
        """The visits, by index, that the covariance's weakest direction rests on; may be none."""

    def natural(self, theta: Array, point: Any) -> tuple[Curve, Array]:
        """Derivatives by the natural parameters, and P_h = −X'Ω∂_hVΩX, m × q × q."""

    def boundary(self, theta: Array, point: Any) -> tuple[Array, Array] | None:
        """At a boundary of the natural parameters η: ∂η/∂θ (row: θ) and Σ_h g_h ∂²η_h/∂θ²."""

    def weighted_Q(self, theta: Array, point: Any, W: Array) -> Array:
        """Σ_hk w_hk X'Ω∂_hVΩ∂_kVΩX, q × q, over the natural parameters."""

    def weighted_R(self, theta: Array, point: Any, W: Array) -> Array:
        """Σ_hk w_hk X'Ω∂²_hkVΩX, q × q; zero where V is linear in its natural parameters."""


@dataclass(frozen=True, slots=True)
class Block:
    """Random effects that are correlated with each other.

    Attributes
    ----------
    grouping : int
        The grouping factor, as they were given.
    first : int
        Where its columns begin among the factor's.
    K : ndarray, shape (r, r)
        Z given = Z of the search · K.
    """

    grouping: int
    first: int
    K: Array


class RandomEffects(Likelihood, Protocol):
    """A likelihood of random effects."""

    @property
    def blocks(self) -> tuple[Block, ...]:
        """In the order of the natural parameters: the lower triangle of each."""

    def singular(self, theta: Array, point: Any) -> tuple[bool, ...]:
        """Which G are singular, of grouping factors and their uncorrelated terms in order."""

    def effects(self, point: Any) -> Predictions:
        """Best linear unbiased predictions."""


class RepeatedMeasures(Likelihood, Protocol):
    """A likelihood of subjects and visits."""

    @property
    def pattern(self) -> IntArray:
        """Each subject's pattern, n."""

    @property
    def together(self) -> BoolArray:
        """Which pairs of visits a pattern has, P × T × T."""

    def V(self, point: Any) -> Array:
        """The covariance of every pattern, P × T × T, the identity where it has no visit."""
