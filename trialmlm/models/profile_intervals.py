"""Profile-likelihood intervals of every parameter of a mixed model."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import optimize, special

from trialmlm.covariance.partial import correlation_root, partial_correlations
from trialmlm.errors import NotAvailableError
from trialmlm.models.asked import check_share
from trialmlm.models.levels import levels_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialmlm.arrays import Array
    from trialmlm.models.lmm_fit import LmmFit

#: a log SD this far below the estimate counts as zero
_FAR = 12.0
#: and so far below the residual's: the estimate is zero, which a logarithm only approaches
_TINY = 5.0
#: a deviance that no search takes
_NOWHERE = 1e100
#: kind of parameter -> from φ to itself, and the first step outward
_BACK: Mapping[str, Callable[[Array], Array]] = {
    "sd": np.exp,
    "residual sd": np.exp,
    "correlation": np.tanh,
}
_STEPS: Mapping[str, float] = {"sd": 0.1, "residual sd": 0.1, "correlation": 0.2}
#: a partial correlation to start from at most
_MOST = 0.95
#: steps outward before an interval counts as open
_MOST_STEPS = 60


@dataclass(frozen=True)
class _Surface:
    """The ML deviance by φ: log SDs and correlations of every block, log residual SDs.

    Correlations are atanh of the partial ones of :mod:`~trialmlm.covariance.partial`, whose first
    is the correlation of the first two effects itself.

    Attributes
    ----------
    likelihood : Likelihood
        ML.
    orders : tuple of tuple of int
        Of every block, in the order of the natural parameters: the effects in the order in which
        their correlations are taken.
    rows : ndarray, shape (q, q)
        The kept coefficients in the orthonormal basis.
    """

    likelihood: Any
    orders: tuple[tuple[int, ...], ...]
    rows: Array

    @property
    def sizes(self) -> tuple[int, ...]:
        """Effects of every block."""
        return tuple(map(len, self.orders))

    @property
    def starts(self) -> tuple[int, ...]:
        """Where each block begins in φ, and where the residual SDs do."""
        return tuple(accumulate((r * (r + 1) // 2 for r in self.sizes), initial=0))

    def theta(self, phi: Array) -> Array:
        """What the search runs on; a correlation of one or a variance of zero is no edge."""
        pieces = [
            self._triangle(phi[start:stop], order, block.K)
            for start, stop, order, block in zip(
                self.starts, self.starts[1:], self.orders, self.likelihood.blocks, strict=False
            )
        ]
        residual = phi[self.starts[-1] :] - np.log(self.likelihood.scale)
        return np.concatenate([*pieces, residual])

    def _triangle(self, phi: Array, order: tuple[int, ...], K: Array) -> Array:
        """The lower Cholesky factor of K G K' / s²."""
        r = len(order)
        half = np.linalg.qr((K @ _root(phi, order) / self.likelihood.scale).T).R.T
        triangle: Array = half[np.tril_indices(r)]
        return triangle

    def turned(self, phi: Array, j: int) -> tuple[_Surface, Array, int]:
        """Where the j-th of φ, a correlation, is a coordinate: the surface, φ there, its place."""
        block = int(np.searchsorted(self.starts, j, side="right")) - 1
        start, stop, r = self.starts[block], self.starts[block + 1], self.sizes[block]
        rows, columns = np.tril_indices(r, -1)
        first, second = columns[j - start - r], rows[j - start - r]
        order = (first, second, *(k for k in range(r) if k not in (first, second)))
        root = _root(phi[start:stop], self.orders[block])
        at = phi.copy()
        at[start + r : stop] = _partials(root @ root.T, order)
        orders = (*self.orders[:block], order, *self.orders[block + 1 :])
        return replace(self, orders=orders), at, start + r

    def deviance(self, phi: Array) -> float:
        """−2l, the fixed effects at their best."""
        return float(self.likelihood.evaluate(self.theta(phi)).deviance)

    def fixed_deviance(self, phi: Array, k: int, value: float) -> float:
        """The same with one coefficient held, the others at their best.

        For given covariances −2l is a parabola of β_k with curvature 1 / Φ_kk.
        """
        point = self.likelihood.evaluate(self.theta(phi))
        row, scale = self.rows[k], self.likelihood.scale
        best = float(row @ (self.likelihood.offset + scale * point.beta))
        variance = scale**2 * float(row @ point.Phi @ row)
        found: float = float(point.deviance) + (value - best) ** 2 / variance
        return found


def profile_intervals(fit: LmmFit, confidence: float = 0.95) -> pd.DataFrame:
    """Intervals of the values that the likelihood does not reject.

    Parameters
    ----------
    fit : LmmFit
        By REML or ML; the profile is of the ML deviance in either case, as lme4's.
    confidence : float

    Returns
    -------
    DataFrame
        kind (sd, correlation, residual sd, coefficient), group, term, term_2, estimate (ML),
        ci_low, ci_high. An SD's lower limit is 0 where the likelihood does not reject zero.

    Raises
    ------
    NotAvailableError
        Beside a residual covariance.
    UsageError
        If `confidence` is not between 0 and 1.

    Notes
    -----
    The limits of ψ are where min −2l, over all other parameters, is χ²_1's quantile above its
    least (Venzon and Moolgavkar 1988).
    """
    check_share("confidence", confidence)
    surface, start = _surface(fit)
    least = _minimum(surface.deviance, start)
    cutoff = float(least.fun) + float(special.chdtri(1.0, 1.0 - confidence))
    rows = [*_covariance_rows(fit, surface, least.x, cutoff)]
    rows += _coefficient_rows(fit, surface, least.x, cutoff)
    columns = ["kind", "group", "term", "term_2", "estimate", "ci_low", "ci_high"]
    return pd.DataFrame(rows, columns=pd.Index(columns))


def _surface(fit: LmmFit) -> tuple[_Surface, Array]:
    """The deviance, and the fit's own estimates as a start."""
    if not fit.independent_residuals:
        raise NotAvailableError(
            "profile_intervals: random effects beside a residual covariance are not available in "
            "this version; parametric_bootstrap takes them"
        )
    likelihood: Any = replace(fit.gaussian.likelihood, reml=False)  # type: ignore[type-var]
    orders = tuple(tuple(range(len(block.K))) for block in likelihood.blocks)
    basis = likelihood.basis
    rows = basis.rows(np.eye(basis.n_columns)[basis.kept])
    residual = np.sqrt(fit.residual_variances.to_numpy())
    start: list[float] = []
    for G in _blocks(fit, likelihood):
        sd = np.sqrt(np.diag(G)).clip(1e-3 * float(residual.mean()))
        held = G + np.diag(sd**2 - np.diag(G))
        start += [*np.log(sd), *_partials(held, tuple(range(len(G))))]
    return _Surface(likelihood, orders, rows), np.array([*start, *np.log(residual)])


def _root(phi: Array, order: tuple[int, ...]) -> Array:
    """M with MM' = G of a block: SDs in the order of the effects, correlations in another."""
    r = len(order)
    M = np.zeros((r, r))
    M[list(order)] = np.exp(phi[:r])[list(order), None] * correlation_root(np.tanh(phi[r:]), r)
    return M


def _partials(G: Array, order: tuple[int, ...]) -> Array:
    """Atanh of the partial correlations of G, its effects taken in an order; none of them one."""
    sd = np.sqrt(np.diag(G))
    R = (G / np.outer(sd, sd))[np.ix_(order, order)]
    found: Array = np.arctanh(partial_correlations(R).clip(-_MOST, _MOST))
    return found


def _blocks(fit: LmmFit, likelihood: Any) -> Iterator[Array]:
    """The covariance of each block's effects."""
    levels = levels_of(fit)
    for block in likelihood.blocks:
        own = slice(block.first, block.first + len(block.K))
        yield levels[block.grouping].G[own, own]


def _covariance_rows(
    fit: LmmFit, surface: _Surface, best: Array, cutoff: float
) -> list[tuple[Any, ...]]:
    """Standard deviations, correlations, residual standard deviations."""
    names = list(_names(fit, surface))
    rows: list[tuple[Any, ...]] = []
    for k, name in enumerate(names):
        own, at, j = surface.turned(best, k) if name[0] == "correlation" else (surface, best, k)
        held, back, step = _held(own.deviance, at, j), _BACK[name[0]], _STEPS[name[0]]
        value = float(at[j])
        low, high = (_limit(held, value, side * step, cutoff) for side in (-1, 1))
        numbers = np.array([value, low, high])
        if back is np.exp and low < value - _FAR:
            numbers[1] = -np.inf
            numbers[0] = -np.inf if value < best[-1] - _TINY else value
        rows.append((*name, *back(numbers).tolist()))
    return rows


def _names(fit: LmmFit, surface: _Surface) -> Iterator[tuple[str, str, str, str]]:
    """Kind, group, term and second term of every parameter of φ."""
    levels = levels_of(fit)
    for block in surface.likelihood.blocks:
        level = levels[block.grouping]
        terms = level.terms[block.first : block.first + len(block.K)]
        yield from (("sd", level.name, term, "") for term in terms)
        for second, first in zip(*np.tril_indices(len(terms), -1), strict=True):
            yield ("correlation", level.name, terms[first], terms[second])
    for label in fit.residual_variances.index:
        yield ("residual sd", "Residual", str(label), "")


def _coefficient_rows(
    fit: LmmFit, surface: _Surface, best: Array, cutoff: float
) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    point = surface.likelihood.evaluate(surface.theta(best))
    scale = surface.likelihood.scale
    for k, column in enumerate(surface.likelihood.basis.kept):
        row = surface.rows[k]
        value = float(row @ (surface.likelihood.offset + scale * point.beta))
        step = scale * float(np.sqrt(row @ point.Phi @ row))
        held = _held_coefficient(surface, best, k)
        low, high = (_limit(held, value, side * step, cutoff) for side in (-1, 1))
        rows.append(("coefficient", "", fit.coding.names[column], "", value, low, high))
    return rows


def _held(deviance: Callable[[Array], float], best: Array, j: int) -> Callable[[float], float]:
    """The least deviance with the j-th parameter held."""
    rest = np.delete(best, j)

    def profile(value: float) -> float:
        return float(_minimum(lambda others: deviance(np.insert(others, j, value)), rest).fun)

    return profile


def _held_coefficient(surface: _Surface, best: Array, k: int) -> Callable[[float], float]:
    def profile(value: float) -> float:
        return float(_minimum(lambda phi: surface.fixed_deviance(phi, k, value), best).fun)

    return profile


def _minimum(deviance: Callable[[Array], float], start: Array) -> Any:
    """Quasi-Newton from a good start; a parameter that runs off to zero does no harm."""

    def defined(at: Array) -> float:
        try:
            return deviance(at)
        except np.linalg.LinAlgError:  # a step of the search to where V has no inverse
            return _NOWHERE

    limits = [(value - _FAR, value + _FAR / 2.0) for value in start]
    return optimize.minimize(
        defined, start, method="L-BFGS-B", bounds=limits, options={"ftol": 1e-12, "gtol": 1e-5}
    )


def _limit(profile: Callable[[float], float], value: float, step: float, cutoff: float) -> float:
    """Where the profile crosses the cutoff, outward; infinite where it does not."""
    inner = value
    for _ in range(_MOST_STEPS):
        outer = inner + step
        if profile(outer) > cutoff:
            exact = 1e-5 * abs(step)
            return float(optimize.brentq(lambda at: profile(at) - cutoff, inner, outer, xtol=exact))
        inner, step = outer, 1.5 * step
        if abs(inner - value) > 3 * _FAR * max(1.0, abs(value)):
            break
    return float(np.sign(step) * np.inf)
