"""Type III hypotheses: what each term's test says of the coefficients.

A Type III function of a term F involves only F and the terms that contain F, and is orthogonal
to every estimable function of the terms that contain F alone (Goodnight 1978, SAS technical
report R-101). It is found in the coding where every factor takes all its levels, so empty cells
are treated as SAS treats them. The rows returned are those of sum-to-zero contrasts (a level's
effect less the mean of all), where the design has them: the df of a Satterthwaite F test depends
on that choice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.formula.factor import CategoricalFactor
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.basis import Basis
    from trialmlm.formula.coding import CodedTerm, Coding


def type_three(coding: Coding, data: Mapping[str, Variable], basis: Basis) -> dict[str, Array]:
    """L (d × columns) of every term but the intercept; d is 0 where nothing is estimable.

    Parameters
    ----------
    coding : Coding
    data : mapping of str to Variable
        The rows used in the fit.
    basis : Basis
        Which columns are aliased.
    """
    blocks, units, M = _every_level(coding, data)
    E = basis.spanning() * units[basis.kept, None] / units
    S = E @ M
    found: dict[str, Array] = {}
    for term in coding.terms:
        if not term.factors:
            continue
        own = blocks[term.name]
        containing = np.zeros(M.shape[1], dtype=bool)
        for other in coding.terms:
            if other is not term and _contains(other, term, coding):
                containing |= blocks[other.name]
        functions = _functions(S, own, containing)
        rows = _sum_to_zero(functions @ S[:, own], coding, term) @ functions
        found[term.name] = rows @ E * units
    return found


def _contains(larger: CodedTerm, smaller: CodedTerm, coding: Coding) -> bool:
    """The same numbers, and all of the smaller term's classes and more (SAS's definition)."""

    def split(term: CodedTerm) -> tuple[set[int], set[int]]:
        classes = {i for i in term.factors if isinstance(coding.factors[i], CategoricalFactor)}
        return classes, set(term.factors) - classes

    (large_classes, large_numbers), (classes, numbers) = split(larger), split(smaller)
    return large_numbers == numbers and large_classes > classes


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


def _functions(S: Array, own: BoolArray, containing: BoolArray) -> Array:
    """Combinations A of S's rows: zero outside own and containing, orthogonal to containing's."""
    elsewhere = ~(own | containing)
    allowed = _left_null(S[:, elsewhere])
    of_containing = _left_null(S[:, ~containing])
    cross = (allowed @ S) @ (of_containing @ S).T
    return _left_null(cross) @ allowed


def _left_null(A: Array) -> Array:
    """Orthonormal rows n with n A = 0."""
    if not A.size:
        return np.eye(A.shape[0])
    left, values, _ = np.linalg.svd(A)
    rank = int((values > 1e-9 * max(1.0, float(values[0]))).sum())
    return left[:, rank:].T


def _sum_to_zero(block: Array, coding: Coding, term: CodedTerm) -> Array:
    """How to combine the functions so that they are sum-to-zero contrasts, where they can be."""
    factors = [coding.factors[i] for i in term.factors]
    target: Array = np.eye(1)
    for factor in factors:
        target = np.kron(_centred(factor), target)
    if len(target) == len(block):
        combination = target @ np.linalg.pinv(block)
        if np.allclose(combination @ block, target, atol=1e-8):
            result: Array = combination
            return result
    return np.eye(len(block))


def _centred(factor: object) -> Array:
    """e_k − 1/K for all levels but the last; a number stands for itself."""
    if isinstance(factor, CategoricalFactor):
        K = len(factor.levels)
        return np.eye(K)[: K - 1] - 1.0 / K
    return np.eye(len(factor.suffixes(full=True)))  # type: ignore[attr-defined]
