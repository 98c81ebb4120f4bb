"""A display as the HTML template wants it: clean texts, and every number split at its point."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from trialmlm.tables.display import NO_DATA, Block, Cell, Display, Row
from trialmlm.tables.grid import before_point
from trialmlm.tables.stack import stacked
from trialmlm.tables.wrap import clean

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.tables.display import Alignment, Spanner

#: a longer text, or one that is not ASCII, stands by no decimal point
_LONGEST_NUMBER: Final = 60
#: characters that take about half the width of a digit
_NARROW: Final = " .,;:()-"


class Heading(NamedTuple):
    """A column's heading, and how it stands."""

    text: str
    align: str


class Span(NamedTuple):
    """So many columns under a spanner, or under none."""

    text: str
    columns: int


class BodyCell(NamedTuple):
    """A cell; `left` and `right` are the widest parts of its column, in digits."""

    whole: str
    rest: str = ""
    align: str = "left"
    point: bool = False
    left: float = 0
    right: float = 0


class BodyRow(NamedTuple):
    """A row: its label over `span` columns, then its cells."""

    label: str
    cells: tuple[BodyCell, ...]
    scope: str
    span: int
    indent: int
    bold: bool


class BodyBlock(NamedTuple):
    """Rows that belong together; a group is named where it begins."""

    group: str
    rows: tuple[BodyRow, ...]
    gap: bool


class View(NamedTuple):
    """A table, from its caption to its footnotes."""

    titles: tuple[str, ...]
    population: str
    width: int
    spanners: tuple[tuple[Span, ...], ...]
    headings: tuple[Heading, ...]
    blocks: tuple[BodyBlock, ...]
    footnotes: tuple[str, ...]


def view_of(display: Display) -> View:
    """Prepare a display for the template."""
    shown = not display.message
    width = max(1, len(display.columns))
    headings = (Heading(_lines(c.heading), c.align) for c in display.columns if shown)
    return View(
        titles=tuple(map(clean, (display.name, *display.titles))),
        population=clean(display.population),
        width=width,
        spanners=tuple(_level(row, width) for row in stacked(display.spanners) if shown),
        headings=tuple(
            Heading(text, "left" if k == 0 else align) for k, (text, align) in enumerate(headings)
        ),
        blocks=tuple(_blocks(display)),
        footnotes=tuple(map(clean, display.footnotes)),
    )


def _level(row: Sequence[Spanner], width: int) -> tuple[Span, ...]:
    """Fill the row: columns without a spanner have a span without text."""
    spans: list[Span] = []
    at = 0
    for spanner in row:
        spans += [Span("", spanner.first - at)] if spanner.first > at else []
        spans.append(Span(clean(spanner.text), spanner.last - spanner.first + 1))
        at = spanner.last + 1
    return (*spans, Span("", width - at)) if at < width else tuple(spans)


def _blocks(display: Display) -> Iterator[BodyBlock]:
    if display.message or not display.rows:
        cells = (Cell(display.message or NO_DATA),)
        yield _block(Block((Row(cells),), gap=False), "", (), max(1, len(display.columns)))
        return
    points = _points(display)
    group = ""
    for block in display.blocks:
        begins = block.page_by if block.page_by != group else ""
        group = block.page_by
        yield _block(block, clean(begins), points, len(display.columns))


class _Point(NamedTuple):
    """How a column stands, and how wide its texts are left and right of their decimal points."""

    align: Alignment
    left: float
    right: float


def _points(display: Display) -> tuple[_Point, ...]:
    """Measure every column but the first."""
    full = [row for row in display.rows if len(row.cells) == len(display.columns)]
    return tuple(
        _point(column.align, [clean(row.cells[k].text) for row in full])
        for k, column in enumerate(display.columns[1:], start=1)
    )


def _point(align: Alignment, texts: Sequence[str]) -> _Point:
    parts = [_parted(text) for text in texts if _stands(text)]
    left = max((_digits(whole) for whole, _ in parts), default=0)
    return _Point(align, left, max((_digits(rest) for _, rest in parts), default=0))


def _parted(text: str) -> tuple[str, str]:
    """Part a text at its decimal point."""
    at = before_point(text)
    return text[:at], text[at:]


def _digits(text: str) -> float:
    """Measure a text by the width of a digit."""
    return len(text) - 0.45 * sum(map(text.count, _NARROW))


def _stands(text: str) -> bool:
    """Whether a text can stand by a decimal point."""
    return text.isascii() and len(text) <= _LONGEST_NUMBER and "\n" not in text


def _block(block: Block, group: str, points: Sequence[_Point], width: int) -> BodyBlock:
    rows = block.rows
    labels = [k + 1 < len(rows) and rows[k + 1].indent > rows[k].indent for k in range(len(rows))]
    body = (_row(row, points, width, label) for row, label in zip(rows, labels, strict=True))
    return BodyBlock(group, tuple(body), block.gap)


def _row(row: Row, points: Sequence[_Point], width: int, label: bool) -> BodyRow:
    alone = len(row.cells) == 1
    return BodyRow(
        label=clean(row.cells[0].text),
        cells=tuple(_cell(clean(c.text), p) for c, p in zip(row.cells[1:], points, strict=False)),
        scope="rowgroup" if label else "row",
        span=width if alone else 1,
        indent=row.indent,
        bold=row.bold,
    )


def _cell(text: str, point: _Point) -> BodyCell:
    if point.align != "decimal":
        return BodyCell(text, align=point.align)
    if not _stands(text):
        return BodyCell(text, align="left long")
    if not text:
        return BodyCell("")
    return BodyCell(*_parted(text), "decimal", True, point.left, point.right)


def _lines(heading: Sequence[str]) -> str:
    return "\n".join(map(clean, heading))
