"""One page, cut and wrapped: all that a renderer needs to know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from trialmlm.tables.grid import Grid


@dataclass(frozen=True, slots=True)
class Pair:
    """A line with a text at its left end and one at its right end."""

    left: str
    right: str = ""


@dataclass(frozen=True, slots=True)
class PageRow:
    """A row of the table on its page.

    Parameters
    ----------
    cells : tuple of tuple of str
        The lines of each cell (see `wrap`: joined they are its text); one cell alone runs over
        the whole width.
    indent : int
        Steps of indentation of the first cell.
    bold : bool
        Set in bold where the renderer can.
    """

    cells: tuple[tuple[str, ...], ...]
    indent: int = 0
    bold: bool = False

    @property
    def height(self) -> int:
        """Lines the row takes."""
        return max(map(len, self.cells))

    @property
    def label(self) -> str:
        """Text of the first cell."""
        return "".join(self.cells[0])

    def slices(self, most: int) -> tuple[PageRow, ...]:
        """Cut a row that is taller than a page into rows of at most `most` lines."""
        if self.height <= most:
            return (self,)
        return tuple(
            PageRow(tuple(c[k : k + most] or ("",) for c in self.cells), self.indent, self.bold)
            for k in range(0, self.height, most)
        )


#: the blank line between blocks
BLANK: Final = PageRow((("",),))


@dataclass(frozen=True, slots=True)
class Note:
    """A footnote's lines; those after the first are indented by `hang` positions."""

    lines: tuple[str, ...]
    hang: int = 0


@dataclass(frozen=True, slots=True)
class Span:
    """A spanner's lines, over the positions `start` to `stop` (not included)."""

    lines: tuple[str, ...]
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Page:
    """A page, from its top.

    Parameters
    ----------
    number, of : int
        This page, counted from 1, and all pages.
    head : tuple of Pair
        Protocol and page count; population and stamps.
    titles : tuple of str
        To be centred.
    group : str
        What the pages are grouped by; may be empty.
    grid : Grid
        Columns on the line.
    spanners : tuple of tuple of Span
        Rows of spanners, the widest first.
    headings : tuple of tuple of str
        Lines of each column's heading, to stand at the bottom; none on a page with a message.
    body : tuple of PageRow
        At least one row.
    footnotes : tuple of Note
        In order.
    foot : tuple of Pair
        Program and run time; data cut-off.
    """

    number: int
    of: int
    head: tuple[Pair, ...]
    titles: tuple[str, ...]
    group: str
    grid: Grid
    spanners: tuple[tuple[Span, ...], ...]
    headings: tuple[tuple[str, ...], ...]
    body: tuple[PageRow, ...]
    footnotes: tuple[Note, ...]
    foot: tuple[Pair, ...]
