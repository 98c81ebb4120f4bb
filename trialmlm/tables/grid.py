"""Where the columns of a display stand on the line, the same on all its pages."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from trialmlm.tables.layout import GAP, Layout
from trialmlm.tables.wrap import breadth, clean

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trialmlm.tables.display import Alignment, Column, Row

#: positions of one step of indentation
INDENT: Final = 2

#: the first number of a text up to its decimal point, or whole if it has none: -0.5, (5;61), <.001
_TO_POINT: Final = re.compile(
    r"\D*?(?:\d{1,3}(?:,\d{3})+|\d*)(?=\.\d)|\D*(?:\d{1,3}(?:,\d{3})+|\d+)"
)


def before_point(text: str) -> int:
    """Count the positions left of the decimal point; a text without digits stands left of it."""
    found = _TO_POINT.match(text)
    return breadth(found.group() if found else text)


@dataclass(frozen=True, slots=True)
class GridColumn:
    """One column on the line.

    Parameters
    ----------
    start, width : int
        First position and number of positions.
    align : {'left', 'center', 'right', 'decimal'}
        How body cells stand.
    point : int
        Position of the decimal point, counted from `start` (decimal columns).
    """

    start: int
    width: int
    align: Alignment
    point: int = 0

    @property
    def stop(self) -> int:
        """First position after the column."""
        return self.start + self.width

    def pad(self, text: str) -> int:
        """Count the blanks before a body cell of one line in a decimal column."""
        return max(0, min(self.point - before_point(text), self.width - breadth(text)))


@dataclass(frozen=True, slots=True)
class Grid:
    """The columns of a display on a line of `total` positions, `gap` of them between columns."""

    columns: tuple[GridColumn, ...]
    total: int
    gap: int = GAP


def lay_out(columns: Sequence[Column], rows: Sequence[Row], layout: Layout) -> Grid:
    """Place the columns, each as wide as its weight asks and its cells need.

    The first column, the stub, always stands left.

    Parameters
    ----------
    columns : sequence of Column
        As displayed, left to right; none gives a grid without columns.
    rows : sequence of Row
        All rows of the display: the decimal point of a column is the same on all pages.
    layout : Layout
        The page.
    """
    if not columns:
        return Grid((), layout.characters)
    columns = (replace(columns[0], align="left"), *columns[1:])
    needs = [_Need.of(column, cells, k == 0) for k, (column, cells) in _by_column(columns, rows)]
    minima, gap = _affordable(needs, layout.characters)
    widths = layout.widths([column.width for column in columns], minima, gap)
    return Grid(tuple(_placed(columns, needs, widths, gap)), layout.characters, gap)


@dataclass(frozen=True, slots=True)
class _Need:
    """Positions a column takes: left and right of the point, aligned, and merely unbroken."""

    left: int
    right: int
    aligned: int
    unbroken: int

    @classmethod
    def of(cls, column: Column, cells: Iterable[tuple[str, int]], stub: bool) -> _Need:
        """Measure a column; `cells` are texts with their steps of indentation."""
        heading = _longest_word(word for line in column.heading for word in clean(line).split())
        if column.align in {"left", "center"}:
            longest = max(heading, _longest_text_word(cells, stub))
            return cls(0, 0, longest, longest)
        texts = {clean(text) for text, _ in cells}
        left = max((before_point(text) for text in texts), default=0)
        right = max((breadth(text) - before_point(text) for text in texts), default=0)
        widest = max(map(breadth, texts), default=0)
        return cls(left, right, max(heading, left + right, 2), max(heading, widest, 2))


def _affordable(needs: Sequence[_Need], total: int) -> tuple[list[int], int]:
    """Give the columns' least widths and the gap: a number is broken only when all else fails.

    No column claims more than twice its even part of the line.
    """
    cap = 2 * total // len(needs)
    aligned = [min(need.aligned, cap) for need in needs]
    unbroken = [min(need.unbroken, cap) for need in needs]
    for minima, gap in ((aligned, GAP), (unbroken, GAP), (unbroken, 1)):
        if sum(minima) + gap * (len(needs) - 1) <= total:
            return minima, gap
    return unbroken, GAP


def _by_column(
    columns: Sequence[Column], rows: Sequence[Row]
) -> Iterator[tuple[int, tuple[Column, list[tuple[str, int]]]]]:
    """Yield each column with its texts; a row of one cell belongs to none."""
    full = [row for row in rows if len(row.cells) == len(columns)]
    for k, column in enumerate(columns):
        yield k, (column, [(row.cells[k].text, row.indent) for row in full])


def _longest_text_word(cells: Iterable[tuple[str, int]], stub: bool) -> int:
    """Measure the longest word, indentation of the first column included."""
    longest = 2
    for text, indent in cells:
        margin = INDENT * indent if stub else 0
        if len(text) + margin > longest or not text.isascii():
            longest = max(longest, margin + _longest_word(clean(text).split()))
    return longest


def _longest_word(words: Iterable[str]) -> int:
    return max(map(breadth, words), default=0)


def _placed(
    columns: Sequence[Column], needs: Sequence[_Need], widths: Sequence[int], gap: int
) -> Iterator[GridColumn]:
    """Yield columns from the left, the widest block of decimals centred in its column."""
    start = 0
    for column, need, width in zip(columns, needs, widths, strict=True):
        margin = max(0, width - need.left - need.right) // 2
        yield GridColumn(start, width, column.align, margin + need.left)
        start += width + gap
