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
    from collections.abc import Mapping, Sequence

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


def missing(column: pd.Series) -> BoolArray:
    """Which values are missing; an infinite number is an error, not a missing value."""
    absent: BoolArray = pd.isna(column.array)
    if column.dtype.kind == "f":
        infinite = np.isinf(column.to_numpy())
        if infinite.any():
            row = column.index[int(np.argmax(infinite))]
            msg = f"{column.name} is infinite in row {row}; correct it or set it to missing"
            raise FitError(msg)
    return absent


def variable(column: pd.Series, rows: IntArray | None = None) -> Variable:
    """Read a column without missing values, or those of its rows that have none.

    Text, categories and truth values are factors; categories keep their order, the rest is
    sorted. Levels that no row has are left out. Numbers that are stored as objects are numbers.

    Raises
    ------
    FitError
        If the column is neither number nor factor.
    """
    name = str(column.name)
    values = column.array if rows is None else column.array.take(rows)
    if isinstance(values, pd.Categorical):
        return _from_categories(name, values)
    plain = np.asarray(values)
    kind = pd.api.types.infer_dtype(plain)
    if kind in _NUMBERS:
        return Variable(name, None, plain.astype(float, copy=False))
    if kind in _REFUSED:
        msg = f"{name} {_REFUSED[kind]}; a model takes numbers (days since …) or factors"
        raise FitError(msg)
    return factor(name, plain.astype(object, copy=False))


def factor(name: str, values: Any) -> Variable:
    """A factor of any values, levels sorted."""
    codes, uniques = pd.factorize(values)
    levels, order = sort_levels(uniques)
    return Variable(name, levels, order[codes])


def sort_levels(uniques: Sequence[Any]) -> tuple[tuple[Any, ...], IntArray]:
    """The levels sorted, and where each of `uniques` went."""
    ranked = sorted(range(len(uniques)), key=uniques.__getitem__)
    place = np.empty(len(uniques), dtype=np.intp)
    place[ranked] = np.arange(len(uniques))
    return tuple(uniques[i] for i in ranked), place


def _from_categories(name: str, values: pd.Categorical) -> Variable:
    codes = values.codes.astype(np.intp)
    categories = list(values.categories)
    used = np.bincount(codes, minlength=len(categories)) > 0
    place = np.cumsum(used) - 1
    levels = tuple(level for level, keep in zip(categories, used, strict=True) if keep)
    return Variable(name, levels, place[codes])
