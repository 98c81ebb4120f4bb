"""The one paginator: a display becomes pages that every renderer prints alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trialmlm.errors import UsageError
from trialmlm.tables.display import NO_DATA, Block, Cell, Display, Furniture, Row
from trialmlm.tables.furnish import Frame
from trialmlm.tables.grid import INDENT, Grid, lay_out
from trialmlm.tables.page import BLANK, Page, PageRow
from trialmlm.tables.wrap import clean, wrap

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.tables.layout import Layout

#: body lines below which titles and footnotes have taken over the page
_LEAST_BODY: Final = 6

_CONTINUED: Final = " (continued)"


def paginate(display: Display, furniture: Furniture, layout: Layout) -> tuple[Page, ...]:
    """Cut a display into pages.

    Titles, headings and footnotes stand on every page; a block is moved whole to the next page
    rather than split, unless it is longer than a page.

    Parameters
    ----------
    display : Display
        The table or listing; with a message, or without rows, it still makes a page.
    furniture : Furniture
        What stands round every page.
    layout : Layout
        The page.

    Returns
    -------
    tuple of Page
        At least one.

    Raises
    ------
    UsageError
        Titles, headings and footnotes leave no room for the body.
    """
    frame = Frame.of(display, furniture, lay_out(display.columns, display.rows, layout))
    bodies = list(_bodies(_blocks(display), frame, layout.lines))
    return tuple(
        frame.page(number, len(bodies), body.group, body.rows)
        for number, body in enumerate(bodies, start=1)
    )


class _Body(NamedTuple):
    group: str
    rows: tuple[PageRow, ...]


def _blocks(display: Display) -> tuple[Block, ...]:
    """Give the blocks to print: a message, or a line that says so, where there are no rows."""
    if display.message:
        return (_sentence(display.message),)
    return display.blocks if display.rows else (_sentence(NO_DATA),)


def _sentence(text: str) -> Block:
    """Say something over the whole width, in as many lines as it has."""
    rows = tuple(Row((Cell(line),)) for line in text.splitlines())
    return Block(rows, keep_together=False, gap=False)


def _bodies(blocks: Sequence[Block], frame: Frame, lines: int) -> Iterator[_Body]:
    """Yield what stands on each page, groups in order."""
    start = 0
    for stop in range(1, len(blocks) + 1):
        if stop == len(blocks) or blocks[stop].page_by != blocks[start].page_by:
            group = clean(blocks[start].page_by)
            sheet = _Sheet(frame.grid, _room(frame, lines - (2 if group else 0)))
            for block in blocks[start:stop]:
                sheet.add(block)
            yield from (_Body(group, rows) for rows in sheet.closed())
            start = stop


def _room(frame: Frame, lines: int) -> int:
    """Count the lines left for the body."""
    room = lines - frame.height
    if room < _LEAST_BODY:
        raise UsageError(
            f"{frame.titles[0]}: titles, headings and footnotes take {frame.height} of {lines} "
            f"lines, expected at least {_LEAST_BODY} left for the body: shorten the footnotes, "
            "or choose a smaller font"
        )
    return room


class _Sheet:
    """Body lines being filled, `room` to a page."""

    def __init__(self, grid: Grid, room: int) -> None:
        self._grid = grid
        self._room = room
        self._pages: list[tuple[PageRow, ...]] = []
        self._rows: list[PageRow] = []
        self._used = 0

    def add(self, block: Block) -> None:
        """Put a block on the page, or on the next, or over as many as it needs."""
        if not block.rows:
            return
        rows = self._wrapped(block)
        if block.keep_together and not self._welcome(rows):
            self._turn()
        label = rows[0]
        for k, row in enumerate(rows):
            if self._used + _with_next(rows, k) > self._room and self._rows:
                self._turn()
                self._repeat(label, row)
            self._put(row)
        if block.gap and self._used < self._room:
            self._put(BLANK)

    def closed(self) -> list[tuple[PageRow, ...]]:
        """End the last page and give all."""
        self._turn()
        return self._pages

    def _wrapped(self, block: Block) -> list[PageRow]:
        """Wrap the rows; one taller than a page is cut, with room left for a repeated label."""
        most = self._room - self._room // 3
        return [piece for row in block.rows for piece in _wrapped(row, self._grid).slices(most)]

    def _welcome(self, rows: Sequence[PageRow]) -> bool:
        """Whether the block may start on this page: it fits, or it never will on one."""
        height, left = sum(row.height for row in rows), self._room - self._used
        return height <= left or (height > self._room and left > self._room // 3)

    def _repeat(self, label: PageRow, row: PageRow) -> None:
        """Say again on top of a page which block goes on there."""
        if row.indent > label.indent and label.height <= self._room // 3:
            again = Row((Cell(label.label + _CONTINUED),), label.indent, label.bold)
            self._put(_wrapped(again, self._grid))

    def _put(self, row: PageRow) -> None:
        self._rows.append(row)
        self._used += row.height

    def _turn(self) -> None:
        """End the page; a blank line at its foot is left out."""
        if self._rows and self._rows[-1] is BLANK:
            self._rows.pop()
        if self._rows:
            self._pages.append(tuple(self._rows))
        self._rows, self._used = [], 0


def _with_next(rows: Sequence[PageRow], k: int) -> int:
    """Count the lines of a row, and of the next if the row is its label."""
    labels = k + 1 < len(rows) and rows[k + 1].indent > rows[k].indent
    return rows[k].height + (rows[k + 1].height if labels else 0)


def _wrapped(row: Row, grid: Grid) -> PageRow:
    """Wrap every cell to its column; lines after the first of the stub hang by one step."""
    alone = len(row.cells) == 1
    widths = [grid.total] if alone else [column.width for column in grid.columns]
    margin = INDENT * row.indent
    stub = wrap(clean(row.cells[0].text), max(1, widths[0] - margin), INDENT)
    others = zip(row.cells[1:], widths[1:], strict=True)
    cells = (stub, *(wrap(clean(cell.text), width) for cell, width in others))
    return PageRow(cells, row.indent, row.bold)
