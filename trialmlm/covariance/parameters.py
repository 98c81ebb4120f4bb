"""What the parameters of a covariance are called, and how each is read off Σ.

Whatever the parameterisation, a parameter that is reported is a function of entries of Σ: a
variance, a covariance, a correlation, or a variance less a covariance (the residual of compound
symmetry). So its standard error follows from ∂Σ alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter as it is reported.

    Attributes
    ----------
    sas : str
        As PROC MIXED calls it; empty where it lists none such.
    words : str
        As ``covariance {row}, {column}``, to be filled with the names of the visits.
    kind : str
        A key of `KINDS`.
    row, column : int
        The entry of Σ it is read off.
    """

    sas: str
    words: str
    kind: str
    row: int
    column: int


def _entry(Sigma: Array, i: int, j: int) -> tuple[float, Array]:
    slope = np.zeros_like(Sigma)
    slope[i, j] = 1.0
    return float(Sigma[i, j]), slope


def _rest(Sigma: Array, i: int, j: int) -> tuple[float, Array]:
    """Σ_ii − Σ_ij."""
    variance, one = _entry(Sigma, i, i)
    covariance, other = _entry(Sigma, i, j)
    return variance - covariance, one - other


def _correlation(Sigma: Array, i: int, j: int) -> tuple[float, Array]:
    """R_ij, with ∂R = ∂Σ_ij / √(Σ_iiΣ_jj) − R (∂Σ_ii/Σ_ii + ∂Σ_jj/Σ_jj)/2."""
    size = float(np.sqrt(Sigma[i, i] * Sigma[j, j]))
    value = float(Sigma[i, j]) / size
    slope = np.zeros_like(Sigma)
    slope[i, j] = 1.0 / size
    slope[i, i] -= value / (2.0 * Sigma[i, i])
    slope[j, j] -= value / (2.0 * Sigma[j, j])
    return value, slope


#: kind -> (Σ, i, j) to its value and its derivative by the entries of Σ
KINDS: Mapping[str, Callable[[Array, int, int], tuple[float, Array]]] = {
    "variance": _entry,
    "residual": _rest,
    "covariance": _entry,
    "correlation": _correlation,
}


def _unstructured(T: int) -> Iterator[Parameter]:
    for i in range(T):
        for j in range(i):
            name = f"UN({i + 1},{j + 1})"
            yield Parameter(name, "covariance {row}, {column}", "covariance", i, j)
        yield Parameter(f"UN({i + 1},{i + 1})", "variance {row}", "variance", i, i)
    for i in range(T):
        for j in range(i):
            yield Parameter("", "correlation {row}, {column}", "correlation", i, j)


def _compound(T: int) -> Iterator[Parameter]:
    if T == 1:
        yield from _one_variance("Residual")
        return
    yield Parameter("CS", "covariance", "covariance", 1, 0)
    yield Parameter("Residual", "variance less covariance", "residual", 0, 1)
    yield from _one_variance("")
    yield from _lags("", 1, T)


def _toeplitz(T: int) -> Iterator[Parameter]:
    for k in range(1, T):
        yield Parameter(f"TOEP({k + 1})", f"covariance, lag {k}", "covariance", k, 0)
    yield from _one_variance("Residual")
    yield from _lags("", T - 1, T)


def _lags(sas: str, most: int, T: int) -> Iterator[Parameter]:
    """Correlations by lag: one for all where `most` is 1."""
    for k in range(1, min(most, T - 1) + 1):
        words = "correlation" if most == 1 else f"correlation, lag {k}"
        yield Parameter(sas.format(k), words, "correlation", k, 0)


def _neighbours(sas: str, T: int) -> Iterator[Parameter]:
    for k in range(T - 1):
        words = "correlation {row}, {column}"
        yield Parameter(sas.format(k + 1), words, "correlation", k + 1, k)


def _variances(sas: str, T: int) -> Iterator[Parameter]:
    for i in range(T):
        yield Parameter(sas.format(i + 1), "variance {row}", "variance", i, i)


def _one_variance(sas: str) -> Iterator[Parameter]:
    yield Parameter(sas, "variance", "variance", 0, 0)


def _heterogeneous(sas: str, most: int | None = None) -> Callable[[int], tuple[Parameter, ...]]:
    """Variances by visit, and correlations by lag."""
    return lambda T: (*_variances("Var({})", T), *_lags(sas, most or T - 1, T))


#: abbreviation of a family -> its parameters over so many visits, in PROC MIXED's order
PARAMETERS: Mapping[str, Callable[[int], tuple[Parameter, ...]]] = {
    "us": lambda T: tuple(_unstructured(T)),
    "cs": lambda T: tuple(_compound(T)),
    "csh": _heterogeneous("CSH", 1),
    "ar1": lambda T: (*_lags("AR(1)", 1, T), *_one_variance("Residual")),
    "ar1h": _heterogeneous("ARH(1)", 1),
    "toep": lambda T: tuple(_toeplitz(T)),
    "toeph": _heterogeneous("TOEPH({})"),
    "ad": lambda T: (*_one_variance(""), *_neighbours("", T)),
    "adh": lambda T: (*_variances("Var({})", T), *_neighbours("Rho({})", T)),
    "id": lambda _: tuple(_one_variance("Residual")),
    "diag": lambda T: tuple(_variances("UN({0},{0})", T)),
}
