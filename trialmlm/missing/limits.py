"""What an imputed score can be: its range, and the steps of its scale."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError
from trialmlm.missing.series import require_columns

if TYPE_CHECKING:
    from trialmlm.arrays import Array
    from trialmlm.missing.layout import Layout

#: a number, the name of a column, or no limit
Bound = float | str | None
Bounds = tuple[Bound, Bound]


@dataclass(frozen=True, slots=True, eq=False)
class Limits:
    """The range of every missing cell, and the step.

    Attributes
    ----------
    low, high : ndarray, shape (k,)
        Infinite where there is no limit.
    step : float or None
    """

    low: Array
    high: Array
    step: float | None

    def applied(self, values: Array) -> Array:
        """Rounded to the step, then brought into the range."""
        rounded = values if self.step is None else np.round(values / self.step) * self.step
        found: Array = np.clip(rounded, self.low, self.high)
        return found

    def outside(self, values: Array) -> tuple[int, int]:
        """How many values lie below and above the range."""
        return int((values < self.low).sum()), int((values > self.high).sum())

    def said(self, values: Array) -> tuple[str, ...]:
        """What was done to the values as drawn, for the notes."""
        notes = []
        if np.isfinite(self.low).any() or np.isfinite(self.high).any():
            below, above = self.outside(values)
            notes.append(
                f"bounds: {below:,} of {values.size:,} imputed values lay below the range and "
                f"{above:,} above it; they were set to its limit"
            )
        if self.step is not None:
            notes.append(
                f"rounding: {values.size:,} imputed values rounded to steps of {self.step:g}"
            )
        return tuple(notes)


def read_limits(bounds: Bounds | None, rounding: float | None, layout: Layout) -> Limits:
    """Read and check them.

    Raises
    ------
    UsageError
        If `bounds` is not a pair of numbers or columns, or `rounding` not above zero.
    DataError
        If a low limit lies above the high one, or a column has no value where it is needed.
    """
    if bounds is not None and not (isinstance(bounds, tuple | list) and len(bounds) == 2):
        msg = f"bounds: found {bounds!r}, expected (low, high): numbers, columns or None"
        raise UsageError(msg)
    if rounding is not None and not (_number(rounding) and rounding > 0):
        msg = f"rounding: found {rounding!r}, expected the step of the scale, as 1 or 0.5"
        raise UsageError(msg)
    low, high = bounds or (None, None)
    found = Limits(_values(low, -np.inf, layout), _values(high, np.inf, layout), rounding)
    cells = layout.frame.loc[layout.missing.ravel(), [layout.names.subject, layout.names.visit]]
    wrong = ~(found.low <= found.high)
    if wrong.any():
        rows = cells.assign(low=found.low, high=found.high)[wrong]
        raise DataError("bounds: expected a low limit that is not above the high one", rows)
    return found


def _number(value: object) -> bool:
    return (
        isinstance(value, Real) and not isinstance(value, bool) and bool(np.isfinite(float(value)))
    )


def _values(bound: Bound, otherwise: float, layout: Layout) -> Array:
    missing = layout.missing.ravel()
    if isinstance(bound, str):
        require_columns("impute: bounds", layout.frame, [bound])
        column = layout.frame.loc[missing, bound]
        if not pd.api.types.is_numeric_dtype(column.dtype):
            msg = f"bounds: the column {bound} is {column.dtype}, expected numbers"
            raise UsageError(msg)
        found: Array = column.to_numpy(dtype=float, na_value=np.nan)
        return found
    if bound is not None and not _number(bound):
        msg = f"bounds: found {bound!r}, expected a number, a column or None"
        raise UsageError(msg)
    return np.full(int(missing.sum()), otherwise if bound is None else float(bound))
