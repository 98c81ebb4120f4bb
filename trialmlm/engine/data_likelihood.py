"""What every likelihood takes from the data it is the likelihood of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.basis import Basis


class Data(Protocol):
    """Summed-up data in an orthonormal basis of X and units of the residual."""

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


D = TypeVar("D", bound=Data)


@dataclass(frozen=True)
class DataLikelihood(Generic[D]):
    """A likelihood of some data.

    Attributes
    ----------
    data : Data
    reml : bool
        Restricted, or full.
    """

    data: D
    reml: bool

    @property
    def basis(self) -> Basis:
        """Of the fixed effects."""
        return self.data.basis

    @property
    def offset(self) -> Array:
        """Least-squares coefficients taken out of y beforehand."""
        return self.data.offset

    @property
    def scale(self) -> float:
        """What y's residual was divided by."""
        return self.data.scale

    @property
    def n_observations(self) -> int:
        """N."""
        return self.data.n_observations

    def boundary(self, theta: Array, point: Any) -> tuple[Array, Array] | None:
        """None: the family has no boundary that is an estimate."""
        del theta, point
        return None
