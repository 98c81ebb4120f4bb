"""What a factor of a formula does to its column, with what it learnt from the rows of the fit.

``center``, ``scale``, ``poly``, ``bs`` and ``cr`` depend on the data they are fitted on. What
they learn there is kept in a state that can be pickled, so that a later row is transformed as
the rows of the fit were. The spline bases are patsy's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import patsy.mgcv_cubic_splines
import patsy.splines

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array


class State(Protocol):
    """What a transformation learnt; turns a column (m,) into columns (m, k) or (m,)."""

    def apply(self, x: Array) -> Array:
        """Transform, as at the fit."""


@dataclass(frozen=True, slots=True)
class Affine:
    """(x − shift) / unit."""

    shift: float
    unit: float = 1.0

    def apply(self, x: Array) -> Array:
        """Transform, as at the fit."""
        return (x - self.shift) / self.unit


@dataclass(frozen=True, slots=True)
class Polynomial:
    """Orthogonal polynomials by the three-term recurrence (Kennedy and Gentle 1980, p. 343).

    Attributes
    ----------
    alpha : tuple of float
        Σ x p_j² / Σ p_j².
    norm2 : tuple of float
        Σ p_j², with a leading 1.
    """

    alpha: tuple[float, ...]
    norm2: tuple[float, ...]

    def apply(self, x: Array) -> Array:
        """Columns of degree 1, 2, … with sum of squares 1 over the rows of the fit."""
        previous, current = np.zeros_like(x), np.ones_like(x)
        columns = []
        for j, alpha in enumerate(self.alpha):
            ratio = self.norm2[j + 1] / self.norm2[j] if j else 0.0
            previous, current = current, (x - alpha) * current - ratio * previous
            columns.append(current / np.sqrt(self.norm2[j + 2]))
        return np.column_stack(columns)


@dataclass(frozen=True, slots=True)
class Spline:
    """A spline basis of patsy's, with what it memorised and the arguments it was given.

    patsy's own object refuses to be pickled; it is made again from its memory when it is needed.
    """

    maker: Callable[[], Any]
    memory: tuple[tuple[str, Any], ...]
    arguments: tuple[tuple[str, Any], ...]

    def apply(self, x: Array) -> Array:
        """Columns of the basis."""
        basis = self.maker()
        vars(basis).update(self.memory)
        return np.asarray(basis.transform(x, **dict(self.arguments)), dtype=float)


def _center(x: Array) -> Affine:
    return Affine(float(x.mean()))


def _scale(x: Array) -> Affine:
    """Mean 0 and standard deviation 1, divisor n − 1 as in R."""
    return Affine(float(x.mean()), float(x.std(ddof=1)))


def _poly(x: Array, degree: float = 1.0) -> Polynomial:
    distinct = np.unique(x).size
    if not (float(degree).is_integer() and 1 <= degree < distinct):
        msg = f"the degree {degree:g} is not a whole number from 1 to {distinct - 1}, one less than"
        raise ValueError(f"{msg} the number of distinct values")
    alphas: list[float] = []
    norms = [1.0, float(x.size)]
    previous, current = np.zeros_like(x), np.ones_like(x)
    for j in range(int(degree)):
        alphas.append(float((x * current**2).sum() / norms[-1]))
        ratio = norms[-1] / norms[-2] if j else 0.0
        previous, current = current, (x - alphas[-1]) * current - ratio * previous
        norms.append(float((current**2).sum()))
    return Polynomial(tuple(alphas), tuple(norms))


def _spline(maker: Callable[[], Any]) -> Callable[..., Spline]:
    def learn(x: Array, df: float | None = None, **options: Any) -> Spline:
        whole = {"df": df, **options}
        arguments = {k: _whole(v) for k, v in whole.items() if v is not None}
        basis = maker()
        basis.memorize_chunk(x, **arguments)
        basis.memorize_finish()
        return Spline(maker, tuple(vars(basis).items()), tuple(arguments.items()))

    return learn


def _whole(value: Any) -> Any:
    """Counts are whole numbers for patsy, bounds are not."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


#: function -> what it learns from the rows of the fit
LEARNERS: Mapping[str, Callable[..., State]] = {
    "center": _center,
    "scale": _scale,
    "poly": _poly,
    "bs": _spline(patsy.splines.BS),
    "cr": _spline(patsy.mgcv_cubic_splines.CR),
}

#: function -> its value, which needs nothing learnt
PLAIN: Mapping[str, Callable[[Array], Array]] = {
    "I": lambda x: x,
    "log": np.log,
    "exp": np.exp,
    "sqrt": np.sqrt,
}
