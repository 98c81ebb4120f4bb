"""A worksheet that is filled line by line, as a page is."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

from openpyxl.styles import Alignment, Border, Font, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties

from trialmlm.tables.wrap import breadth
from trialmlm.tables.xlsx_cells import legal_text, number_of, put_number, put_text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from openpyxl.cell import Cell as SheetCell
    from openpyxl.worksheet.worksheet import Worksheet

    from trialmlm.tables.display import Cell
    from trialmlm.tables.layout import Layout

_THIN: Final = Side("thin")
_HORIZONTAL: Final = {"left": "left", "center": "center", "right": "right", "decimal": "right"}
_PAPERS: Final = {"letter": "1", "a4": "9"}
#: the most points that a row can be high, and the height of a line over the font's size
_HIGHEST, _LEADING = 409.0, 1.35
#: positions that a column has beyond its longest line
_AIR: Final = 1.5


class Style(NamedTuple):
    """How a text stands in its cell; `align` is that of a column."""

    align: str = "left"
    bold: bool = False
    indent: int = 0
    low: bool = False


class Lines:
    """The lines of a worksheet, each below the one before.

    Attributes
    ----------
    at : int
        The row that is written next, counted from 1.
    cut : bool
        Whether a text was longer than a cell can hold.
    """

    def __init__(self, sheet: Worksheet, widths: Sequence[int], layout: Layout) -> None:
        self.at = 1
        self.cut = False
        self._sheet = sheet
        self._widths = widths
        self._layout = layout
        for k, width in enumerate(widths, start=1):
            sheet.column_dimensions[get_column_letter(k)].width = width + _AIR
        self._set_up_page()

    def line(self, text: str, style: Style = Style()) -> None:  # noqa: B008 - it is immutable
        """Write a text over the whole width; an empty one takes no line."""
        if text:
            self.over(1, len(self._widths), text, style)
            self.at += 1

    def over(self, first: int, last: int, text: str, style: Style) -> None:
        """Write a text over the columns `first` to `last`, counted from 1."""
        width = sum(self._widths[first - 1 : last])
        self._text(first, legal_text(text), style, width)
        if last > first:
            self._sheet.merge_cells(None, self.at, first, self.at, last)

    def cell(self, column: int, cell: Cell, style: Style) -> str:
        """Write a body cell: a number where its text is one, else the text; give its address."""
        number = number_of(cell)
        if number is None:
            self._text(column, legal_text(cell.text), style, self._widths[column - 1])
        else:
            target = self._sheet.cell(self.at, column)
            put_number(target, *number)
            self._stand(target, style)
        return f"{get_column_letter(column)}{self.at}"

    def rule(self, first: int, last: int, *, top: bool = False, bottom: bool = False) -> None:
        """Draw rules along the cells from `first` to `last`."""
        border = Border(top=_THIN if top else None, bottom=_THIN if bottom else None)
        for column in range(first, last + 1):
            self._sheet.cell(self.at, column).border = border

    def freeze(self, headings: int) -> None:
        """Keep all above on the screen, and the last `headings` lines on every printed page."""
        self._sheet.freeze_panes = f"A{self.at}"
        if headings:
            self._sheet.print_title_rows = f"{self.at - headings}:{self.at - 1}"

    def _text(self, column: int, text: str, style: Style, width: int) -> None:
        target = self._sheet.cell(self.at, column)
        self.cut |= put_text(target, text)
        self._stand(target, style)
        points = _height(text, width - style.indent) * self._layout.size * _LEADING
        row = self._sheet.row_dimensions[self.at]
        row.height = max(row.height or 0.0, min(_HIGHEST, points))

    def _stand(self, target: SheetCell, style: Style) -> None:
        target.font = _font(self._layout.font, self._layout.size, style.bold)
        target.alignment = _alignment(style, target.data_type == "s")

    def _set_up_page(self) -> None:
        self._sheet.sheet_view.showGridLines = False
        setup = self._sheet.page_setup
        setup.orientation = "landscape" if self._layout.landscape else "portrait"
        setup.paperSize = _PAPERS[self._layout.paper]
        setup.fitToWidth, setup.fitToHeight = 1, 0
        self._sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        self._sheet.oddFooter.right.text = "Page &P of &N"


@cache
def _font(name: str, size: float, bold: bool) -> Font:
    return Font(name=name, size=size, bold=bold)


@cache
def _alignment(style: Style, wrapped: bool) -> Alignment:
    vertical = "bottom" if style.low else "top"
    return Alignment(_HORIZONTAL[style.align], vertical, wrap_text=wrapped, indent=style.indent)


def _height(text: str, width: int) -> int:
    """Count the lines a text takes when it is wrapped to so many positions."""
    return sum(max(1, -(-breadth(line) // max(1, width))) for line in text.split("\n"))
