"""How a model's terms become columns: frozen, picklable, the same for every later row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import FitError
from trialmlm.formula.algebra import SubtermShape, code, expand
from trialmlm.formula.factor import CategoricalFactor, Factor, make_factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array
    from trialmlm.expressions.nodes import Node
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True, slots=True)
class CodedTerm:
    """A term of the model.

    Attributes
    ----------
    factors : tuple of int
        Positions in the coding's factors; empty for the intercept.
    pieces : tuple
        Its coded pieces, as in :data:`~trialmlm.formula.algebra.SubtermShape`.
    name : str
        As R writes it, ``ARMCD:AVISIT``.
    """

    factors: tuple[int, ...]
    pieces: tuple[SubtermShape, ...]
    name: str


@dataclass(frozen=True, slots=True)
class Coding:
    """Terms, factors and column names of a design; makes the columns of any rows.

    Attributes
    ----------
    factors : tuple of Factor
    terms : tuple of CodedTerm
    names : tuple of str
        Column names as R gives them, ``ARMCDTRT:AVISITVIS2``.
    """

    factors: tuple[Factor, ...]
    terms: tuple[CodedTerm, ...]
    names: tuple[str, ...]

    @property
    def variables(self) -> frozenset[str]:
        """Every column the fixed part is made of."""
        return frozenset().union(*(factor.variables for factor in self.factors))

    @property
    def categorical(self) -> dict[str, CategoricalFactor]:
        """The categorical factors by their column (the first, where a column has several)."""
        found: dict[str, CategoricalFactor] = {}
        for factor in self.factors:
            if isinstance(factor, CategoricalFactor):
                found.setdefault(factor.variable, factor)
        return found

    @property
    def numeric(self) -> tuple[str, ...]:
        """The columns that enter as numbers, sorted."""
        return tuple(sorted(self.variables - set(self.categorical)))

    def matrix(self, data: Mapping[str, Variable], rows: int) -> Array:
        """X, rows × columns.

        Parameters
        ----------
        data : mapping of str to Variable
            Every one of `variables`, on `rows` rows.
        rows : int

        Raises
        ------
        FitError
            At a level that the fit did not see, or a value that is not finite.
        """
        blocks = [np.zeros((rows, 0))]
        for term in self.terms:
            for piece in term.pieces:
                block = np.ones((rows, 1))
                for position, full in piece:
                    columns = self.factors[position].columns(data, full=full)
                    # the first factor's columns run fastest, as in R
                    width = columns.shape[1] * block.shape[1]
                    block = (columns[:, :, None] * block[:, None, :]).reshape(rows, width)
                blocks.append(block)
        return np.concatenate(blocks, axis=1)


def make_coding(fixed: Node, data: Mapping[str, Variable]) -> Coding:
    """Code the fixed part of a model on the rows of its fit.

    Raises
    ------
    FitError, ExpressionError
        If a factor cannot be made of these data, or the algebra makes no sense.
    """
    algebra = expand(fixed)
    if not algebra.terms:
        raise FitError("the model has no fixed effect; leave the intercept in")
    factors = tuple(make_factor(node, data) for node in algebra.factors)
    flags = tuple(isinstance(factor, CategoricalFactor) for factor in factors)
    terms = tuple(
        CodedTerm(term, pieces, ":".join(factors[i].name for i in term) or "(Intercept)")
        for term, pieces in zip(algebra.terms, code(algebra.terms, flags), strict=True)
    )
    names = tuple(
        name for term in terms for piece in term.pieces for name in _names(piece, factors)
    )
    return Coding(factors, terms, names)


def _names(piece: SubtermShape, factors: tuple[Factor, ...]) -> list[str]:
    """Column names of a piece, the first factor's running fastest."""
    if not piece:
        return ["(Intercept)"]
    found = [""]
    for position, full in piece:
        factor = factors[position]
        own = [factor.name + suffix for suffix in factor.suffixes(full=full)]
        found = [f"{left}:{right}" if left else right for right in own for left in found]
    return found


def term_columns(coding: Coding) -> dict[str, list[int]]:
    """Columns of each term, by the term's name."""
    found: dict[str, list[int]] = {}
    at = 0
    for term in coding.terms:
        width = sum(_width(piece, coding.factors) for piece in term.pieces)
        found[term.name] = list(range(at, at + width))
        at += width
    return found


def _width(piece: SubtermShape, factors: tuple[Factor, ...]) -> int:
    return int(np.prod([len(factors[i].suffixes(full=full)) for i, full in piece], dtype=int))
