"""Averages over actual subjects: every subject under every treatment (G-computation).

Robins (1986); for a linear model Lβ with L the average of the subjects' own rows, the factors of
the cell set for all of them. What a subject brings along is every column that does not vary within
a subject. A column that does, as the visit, cannot be taken from the subjects without letting those
with more visits count more: a factor's levels count equally, a number is held at its mean over the
rows used, as under the other weightings.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import FitError, UsageError
from trialmlm.formula.grid import Grid, cells_of
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.coding import Coding
    from trialmlm.formula.frame import ModelFrame


@dataclass(frozen=True, slots=True)
class Subjects:
    """Those averaged over.

    Attributes
    ----------
    own : mapping of str to Variable
        One value per subject of every column of the fixed part that does not vary within one.
    count : int
    left_out : int
        Subjects of the data without a complete set of these.
    """

    own: Mapping[str, Variable]
    count: int
    left_out: int

    def take(self, rows: IntArray) -> Subjects:
        """Some of them."""
        own = {name: variable.take(rows) for name, variable in self.own.items()}
        return Subjects(own, rows.size, self.left_out)

    def within(self, names: tuple[str, ...]) -> Iterator[tuple[tuple[Any, ...], Subjects]]:
        """Those of every combination of levels that there is, in the order of the levels.

        Raises
        ------
        UsageError
            If a name is not a factor of the model that each subject has one level of.
        """
        for name in names:
            if name not in self.own or not self.own[name].categorical:
                known = [n for n, variable in self.own.items() if variable.categorical]
                msg = (
                    f"among: {name} is not a factor of the model with one level per subject; "
                    f"those are {', '.join(known) or 'none'}"
                )
                raise UsageError(msg)
        for levels in product(*(self.own[name].levels or () for name in names)):
            chosen = np.ones(self.count, dtype=bool)
            for name, level in zip(names, levels, strict=True):
                chosen &= self.own[name].codes == (self.own[name].levels or ()).index(level)
            if chosen.any():
                yield levels, self.take(np.flatnonzero(chosen))


@dataclass(frozen=True, slots=True)
class Standardised:
    """A grid, and how far the subjects differ in it.

    Attributes
    ----------
    grid : Grid
    predicted : ndarray, shape (subjects, cells)
        Every subject's own mean in every cell.
    """

    grid: Grid
    predicted: Array


def counterfactual_grid(
    coding: Coding,
    frame: ModelFrame,
    subjects: Subjects,
    names: tuple[str, ...],
    at: Mapping[str, Any] | None,
    beta: Array,
) -> Standardised:
    """Rows of coefficients averaged over subjects.

    Parameters
    ----------
    coding : Coding
    frame : ModelFrame
    subjects : Subjects
    names : tuple of str
        Factors set for every subject, a cell for each combination of levels.
    at : mapping, optional
        Values set for every subject in all cells; several values make a cell each.
    beta : ndarray, shape (columns,)
        Coefficients.

    Raises
    ------
    UsageError
        If a name or level is not known.
    FitError
        If a subject has a level that the fit did not see.
    """
    cells = cells_of(coding, names, at)
    means, predicted = [], []
    for held in cells.held():
        rows = _rows(coding, frame, subjects, held)
        means.append(rows.mean(axis=0))
        predicted.append(rows @ beta)
    grid = Grid(cells.names, cells.values, np.stack(means))
    return Standardised(grid, np.stack(predicted, axis=1))


def _rows(coding: Coding, frame: ModelFrame, subjects: Subjects, held: Mapping[str, Any]) -> Array:
    """Each subject's row in one cell, (subjects, columns)."""
    n = subjects.count
    total = np.zeros((n, len(coding.names)))
    combinations = list(_combinations(coding, subjects, held))
    for levels in combinations:
        table = {}
        for name, factor in coding.categorical.items():
            if name in levels:
                code = factor.levels.index(levels[name])
                table[name] = Variable(name, factor.levels, np.full(n, code, dtype=np.intp))
            else:
                table[name] = subjects.own[name]
        for name in coding.numeric:
            if name in held or name not in subjects.own:
                value = held[name] if name in held else frame.variables[name].mean()
                table[name] = Variable(name, None, np.full(n, float(value)))
            else:
                table[name] = subjects.own[name]
        total += coding.matrix(table, n)
    return total / len(combinations)


def _combinations(
    coding: Coding, subjects: Subjects, held: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """The levels set: those of the cell, with every combination of what varies within subjects."""
    set_ = {name: (held[name],) for name in coding.categorical if name in held}
    free = {
        name: factor.levels
        for name, factor in coding.categorical.items()
        if name not in held and name not in subjects.own
    }
    both = {**set_, **free}
    for levels in product(*both.values()):
        yield dict(zip(both, levels, strict=True))


def subjects_of(coding: Coding, frame: ModelFrame, unit: str | None, *, everyone: bool) -> Subjects:
    """One record per subject.

    Parameters
    ----------
    coding : Coding
    frame : ModelFrame
    unit : str or None
        The column that tells subjects apart; None where every row is one.
    everyone : bool
        All subjects of the data given that have the covariates, whether or not they have a
        response; otherwise those with a row used.

    Raises
    ------
    FitError
        If nobody is left.
    """
    names = sorted(coding.variables)
    codes = _codes(frame, unit)
    varies = _varying(frame, codes, names)
    own = [name for name in names if name not in varies]
    usable = codes >= 0
    if not everyone:
        usable &= np.isin(np.arange(frame.n_read), frame.rows)
    complete = usable & ~np.any([frame.given[name].missing for name in own], axis=0)
    rows = np.flatnonzero(complete)
    first = rows[np.unique(codes[rows], return_index=True)[1]]
    if not first.size:
        raise FitError("counterfactual: no subject has a complete set of covariates")
    left_out = np.unique(codes[usable]).size - first.size
    found = {name: frame.given[name].take(first) for name in own}
    return Subjects(found, first.size, left_out)


def _varying(frame: ModelFrame, codes: IntArray, names: list[str]) -> set[str]:
    """The columns that differ between the rows of a subject, among the rows used."""
    used = codes[frame.rows]
    first = np.zeros(codes.max() + 1, dtype=np.intp)
    first[used[::-1]] = np.arange(used.size)[::-1]
    at = first[used]
    found = set()
    for name in names:
        column = np.asarray(frame.variables[name].values)
        if (column != column[at]).any():
            found.add(name)
    return found


def _codes(frame: ModelFrame, unit: str | None) -> IntArray:
    """A number for each subject, −1 where the data name none."""
    if unit is None:
        return np.arange(frame.n_read)
    column = frame.given[unit]
    found = np.unique(column.values, return_inverse=True)[1]
    return np.where(column.missing, -1, found)
