"""Workbooks: the table as it is printed, and on a second sheet the values behind every cell.

A cell that is one number is a number cell at full precision, formatted with the decimals of the
table; all others are text. The sheet ``values`` has one row per value, with the address of the
cell it belongs to, so that a second program compares numbers and not strings.
"""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING, Final, NamedTuple

from openpyxl import Workbook
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from trialmlm.tables.display import NO_DATA
from trialmlm.tables.stack import stacked
from trialmlm.tables.wrap import breadth, clean
from trialmlm.tables.xlsx_cells import LONGEST, legal_text, put_number, put_text, sheet_name
from trialmlm.tables.xlsx_sheet import Lines, Style
from trialmlm.tables.zip_file import normal_zip

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from openpyxl.worksheet.worksheet import Worksheet

    from trialmlm.tables.display import Alignment, Block, Cell, Display, Furniture
    from trialmlm.tables.document import Document

#: the second sheet, its columns and their widths
_VALUES: Final = "values"
_VALUE_COLUMNS: Final = {
    "cell": 8, "row": 44, "column": 36, "text": 18, "item": 6, "value": 22, "source": 16,
}  # fmt: skip

_CUT: Final = f"Texts longer than {LONGEST:,} characters are cut and end with an ellipsis (…)."
_TITLE: Final = Style("center", bold=True)
#: positions of a column, and of all columns together
_NARROWEST, _WIDEST, _LEAST_TOTAL = 7, 48, 72


def xlsx(document: Document) -> bytes:
    """Write a workbook, the same bytes for the same document."""
    display = document.display
    book = Workbook()
    book.properties.creator = "trialmlm"
    book.properties.title = legal_text(" - ".join((display.name, *display.titles)))
    sheet = book.worksheets[0]
    sheet.title = sheet_name(display.number, _VALUES)
    lines = Lines(sheet, _widths(display), document.layout)
    _write_head(lines, display, document.furniture)
    if display.message or not display.rows:
        lines.line(display.message or NO_DATA)
        placed: list[_Placed] = []
    else:
        _write_headings(lines, display)
        placed = list(_write_body(lines, display))
    _write_foot(lines, display, document.furniture)
    _write_values(book.create_sheet(_VALUES), placed)
    written = io.BytesIO()
    book.save(written)
    return normal_zip(written.getvalue())


class _Placed(NamedTuple):
    """A cell on the sheet, and what its row and column are called."""

    address: str
    row: str
    column: str
    cell: Cell


def _write_head(lines: Lines, display: Display, furniture: Furniture) -> None:
    lines.line(_labelled("Protocol: ", furniture.protocol))
    lines.line(_labelled("Population: ", display.population))
    for text in (furniture.status, *furniture.stamps, display.name, *display.titles):
        lines.line(text, _TITLE)
    lines.at += 1


def _write_headings(lines: Lines, display: Display) -> None:
    """Write spanners over their own rules, then the columns' headings between two rules."""
    levels = stacked(display.spanners)
    for level in levels:
        for spanner in level:
            lines.over(spanner.first + 1, spanner.last + 1, spanner.text, _TITLE)
            lines.rule(spanner.first + 1, spanner.last + 1, bottom=True)
        lines.at += 1
    for k, column in enumerate(display.columns, start=1):
        style = Style(column.align if k > 1 else "left", bold=True, low=True)
        lines.over(k, k, "\n".join(column.heading), style)
    lines.rule(1, len(display.columns), top=not levels, bottom=True)
    lines.at += 1
    lines.freeze(len(levels) + 1)


def _write_body(lines: Lines, display: Display) -> Iterator[_Placed]:
    """Yield the cells that have values, as they are written; a rule ends the body."""
    names = [_column_name(display, k) for k in range(len(display.columns))]
    aligned = [column.align for column in display.columns]
    group = ""
    for block in display.blocks:
        if block.page_by != group:
            group = block.page_by
            lines.line(group, Style(bold=True))
        yield from _write_block(lines, block, names, aligned)
    lines.at -= bool(display.blocks[-1].gap)
    lines.rule(1, len(names), top=True)


def _write_block(
    lines: Lines, block: Block, names: list[str], aligned: list[Alignment]
) -> Iterator[_Placed]:
    labels: tuple[str, ...] = ()
    for row in block.rows:
        label = row.cells[0].text
        labels = (*labels[: row.indent], label)
        if len(row.cells) == 1:
            lines.line(label, Style(bold=row.bold, indent=row.indent))
            continue
        lines.over(1, 1, label, Style(bold=row.bold, indent=row.indent))
        path = _path(block.page_by, *labels)
        for k, cell in enumerate(row.cells[1:], start=1):
            address = lines.cell(k + 1, cell, Style(aligned[k], bold=row.bold))
            if cell.values:
                yield _Placed(address, path, names[k], cell)
        lines.at += 1
    lines.at += block.gap


def _write_foot(lines: Lines, display: Display, furniture: Furniture) -> None:
    lines.at += bool(display.message or not display.rows)
    for note in display.footnotes:
        lines.line(note)
    if lines.cut:
        lines.line(_CUT)
    lines.at += 1
    lines.line(_labelled("Program: ", furniture.program))
    lines.line(_labelled("Run: ", furniture.run_time))
    lines.line(_labelled("Data cut-off: ", furniture.data_cut))


def _write_values(sheet: Worksheet, placed: Iterable[_Placed]) -> None:
    """Write one row per value, at full precision; what cannot be estimated has an empty value."""
    for k, (heading, width) in enumerate(_VALUE_COLUMNS.items(), start=1):
        put_text(sheet.cell(1, k), heading)
        sheet.cell(1, k).font = Font(bold=True)
        sheet.column_dimensions[get_column_letter(k)].width = width
    sheet.freeze_panes = "A2"
    items = ((one, item) for one in placed for item in enumerate(one.cell.values, start=1))
    for at, (one, (item, value)) in enumerate(items, start=2):
        texts = (one.address, one.row, one.column, legal_text(one.cell.text))
        for k, text in enumerate(texts, start=1):
            put_text(sheet.cell(at, k), text)
        put_number(sheet.cell(at, 5), item)
        if math.isfinite(value):
            put_number(sheet.cell(at, 6), float(value))
        put_text(sheet.cell(at, 7), legal_text(one.cell.source))


def _widths(display: Display) -> tuple[int, ...]:
    """Give each column the positions of its longest line, within bounds."""
    columns = display.columns if display.rows and not display.message else ()
    widths = [max(map(breadth, column.heading), default=0) for column in columns]
    for row in display.rows if len(columns) > 1 else ():
        if len(row.cells) == len(widths):
            for k, cell in enumerate(row.cells):
                longest = max(map(breadth, cell.text.splitlines()), default=0)
                widths[k] = max(widths[k], longest + (0 if k else row.indent))
    bounded = [min(max(width, _NARROWEST), _WIDEST) for width in widths or [0]]
    bounded[0] += max(0, _LEAST_TOTAL - sum(bounded))
    return tuple(bounded)


def _column_name(display: Display, k: int) -> str:
    """Name a column by the spanners over it and its heading."""
    over = (
        one.text
        for level in stacked(display.spanners)
        for one in level
        if one.first <= k <= one.last
    )
    return _path(*over, " ".join(display.columns[k].heading))


def _path(*names: str) -> str:
    """Join names, the outer first; those without text are left out."""
    plain = (" ".join(legal_text(name).split()) for name in names)
    return " / ".join(filter(None, plain))


def _labelled(label: str, text: str) -> str:
    return label + clean(text) if text else ""
