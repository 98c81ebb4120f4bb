"""The reference grid of LS means: which rows of the design are averaged, and how."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.coding import Coding


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of coefficients, one per cell.

    Attributes
    ----------
    names : tuple of str
        What makes the cells: first what `at` gives several values, then the factors asked for.
    cells : tuple of tuple
        The values of each cell, the first name running slowest.
    L : ndarray, shape (cells, columns)
    """

    names: tuple[str, ...]
    cells: tuple[tuple[Any, ...], ...]
    L: Array


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells of a grid, and what is held fixed in all of them."""

    names: tuple[str, ...]
    values: tuple[tuple[Any, ...], ...]
    fixed: Mapping[str, Any]

    def held(self) -> Iterator[dict[str, Any]]:
        """Cell by cell, every column that has a value of its own there."""
        for cell in self.values:
            yield {**self.fixed, **dict(zip(self.names, cell, strict=True))}


def cells_of(coding: Coding, names: tuple[str, ...], at: Mapping[str, Any] | None) -> Cells:
    """Every combination of the levels of `names` and of the several values of `at`.

    Raises
    ------
    UsageError
        If a name or level is not known, or `at` is no mapping.
    """
    if not isinstance(at or {}, Mapping):
        msg = f"at: found {at!r}, expected a mapping of names to values, as {{'BASE': 30}}"
        raise UsageError(msg)
    given = {name: _values(value) for name, value in (at or {}).items()}
    _check(coding, names, given)
    several = {name: values for name, values in given.items() if len(values) > 1}
    fixed = {name: values[0] for name, values in given.items() if len(values) == 1}
    levels = [*several.values(), *(coding.categorical[name].levels for name in names)]
    return Cells((*several, *names), tuple(product(*levels)), fixed)


def reference_grid(
    coding: Coding,
    data: Mapping[str, Variable],
    names: tuple[str, ...],
    *,
    weights: str = "equal",
    at: Mapping[str, Any] | None = None,
) -> Grid:
    """LS-mean rows for every cell of `names`.

    Parameters
    ----------
    coding : Coding
    data : mapping of str to Variable
        The rows used in the fit.
    names : tuple of str
        Categorical columns of the model.
    weights : {"equal", "observed-margins"}
        Over the factors averaged out: equal, or their joint frequency among the rows used
        (SAS's OM, emmeans' proportional).
    at : mapping, optional
        Values of numbers, or levels of factors, to hold fixed; several values make a cell each.
        Numbers are otherwise held at their mean over the rows used.

    Raises
    ------
    UsageError
        If a name, level or weighting is not known.
    """
    if weights not in WEIGHTS:
        msg = f"weights: found {weights!r}, expected one of {', '.join(WEIGHTS)}"
        raise UsageError(msg)
    cells = cells_of(coding, names, at)
    held = {*cells.names, *cells.fixed}
    others = tuple(v for v in sorted(coding.categorical) if v not in held)
    combinations, shares = WEIGHTS[weights](others, coding, data)
    rows = []
    for values in cells.held():
        table = _table(coding, data, others, combinations, values)
        rows.append(shares @ coding.matrix(table, len(shares)))
    return Grid(cells.names, cells.values, np.stack(rows))


def _table(
    coding: Coding,
    data: Mapping[str, Variable],
    others: tuple[str, ...],
    combinations: IntArray,
    held: Mapping[str, Any],
) -> dict[str, Variable]:
    """The grid's rows of one cell, as variables."""
    count = len(combinations)
    table = {}
    for name, factor in coding.categorical.items():
        if name in held:
            code = factor.levels.index(held[name])
            table[name] = Variable(name, factor.levels, np.full(count, code, dtype=np.intp))
        else:
            codes = combinations[:, others.index(name)]
            table[name] = Variable(name, factor.levels, codes)
    for name in coding.numeric:
        value = held[name] if name in held else data[name].mean()
        table[name] = Variable(name, None, np.full(count, float(value)))
    return table


def _values(value: Any) -> tuple[Any, ...]:
    """One value, or the distinct ones of a list, an array or a column."""
    several = isinstance(value, Iterable) and not isinstance(value, str)
    return tuple(dict.fromkeys(value)) if several else (value,)


def _check(coding: Coding, names: tuple[str, ...], given: Mapping[str, tuple[Any, ...]]) -> None:
    categorical = coding.categorical
    known = ", ".join(sorted(categorical)) or "none"
    for name in names:
        if names.count(name) > 1 or name in given:
            msg = f"LS means: {name} is named twice"
            raise UsageError(msg)
        if name not in categorical:
            msg = f"{name} is not a factor of the model; its factors are {known}"
            raise UsageError(msg)
    for name, values in given.items():
        if name not in coding.variables:
            msg = f"at: {name} is not in the model"
            raise UsageError(msg)
        if not values:
            msg = f"at: no value of {name} is given"
            raise UsageError(msg)
        for value in values:
            _check_value(coding, name, value)


def _check_value(coding: Coding, name: str, value: Any) -> None:
    factor = coding.categorical.get(name)
    if factor is not None and value not in factor.levels:
        msg = f"at: {value!r} is not a level of {name}: {factor.levels}"
        raise UsageError(msg)
    if factor is None and not (isinstance(value, Real) and np.isfinite(float(value))):
        msg = f"at: {name} is a number in the model, found {value!r}"
        raise UsageError(msg)


def _equal(
    others: tuple[str, ...], coding: Coding, data: Mapping[str, Variable]
) -> tuple[IntArray, Array]:
    """Every combination of levels, the same share each."""
    del data
    counts = [len(coding.categorical[name].levels) for name in others]
    cells = list(np.ndindex(*counts))
    combinations = np.array(cells, dtype=np.intp).reshape(len(cells), len(others))
    return combinations, np.full(len(combinations), 1.0 / len(combinations))


def _observed_margins(
    others: tuple[str, ...], coding: Coding, data: Mapping[str, Variable]
) -> tuple[IntArray, Array]:
    """The combinations there are, by their frequency among the rows used."""
    if not others:
        return _equal(others, coding, data)
    codes = np.column_stack([coding.categorical[name].codes(data) for name in others])
    combinations, counts = np.unique(codes, axis=0, return_counts=True)
    return combinations, counts / counts.sum()


#: weighting -> combinations of levels and their shares
WEIGHTS: Mapping[
    str, Callable[[tuple[str, ...], Coding, Mapping[str, Variable]], tuple[IntArray, Array]]
] = {"equal": _equal, "observed-margins": _observed_margins}
