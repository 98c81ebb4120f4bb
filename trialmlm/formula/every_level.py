"""A model with every factor at all its levels: the terms as SAS writes estimable functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.formula.factor import CategoricalFactor
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.basis import Basis
    from trialmlm.formula.coding import CodedTerm, Coding


@dataclass(frozen=True, slots=True)
class EveryLevel:
    """Estimable functions in the coding where no factor leaves a level out.

    Attributes
    ----------
    blocks : mapping of str to ndarray of bool
        Where each term's columns are.
    S : ndarray, shape (q, all columns)
        Functions that span the estimable ones.
    E : ndarray, shape (q, columns of X)
        The same as coefficients of the columns of X over `units`.
    C : ndarray, shape (q, all columns)
        The columns as coordinates in the orthonormal basis of X.
    to_functions : ndarray, shape (q, q)
        Rows in that basis, times this, are combinations of the rows of S.
    units : ndarray, shape (columns of X,)
    """

    blocks: Mapping[str, BoolArray]
    S: Array
    E: Array
    C: Array
    to_functions: Array
    units: Array

    def hypothesis(self, functions: Array) -> Array:
        """Combinations of the rows of S as rows of coefficients of X."""
        rows: Array = functions @ self.E * self.units
        return rows


def every_level(
    coding: Coding, data: Mapping[str, Variable], basis: Basis, root: Array | None = None
) -> EveryLevel:
    """The model's terms at all levels.

    Parameters
    ----------
    coding : Coding
    data : mapping of str to Variable
        The rows used in the fit.
    basis : Basis
        Of X, on the rows used.
    root : ndarray, shape (q, q), optional
        R with R'R = X'X of the columns that are not aliased, where `basis` is of weighted rows.
    """
    blocks, units, M = _every_level(coding, data)
    E = basis.spanning() * units[basis.kept, None] / units
    S = E @ M
    # X = X̃ R E₁ with E₁ = spanning(), so X₀ = X M = X̃ (R / units) S
    R = np.linalg.inv(basis.R_inverse) if root is None else root
    to_functions = R / units[basis.kept]
    return EveryLevel(blocks, S, E, to_functions @ S, to_functions, units)


def _every_level(
    coding: Coding, data: Mapping[str, Variable]
) -> tuple[dict[str, BoolArray], Array, Array]:
    """Where each term's columns are when all factors take all levels, units of X, and M.

    X₀ = X M, both in units of their own: the columns' for X, the terms' for X₀, so that the
    rounding of a covariate in large units does not spoil the rest. M is a property of the
    coding: it is solved for on rows made up to reach every cell.
    """
    rows, table = _synthetic(coding, data)
    X = coding.matrix(table, rows)
    parts = [_full_columns(coding, term, table, rows) for term in coding.terms]
    parts = [part / _size(part) for part in parts]
    X0 = np.concatenate(parts, axis=1)
    bounds = np.cumsum([0, *(part.shape[1] for part in parts)])
    position = np.arange(bounds[-1])
    blocks = {
        term.name: (position >= low) & (position < high)
        for term, low, high in zip(coding.terms, bounds[:-1], bounds[1:], strict=True)
    }
    units = np.array([_size(column) for column in X.T])
    M = np.linalg.lstsq(X / units, X0, rcond=None)[0]
    M[np.abs(M) < 1e-10] = 0.0
    return blocks, units, M


def _size(columns: Array) -> float:
    return float(np.abs(columns).max()) or 1.0


def _full_columns(
    coding: Coding, term: CodedTerm, table: Mapping[str, Variable], rows: int
) -> Array:
    block = np.ones((rows, 1))
    for position in term.factors:
        columns = coding.factors[position].columns(table, full=True)
        block = (columns[:, :, None] * block[:, None, :]).reshape(rows, -1)
    return block


def _synthetic(coding: Coding, data: Mapping[str, Variable]) -> tuple[int, dict[str, Variable]]:
    """Rows that reach every cell of every term several times, numbers drawn from the data's.

    The numbers of a row are drawn together, so that a function of several is defined there too,
    and from sorted rows, so that the order of the data does not matter.
    """
    rng = np.random.default_rng(0)
    sizes = [
        int(np.prod([len(coding.factors[i].suffixes(full=True)) for i in term.factors], dtype=int))
        for term in coding.terms
    ]
    rows = 12 * sum(sizes) + 50
    levels = {name: factor.levels for name, factor in coding.categorical.items()}
    codes = {name: rng.integers(0, len(known), rows) for name, known in levels.items()}
    start = 0
    for term, size in zip(coding.terms, sizes, strict=True):
        classes = [f for i in term.factors if isinstance(f := coding.factors[i], CategoricalFactor)]
        cells = np.array(list(np.ndindex(*(len(f.levels) for f in classes))), dtype=np.intp)
        for column, factor in enumerate(classes):
            span = np.tile(cells[:, column], 4)
            codes[factor.variable][start : start + span.size] = span
        start += 4 * size
    table = {name: Variable(name, levels[name], codes[name]) for name in levels}
    if coding.numeric:
        numbers = np.stack([data[name].numbers() for name in coding.numeric])
        sorted_rows = numbers[:, np.lexsort(numbers)]
        drawn = sorted_rows[:, rng.integers(0, numbers.shape[1], rows)]
        table |= {name: Variable(name, None, drawn[i]) for i, name in enumerate(coding.numeric)}
    return rows, table
