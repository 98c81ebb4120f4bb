"""Hypotheses of type I, II and III: what each term's test says of the coefficients.

Goodnight (1978), SAS technical report R-101, in the coding where every factor takes all its
levels, so that empty cells are treated as SAS treats them.

* Type I: the term after the terms before it, in the order of the model's terms (main effects
  first, then interactions, each in the order of writing, as R sorts them).
* Type II: the term after all terms that do not contain it.
* Type III: functions of the term and of the terms that contain it only, orthogonal to every
  estimable function of the terms that contain it alone.

As in PROC MIXED, "after" is by ordinary least squares, X'X, whatever the covariance; as in R mmrm,
whatever the weights of rows. All work is in an orthonormal basis of X, q × q.

The rows returned are those of sum-to-zero contrasts (a level's effect less the mean of all), and
where empty cells leave no such rows, rows that X'X makes orthonormal. The df of a Satterthwaite F
test depends on that choice, its F and Kenward-Roger's df do not. Neither choice depends on how the
model's factors are coded.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.formula.every_level import every_level
from trialmlm.formula.factor import CategoricalFactor

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray
    from trialmlm.engine.basis import Basis
    from trialmlm.formula.coding import CodedTerm, Coding
    from trialmlm.formula.every_level import EveryLevel
    from trialmlm.formula.variables import Variable

#: model at every level, its coding, a term -> combinations of the estimable functions
Maker = Callable[["EveryLevel", "Coding", "CodedTerm"], "Array"]


def hypotheses(
    kind: str,
    coding: Coding,
    data: Mapping[str, Variable],
    basis: Basis,
    root: Array | None = None,
) -> dict[str, Array]:
    """L (d × columns) of every term but the intercept; d is 0 where nothing is estimable.

    Parameters
    ----------
    kind : {"I", "II", "III"}
    coding : Coding
    data : mapping of str to Variable
        The rows used in the fit.
    basis : Basis
        Which columns are aliased.
    root : ndarray, optional
        As of :func:`~trialmlm.formula.every_level.every_level`.
    """
    full = every_level(coding, data, basis, root)
    found: dict[str, Array] = {}
    for term in coding.terms:
        if term.factors:
            functions = HYPOTHESES[kind](full, coding, term)
            found[term.name] = full.hypothesis(_in_one_basis(functions, full, coding, term))
    return found


def _type_one(full: EveryLevel, coding: Coding, term: CodedTerm) -> Array:
    position = coding.terms.index(term)
    return _after(full, term, _columns(full, coding.terms[:position]))


def _type_two(full: EveryLevel, coding: Coding, term: CodedTerm) -> Array:
    others = tuple(t for t in coding.terms if t is not term and not _contains(t, term, coding))
    return _after(full, term, _columns(full, others))


def _type_three(full: EveryLevel, coding: Coding, term: CodedTerm) -> Array:
    larger = tuple(t for t in coding.terms if t is not term and _contains(t, term, coding))
    return _functions(full.S, full.blocks[term.name], _columns(full, larger))


#: kind -> how its functions are found
HYPOTHESES: Mapping[str, Maker] = {"I": _type_one, "II": _type_two, "III": _type_three}


def _columns(full: EveryLevel, terms: tuple[CodedTerm, ...]) -> BoolArray:
    found = np.zeros(full.S.shape[1], dtype=bool)
    for term in terms:
        found |= full.blocks[term.name]
    return found


def _after(full: EveryLevel, term: CodedTerm, earlier: BoolArray) -> Array:
    """The functions X₁'M₀X, M₀ the projection off the columns of `earlier`, without redundancy."""
    Q = _orthonormal(full.C[:, earlier], full.C[:, earlier])
    own = full.C[:, full.blocks[term.name]]
    rest = own - Q @ (Q.T @ own)
    rest = rest - Q @ (Q.T @ rest)
    result: Array = _orthonormal(rest, own).T @ full.to_functions
    return result


def _orthonormal(A: Array, size: Array) -> Array:
    """A basis of A's columns; what is small beside `size` is rounding."""
    units = np.linalg.norm(size, axis=0)
    units = np.where(units > 0.0, units, 1.0)
    left, values, _ = np.linalg.svd(A / units, full_matrices=False)
    return left[:, values > 1e-7]


def _contains(larger: CodedTerm, smaller: CodedTerm, coding: Coding) -> bool:
    """The same numbers, and all of the smaller term's classes and more (SAS's definition)."""

    def split(term: CodedTerm) -> tuple[set[int], set[int]]:
        classes = {i for i in term.factors if isinstance(coding.factors[i], CategoricalFactor)}
        return classes, set(term.factors) - classes

    (large_classes, large_numbers), (classes, numbers) = split(larger), split(smaller)
    return large_numbers == numbers and large_classes > classes


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


def _in_one_basis(functions: Array, full: EveryLevel, coding: Coding, term: CodedTerm) -> Array:
    """The same hypothesis by sum-to-zero contrasts, or by rows that X'X makes orthonormal."""
    target: Array = np.eye(1)
    for position in term.factors:
        target = np.kron(_centred(coding.factors[position]), target)
    block = functions @ full.S[:, full.blocks[term.name]]
    if len(target) == len(block):
        combination = target @ np.linalg.pinv(block)
        if np.allclose(combination @ block, target, atol=1e-8):
            result: Array = combination @ functions
            return result
    in_basis = np.linalg.solve(full.to_functions.T, functions.T)
    rotated: Array = np.linalg.qr(in_basis).Q.T @ full.to_functions
    return rotated


def _centred(factor: object) -> Array:
    """e_k − 1/K for all levels but the last; a number stands for itself."""
    if isinstance(factor, CategoricalFactor):
        K = len(factor.levels)
        return np.eye(K)[: K - 1] - 1.0 / K
    return np.eye(len(factor.suffixes(full=True)))  # type: ignore[attr-defined]
