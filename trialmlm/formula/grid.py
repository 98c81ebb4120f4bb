"""The reference grid of LS means: which rows of the design are averaged, and how."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.formula.variables import Variable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trialmlm.arrays import Array, IntArray
    from trialmlm.formula.coding import Coding


@dataclass(frozen=True, slots=True)
class Grid:
    """Rows of coefficients, one per cell.

    Attributes
    ----------
    names : tuple of str
        The factors that make the cells.
    cells : tuple of tuple
        The levels of each cell, the first factor running slowest.
    L : ndarray, shape (cells, columns)
    """

    names: tuple[str, ...]
    cells: tuple[tuple[Any, ...], ...]
    L: Array


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
        Values of numbers, or levels of factors, to hold fixed. Numbers are otherwise held at
        their mean over the rows used.

    Raises
    ------
    UsageError
        If a name, level or weighting is not known.
    """
    fixed = dict(at or {})
    categorical = coding.categorical
    _check(coding, names, fixed, weights)
    others = tuple(v for v in sorted(categorical) if v not in names and v not in fixed)
    combinations, shares = _WEIGHTS[weights](others, coding, data)
    cells = tuple(product(*(categorical[name].levels for name in names)))
    rows = []
    for cell in cells:
        held = {**fixed, **dict(zip(names, cell, strict=True))}
        table = _table(coding, data, others, combinations, held)
        rows.append(shares @ coding.matrix(table, len(shares)))
    return Grid(names, cells, np.stack(rows))


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


def _check(coding: Coding, names: tuple[str, ...], fixed: Mapping[str, Any], weights: str) -> None:
    categorical = coding.categorical
    known = ", ".join(sorted(categorical)) or "none"
    for name in names:
        if names.count(name) > 1 or name in fixed:
            msg = f"LS means: {name} is named twice"
            raise UsageError(msg)
        if name not in categorical:
            msg = f"{name} is not a factor of the model; its factors are {known}"
            raise UsageError(msg)
    for name, value in fixed.items():
        if name not in coding.variables:
            msg = f"at: {name} is not in the model"
            raise UsageError(msg)
        if name in categorical and value not in categorical[name].levels:
            msg = f"at: {value!r} is not a level of {name}: {categorical[name].levels}"
            raise UsageError(msg)
    if weights == "counterfactual":
        raise NotAvailableError("counterfactual weights are not available in this version")
    if weights not in _WEIGHTS:
        msg = f"weights: found {weights!r}, expected one of {', '.join(_WEIGHTS)}"
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


_WEIGHTS: Mapping[
    str, Callable[[tuple[str, ...], Coding, Mapping[str, Variable]], tuple[IntArray, Array]]
] = {"equal": _equal, "observed-margins": _observed_margins}
