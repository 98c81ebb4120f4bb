"""From variables to the engine's design: subjects × visits, and x_ij = B_j u_i.

A factor that is constant within subjects enters u_i, one that depends on the visit alone enters
B_j, and one that varies in both enters u_i once per visit. Rows are looked at once, to find out
which is which.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.engine.design import Design

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.formula.algebra import SubtermShape
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.variables import Variable


@dataclass(frozen=True, slots=True)
class Layout:
    """Where each row stands in the table of subjects and visits.

    Attributes
    ----------
    subject, visit : ndarray of int, shape (N,)
    n_subjects, n_visits : int
    first_of_subject, first_of_visit : ndarray of int
        A row of each.
    """

    subject: IntArray
    visit: IntArray
    n_subjects: int
    n_visits: int
    first_of_subject: IntArray
    first_of_visit: IntArray

    @classmethod
    def of(cls, subject: IntArray, visit: IntArray) -> Layout:
        """From codes without gaps."""
        n, T = int(subject.max()) + 1, int(visit.max()) + 1
        return cls(subject, visit, n, T, _first(subject, n), _first(visit, T))

    def table(self, values: Array) -> Array:
        """Row values as a table subjects × visits, 0 where there is no row."""
        shape = (self.n_subjects, self.n_visits, *values.shape[1:])
        found = np.zeros(shape)
        found[self.subject, self.visit] = values
        return found

    def observed(self) -> BoolArray:
        """Which cells have a row."""
        found = np.zeros((self.n_subjects, self.n_visits), dtype=bool)
        found[self.subject, self.visit] = True
        return found

    def scope(self, variable: Variable) -> str:
        """``subject``, ``visit`` or ``row``: what a variable depends on."""
        values = variable.values
        if (values == values[self.first_of_subject][self.subject]).all():
            return "subject"
        if (values == values[self.first_of_visit][self.visit]).all():
            return "visit"
        return "row"


def _first(codes: IntArray, count: int) -> IntArray:
    """A row of each code: the first, whatever the order of writing."""
    found = np.empty(count, dtype=np.intp)
    found[codes[::-1]] = np.arange(codes.size - 1, -1, -1)
    return found


@dataclass(slots=True)
class _Subjects:
    """The columns of U as they are met, each once."""

    columns: list[Array] = field(default_factory=list)
    places: dict[object, int] = field(default_factory=dict)

    def place(self, key: object, columns: Array) -> int:
        """Where `columns` (n × k) stand, appending them at their first use."""
        if key not in self.places:
            self.places[key] = len(self.columns)
            self.columns.extend(columns.T)
        return self.places[key]


@dataclass(frozen=True, slots=True)
class _Factors:
    """Every factor's columns at the level it varies on: (n, k), (T, k) or (n, T, k)."""

    coding: Coding
    layout: Layout
    variables: Mapping[str, Variable]
    scopes: Mapping[str, str]

    def scope(self, position: int) -> str:
        """Of a factor: of its variables together."""
        found = {self.scopes[name] for name in self.coding.factors[position].variables}
        return found.pop() if len(found) == 1 else "row"

    def columns(self, position: int, *, full: bool) -> Array:
        factor = self.coding.factors[position]
        rows = {
            "subject": self.layout.first_of_subject,
            "visit": self.layout.first_of_visit,
        }.get(self.scope(position))
        if rows is None:
            return self.layout.table(factor.columns(self.variables, full=full))
        taken = {name: self.variables[name].take(rows) for name in factor.variables}
        return factor.columns(taken, full=full)


def make_design(
    coding: Coding, variables: Mapping[str, Variable], layout: Layout, response: Array
) -> Design:
    """The engine's design of a coded model.

    Parameters
    ----------
    coding : Coding
    variables : mapping of str to Variable
        On the N rows used.
    layout : Layout
    response : ndarray, shape (N,)
    """
    scopes = {name: layout.scope(variables[name]) for name in coding.variables}
    factors = _Factors(coding, layout, variables, scopes)
    subjects = _Subjects()
    columns = [
        column
        for term in coding.terms
        for piece in term.pieces
        for column in _piece(piece, factors, subjects)
    ]
    B = np.zeros((layout.n_visits, len(columns), len(subjects.columns)))
    for position, (at, weights, by_visit) in enumerate(columns):
        visits = np.arange(layout.n_visits)
        B[visits, position, at + visits if by_visit else at] = weights
    return Design(B, np.stack(subjects.columns, axis=1), layout.table(response), layout.observed())


def _piece(
    piece: SubtermShape, factors: _Factors, subjects: _Subjects
) -> list[tuple[int, Array, bool]]:
    """For each column of a piece: its place in U, its weights by visit, one u per visit or not."""
    layout = factors.layout
    made = [(factors.scope(p), factors.columns(p, full=full)) for p, full in piece]
    found: list[tuple[int, Array, bool]] = []
    for index in _indices([columns.shape[-1] for _, columns in made]):
        by_visit: Array = np.ones(layout.n_visits)
        by_subject: Array = np.ones(layout.n_subjects)
        by_row: Array | None = None
        key: list[tuple[int, bool, int]] = []
        for (scope, columns), (position, full), k in zip(made, piece, index, strict=True):
            if scope == "visit":
                by_visit = by_visit * columns[:, k]
                continue
            key.append((position, full, k))
            if scope == "subject":
                by_subject = by_subject * columns[:, k]
            else:
                by_row = columns[..., k] if by_row is None else by_row * columns[..., k]
        wide = by_subject[:, None] if by_row is None else by_subject[:, None] * by_row
        found.append((subjects.place(tuple(sorted(key)), wide), by_visit, by_row is not None))
    return found


def _indices(widths: list[int]) -> list[tuple[int, ...]]:
    """All index tuples, the first running fastest."""
    return [tuple(reversed(index)) for index in np.ndindex(*reversed(widths))]
