"""What a method of inference gives, whatever model it speaks of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.engine.basis import Basis


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Fixed effects in the orthonormal basis, and the way back to the columns of X.

    Attributes
    ----------
    basis : Basis
    beta : ndarray, shape (q,)
        In the basis, in the response's units.
    scale : float
        Covariances in the basis are in units of scale².
    """

    basis: Basis
    beta: Array
    scale: float


@dataclass(frozen=True, slots=True)
class FTest:
    """An F test of Lβ = 0."""

    statistic: float
    num_df: int
    den_df: float
    p_value: float


class Method(Protocol):
    """Standard errors, degrees of freedom and F tests of rows L given in the orthonormal basis."""

    @property
    def name(self) -> str:
        """As in ``df=`` of the models."""

    @property
    def coefficients(self) -> Coefficients:
        """The estimates spoken of."""

    @property
    def vcov(self) -> Array:
        """The covariance that the tests use, q × q."""

    def df(self, L: Array) -> Array:
        """Degrees of freedom of each row of L (r × q)."""

    def test(self, L: Array) -> FTest:
        """F test of all rows of L (r × q, of full row rank) together."""
