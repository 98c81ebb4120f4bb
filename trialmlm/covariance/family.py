"""What a covariance family is to the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trialmlm.arrays import Array


class Covariance(Protocol):
    """A family of T × T covariance matrices Σ(θ) over the visits.

    Two parameterisations meet here. The search runs on `theta`, which is unconstrained. What is
    reported, and what Satterthwaite and Kenward-Roger differentiate by, are the natural
    parameters (variances, covariances, correlations), whose derivatives `tangent` gives.
    """

    @property
    def abbreviation(self) -> str:
        """The name in a formula, such as ``us``."""

    @property
    def title(self) -> str:
        """The name in words, such as ``Unstructured``."""

    @property
    def n_visits(self) -> int:
        """T."""

    @property
    def n_parameters(self) -> int:
        """Length of θ."""

    def start(self, moments: Array) -> Array:
        """θ whose Σ is near the positive definite T × T matrix `moments`."""

    def sigma(self, theta: Array) -> Array:
        """Σ(θ), T × T."""

    def jacobian(self, theta: Array) -> Array:
        """∂Σ/∂θ_h, k × T × T."""

    def curvature(self, theta: Array, G: Array) -> Array:
        """⟨G, ∂²Σ/∂θ_h∂θ_k⟩ for a symmetric T × T matrix G, k × k."""

    def natural(self, theta: Array) -> Array:
        """The natural parameters themselves, m."""

    def tangent(self, theta: Array) -> Array:
        """Derivatives of Σ by the natural parameters, m × T × T."""

    def natural_second(self, theta: Array) -> Array:
        """Second derivatives of Σ by the natural parameters, m × m × T × T."""
