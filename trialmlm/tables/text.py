"""The look of a SAS listing file: monospace text, pages parted by form feeds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trialmlm.tables.grid import INDENT, Grid, GridColumn
from trialmlm.tables.wrap import breadth

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from trialmlm.tables.document import Document
    from trialmlm.tables.layout import Layout
    from trialmlm.tables.page import Page, PageRow, Pair, Span

_RULE: Final = "-"


class TextRenderer:
    """Pages as UTF-8 text; every page but the last starts the next with a form feed."""

    suffix = ".txt"

    def render(self, document: Document) -> bytes:
        """Print the pages, the foot of each on its last lines."""
        return "\f".join(_page(page, document.layout) for page in document.pages).encode()


def _page(page: Page, layout: Layout) -> str:
    """Print one page."""
    top = list(_top(page, layout.characters))
    foot = [_pair(pair, layout.characters) for pair in page.foot]
    fill = [""] * (max(1, layout.lines - len(top) - len(foot)) if foot else 0)
    return "".join(f"{line.rstrip()}\n" for line in (*top, *fill, *foot))


def _top(page: Page, width: int) -> Iterator[str]:
    """Yield the lines down to the last footnote."""
    yield from (_pair(pair, width) for pair in page.head)
    yield ""
    yield from (_centred(title, width) for title in page.titles)
    yield ""
    if page.group:
        yield from (page.group, "")
    yield _RULE * width
    yield from _headings(page, width)
    for row in page.body:
        yield from _row(row, page.grid)
    yield _RULE * width
    for note in page.footnotes:
        first, *others = note.lines
        yield from (first, *(" " * note.hang + line for line in others))


def _headings(page: Page, width: int) -> Iterator[str]:
    """Yield spanners, each over its own rule, then the columns' headings and a rule."""
    for spans in page.spanners:
        yield from _spanners(spans)
    if page.headings:
        height = max(map(len, page.headings))
        lowered = [("",) * (height - len(lines)) + lines for lines in page.headings]
        for k in range(height):
            cells = zip(page.grid.columns, lowered, strict=True)
            yield _joined((column.start, _heading(column, lines[k])) for column, lines in cells)
        yield _RULE * width


def _spanners(spans: Sequence[Span]) -> Iterator[str]:
    height = max(len(span.lines) for span in spans)
    for k in range(height):
        lines = ((span, (("",) * (height - len(span.lines)) + span.lines)[k]) for span in spans)
        yield _joined((span.start, _centred(line, span.stop - span.start)) for span, line in lines)
    yield _joined((span.start, _RULE * (span.stop - span.start)) for span in spans)


def _row(row: PageRow, grid: Grid) -> Iterator[str]:
    """Yield the lines of a body row."""
    margin = " " * (INDENT * row.indent)
    hung = [
        margin + (" " * INDENT if k else "") + line.rstrip() for k, line in enumerate(row.cells[0])
    ]
    if len(row.cells) == 1:
        yield from hung
        return
    for k in range(row.height):
        placed = [(0, hung[k] if k < len(hung) else "")]
        for column, lines in zip(grid.columns[1:], row.cells[1:], strict=True):
            if k < len(lines):
                placed.append((column.start, _BODY[column.align](column, lines)[k]))
        yield _joined(placed)


def _heading(column: GridColumn, line: str) -> str:
    """Place a heading line: over numbers in the middle, else as the cells stand."""
    return _PLACED.get(column.align, _centred)(line, column.width)


def _decimal(column: GridColumn, lines: Sequence[str]) -> list[str]:
    """Place the cell by its decimal point; a wrapped cell has none."""
    if len(lines) == 1:
        return [" " * column.pad(lines[0]) + lines[0]]
    return [line.rstrip() for line in lines]


def _left(text: str, _: int) -> str:
    return text.rstrip()


def _right(text: str, width: int) -> str:
    return " " * (width - breadth(text.rstrip())) + text.rstrip()


def _centred(text: str, width: int) -> str:
    return " " * ((width - breadth(text.rstrip())) // 2) + text.rstrip()


_PLACED: Final[dict[str, Callable[[str, int], str]]] = {"left": _left, "right": _right}


def _each(place: Callable[[str, int], str]) -> Callable[[GridColumn, Sequence[str]], list[str]]:
    """Place every line of a cell alike."""
    return lambda column, lines: [place(line, column.width) for line in lines]


_BODY: Final = {
    "left": _each(_left),
    "center": _each(_centred),
    "right": _each(_right),
    "decimal": _decimal,
}


def _joined(placed: Iterator[tuple[int, str]] | Sequence[tuple[int, str]]) -> str:
    """Set texts on one line, each from its position on."""
    line, taken = "", 0
    for start, text in placed:
        line += " " * (start - taken) + text
        taken = max(start, taken) + breadth(text)
    return line


def _pair(pair: Pair, width: int) -> str:
    free = width - breadth(pair.left) - breadth(pair.right)
    return f"{pair.left}{' ' * free}{pair.right}"
