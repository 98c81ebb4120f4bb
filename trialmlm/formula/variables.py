"""The columns a model names, each once: numbers, or levels and codes."""

from __future__ import annotations

import math
from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import FitError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, BoolArray, IntArray


#: what pandas calls a column of numbers
_NUMBERS = frozenset({"floating", "integer", "mixed-integer-float", "decimal"})
#: what pandas calls a column that a model cannot take, and what to say of it
_REFUSED: Mapping[str, str] = {
    **dict.fromkeys(("datetime64", "datetime", "date", "period"), "is a date"),
    **dict.fromkeys(("timedelta64", "timedelta", "time"), "is a time"),
    **dict.fromkeys(("mixed", "mixed-integer"), "mixes text, numbers or other things"),
    **dict.fromkeys(("complex", "bytes", "interval"), "holds neither numbers nor text"),
}


@dataclass(frozen=True, slots=True)
class Variable:
    """A column as the model sees it.

    Attributes
    ----------
    name : str
    levels : tuple or None
        Levels in order, the first the reference; None for a number.
    values : ndarray, shape (m,)
        Codes into `levels`, or numbers.
    """

    name: str
    levels: tuple[Any, ...] | None
    values: Array | IntArray

    @property
    def categorical(self) -> bool:
        """Whether it has levels."""
        return self.levels is not None

    @property
    def codes(self) -> IntArray:
        """Of a factor: positions in `levels`."""
        return np.asarray(self.values, dtype=np.intp)

    def as_factor(self) -> Variable:
        """The same values as a factor, whatever their type."""
        return self if self.categorical else factor(self.name, self.values)

    def numbers(self) -> Array:
        """The values as numbers; of a factor, its levels.

        Raises
        ------
        FitError
            If the levels are text.
        """
        if self.levels is None:
            return np.asarray(self.values, dtype=float)
        if any(isinstance(level, bool) or not isinstance(level, Real) for level in self.levels):
            msg = f"{self.name} is text or a factor, where the model needs a number"
            raise FitError(msg)
        return np.asarray(self.levels, dtype=float)[self.values]

    def mean(self) -> float:
        """Mean of the numbers, summed exactly: the order of the rows does not matter."""
        return math.fsum(self.numbers().tolist()) / self.values.size

    def take(self, rows: IntArray) -> Variable:
        """The same variable on some rows."""
        return Variable(self.name, self.levels, self.values[rows])


@dataclass(frozen=True, slots=True)
class Column:
    """A column as it was read, missing values and all.

    Attributes
    ----------
    name : str
    levels : tuple or None
        As of a :class:`Variable`.
    values : ndarray, shape (m,)
        Codes into `levels` (−1 where missing), or numbers.
    missing : ndarray of bool, shape (m,)
    """

    name: str
    levels: tuple[Any, ...] | None
    values: Array | IntArray
    missing: BoolArray

    def take(self, rows: IntArray | None = None) -> Variable:
        """The variable on some rows, none of which is missing; levels without a row left out."""
        values = self.values if rows is None else self.values[rows]
        if self.levels is None:
            return Variable(self.name, None, values)
        used = np.bincount(np.asarray(values, dtype=np.intp), minlength=len(self.levels)) > 0
        if used.all():
            return Variable(self.name, self.levels, values)
        levels = tuple(level for level, keep in zip(self.levels, used, strict=True) if keep)
        return Variable(self.name, levels, (np.cumsum(used) - 1)[values])


def read_column(column: pd.Series) -> Column:
    """Read a column once.

    Text, categories and truth values are factors; categories keep their order, the rest is
    sorted. Numbers that are stored as objects are numbers.

    Raises
    ------
    FitError
        If the column is neither number nor factor, or a number is infinite.
    """
    name = str(column.name)
    if isinstance(column.dtype, pd.CategoricalDtype):
        codes = column.cat.codes.to_numpy().astype(np.intp)
        return Column(name, tuple(column.cat.categories), codes, codes < 0)
    if column.dtype.kind in "iuf" and isinstance(column.dtype, np.dtype):
        return _numbers(column, column.to_numpy().astype(float, copy=False))
    codes, uniques = pd.factorize(column.to_numpy() if column.dtype == object else column)
    plain = np.asarray(uniques)
    kind = pd.api.types.infer_dtype(plain)
    if kind in _NUMBERS:
        numbers = np.append(plain.astype(float), np.nan)  # −1 finds the last
        return _numbers(column, numbers[codes])
    if kind in _REFUSED:
        msg = f"{name} {_REFUSED[kind]}; a model takes numbers (days since …) or factors"
        raise FitError(msg)
    levels, place = sort_levels(plain.astype(object).tolist())
    return Column(name, levels, np.append(place, -1)[codes], codes < 0)


def _numbers(column: pd.Series, values: Array) -> Column:
    """A column of numbers; an infinite one is an error, not a missing value."""
    absent = np.isnan(values)
    infinite = np.isinf(values)
    if infinite.any():
        row = column.index[int(np.argmax(infinite))]
        msg = f"{column.name} is infinite in row {row}; correct it or set it to missing"
        raise FitError(msg)
    return Column(str(column.name), None, values, absent)


def variable(column: pd.Series) -> Variable:
    """Read a column without missing values, as :func:`read_column` does."""
    return read_column(column).take()


def factor(name: str, values: Any) -> Variable:
    """A factor of any values, levels sorted."""
    if isinstance(values, np.ndarray) and values.dtype.kind in "iuf" and _ascending(values):
        new = np.append(True, values[1:] != values[:-1])
        return Variable(name, tuple(values[new].tolist()), np.cumsum(new) - 1)
    codes, uniques = pd.factorize(values)
    levels, place = sort_levels(uniques.tolist())
    return Variable(name, levels, place[codes])


def _ascending(values: Array | IntArray) -> bool:
    """Whether there are values and each is at least the one before, as rows sorted by subject."""
    return values.size > 0 and bool((values[1:] >= values[:-1]).all())


def sort_levels(uniques: list[Any]) -> tuple[tuple[Any, ...], IntArray]:
    """The levels sorted, and where each of `uniques` went."""
    ranked = sorted(uniques)
    if ranked == uniques:
        return tuple(ranked), np.arange(len(ranked))
    rank = {level: place for place, level in enumerate(ranked)}
    return tuple(ranked), np.array([rank[level] for level in uniques], dtype=np.intp)
