"""From the tree of a fixed part to its terms, and how each term's factors are coded.

This is the one module that speaks to patsy. patsy expands the algebra (``*``, ``:``, ``/``,
``**``, ``-``) and decides which categorical factors take all their levels and which leave one
out. It is given placeholders, so that it never sees, and never evaluates, a text of the user's.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import patsy
from patsy import EvalEnvironment, ModelDesc
from patsy.build import design_matrix_builders
from patsy.desc import Term as PatsyTerm

from trialmlm.errors import ExpressionError
from trialmlm.expressions.nodes import Binary, Node, Number, Unary
from trialmlm.expressions.spelling import spell

if TYPE_CHECKING:
    from collections.abc import Iterator

_ALGEBRA = frozenset({"+", "-", "*", ":", "/", "**"})


@dataclass(frozen=True, slots=True)
class Algebra:
    """A fixed part expanded.

    Attributes
    ----------
    factors : tuple of Node
        The distinct factors, in order of appearance.
    terms : tuple of tuple of int
        Each term as positions in `factors`, ascending; the intercept is the empty tuple.
    """

    factors: tuple[Node, ...]
    terms: tuple[tuple[int, ...], ...]


#: one coded piece of a term: positions in Algebra.factors, and whether each takes all its levels
SubtermShape = tuple[tuple[int, bool], ...]


@lru_cache(maxsize=256)
def expand(fixed: Node) -> Algebra:
    """Terms of a fixed part, by degree as in R and then in order of appearance.

    Within a term factors stand in the order in which the formula first names them, as in R:
    ``BASE * AVISIT + ARM * AVISIT`` has the interactions BASE:AVISIT and AVISIT:ARM.

    Raises
    ------
    ExpressionError
        If patsy cannot make sense of the algebra.
    """
    factors: list[Node] = []
    text = _placeholders(fixed, factors)
    try:
        described = ModelDesc.from_formula(text).rhs_termlist
    except patsy.PatsyError as error:
        msg = f"{spell(fixed)} cannot be expanded into terms: {error.message}"
        raise ExpressionError(msg) from error
    terms = [tuple(sorted(int(one.code[1:]) for one in term.factors)) for term in described]
    return Algebra(tuple(factors), tuple(sorted(terms, key=len)))


def _placeholders(node: Node, factors: list[Node]) -> str:
    """The algebra's text with f0, f1, … in place of the factors; appends what it meets."""
    match node:
        case Binary(operator, left, right) if operator in _ALGEBRA:
            return f"({_placeholders(left, factors)} {operator} {_placeholders(right, factors)})"
        case Unary(operator, operand):
            return f"({operator}{_placeholders(operand, factors)})"
        case Number(value):
            return f"{value:g}"
    if node not in factors:
        factors.append(node)
    return f"f{factors.index(node)}"


class _Placeholder:
    """A factor as patsy wants one: two levels, or one number."""

    def __init__(self, position: int, *, categorical: bool) -> None:
        self.position = position
        self.categorical = categorical
        self.origin = None

    def name(self) -> str:
        return f"f{self.position}"

    def memorize_passes_needed(self, state: dict[str, Any], eval_env: EvalEnvironment) -> int:
        del state, eval_env
        return 0

    def eval(self, state: dict[str, Any], data: Any) -> Any:
        del state, data
        return ["a", "b"] if self.categorical else np.array([1.0, 2.0])


@lru_cache(maxsize=256)
def code(
    terms: tuple[tuple[int, ...], ...], categorical: tuple[bool, ...]
) -> tuple[tuple[SubtermShape, ...], ...]:
    """For each term its coded pieces: True for a factor with all levels, False for one left out.

    Parameters
    ----------
    terms : tuple of tuple of int
        As in :class:`Algebra`.
    categorical : tuple of bool
        Which factors are categorical.
    """
    factors = [_Placeholder(i, categorical=flag) for i, flag in enumerate(categorical)]
    described = [PatsyTerm([factors[i] for i in term]) for term in terms]
    (info,) = design_matrix_builders([described], lambda: iter([{}]), EvalEnvironment([]))
    return tuple(tuple(_shapes(info.term_codings[term])) for term in described)


def _shapes(subterms: Any) -> Iterator[SubtermShape]:
    for subterm in subterms:
        matrices = subterm.contrast_matrices
        yield tuple(
            (factor.position, factor in matrices and matrices[factor].matrix.shape[1] == 2)
            for factor in subterm.factors
        )
