"""Cells made of statistics: text by the house's rules, beside the values it was made from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialmlm.tables.display import Cell, Row

if TYPE_CHECKING:
    from trialmlm.results.results import Results
    from trialmlm.tables.order import Order

EMPTY = Cell("")


@dataclass(frozen=True, slots=True)
class Cells:
    """Looks statistics up and prints them.

    Attributes
    ----------
    results : Results
    order : Order
    fixed : dict
        Keys that all statistics of the table share.
    """

    results: Results
    order: Order
    fixed: dict[str, str]

    def value(self, statistic: str, **keys: str) -> float | None:
        """One statistic; None where there is none."""
        return self.results.value(statistic=statistic, **{**self.fixed, **keys})

    def note(self, statistic: str, **keys: str) -> str:
        """Why a statistic could not be estimated; empty where it could."""
        return self.results.note(statistic=statistic, **{**self.fixed, **keys})

    def count(self, statistic: str = "n", **keys: str) -> Cell:
        """A number of subjects; one that nobody counted is 0."""
        value = self.value(statistic, **keys)
        return self._cell(self.order.numbers.count(int(value or 0)), value)

    def number(self, statistic: str, more: int = 0, **keys: str) -> Cell:
        """A statistic with the collected value's decimals and so many more."""
        value = self.value(statistic, **keys)
        return self._cell(self._number(value, more), value)

    def with_spread(self, statistic: str, spread: str, **keys: str) -> Cell:
        """``24.1 (12.19)``: one decimal more than collected, and two more for the spread."""
        value, around = self.value(statistic, **keys), self.value(spread, **keys)
        return self._cell(self._pair(value, around, "{} ({})", 1, 2), value, around)

    def median_range(self, **keys: str) -> Cell:
        """``21.0 (5;61)``."""
        median, low, high = (self.value(name, **keys) for name in ("median", "min", "max"))
        if median is None or median != median:
            return self._cell(self._number(median, 1), median)
        text = f"{self._number(median, 1)} ({self._number(low, 0)};{self._number(high, 0)})"
        return self._cell(text, median, low, high)

    def interval(self, **keys: str) -> Cell:
        """``(-2.1;1.1)``."""
        low, high = self.value("ci_low", **keys), self.value("ci_high", **keys)
        return self._cell(self._pair(low, high, "({};{})", 1, 1), low, high)

    def p_value(self, **keys: str) -> Cell:
        """A p-value by the house's rules."""
        value = self.value("p_value", **keys)
        return self._cell(self.order.numbers.p_value(value), value)

    def _number(self, value: float | None, more: int) -> str:
        return self.order.numbers.number(value, self.order.decimals + more)

    def _pair(
        self, first: float | None, second: float | None, form: str, more: int, second_more: int
    ) -> str:
        """Two numbers in a form; one text where neither can be given."""
        if first is None or first != first:
            return self._number(first, more)
        return form.format(self._number(first, more), self._number(second, second_more))

    def _cell(self, text: str, *values: float | None) -> Cell:
        return Cell(text, tuple(value for value in values if value is not None))


def row(label: str, *cells: Cell, indent: int = 0, **options: Any) -> Row:
    """A row of the body."""
    return Row((Cell(label), *cells), indent=indent, **options)
