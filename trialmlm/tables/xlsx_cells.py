"""What goes into one cell of a worksheet: a number if it is one, else text and never a formula."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, Final, NamedTuple

from trialmlm.tables.numbers import round_half_away
from trialmlm.tables.wrap import clean

if TYPE_CHECKING:
    from openpyxl.cell import Cell as SheetCell

    from trialmlm.tables.display import Cell

#: characters of a cell, counted in UTF-16 units, and of a sheet's name
LONGEST: Final = 32_767
_LONGEST_NAME: Final = 31
#: the number format of a cell that has none
_GENERAL: Final = "General"

_PLAIN: Final = re.compile(r"(-?)[0-9]+(?:\.([0-9]+))?")
_NOT_XML: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
#: what a spreadsheet program would read as an escaped character
_ESCAPE: Final = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
#: what begins a formula, or is taken for one when a cell is edited or pasted
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")
_NOT_IN_A_NAME: Final = re.compile(r"[\[\]:*?/\\\n]")


class Number(NamedTuple):
    """A number at full precision and the format that prints it as the table does."""

    value: float
    number_format: str


def number_of(cell: Cell) -> Number | None:
    """Give the number of a cell whose text is its one value, rounded, and nothing else.

    A text such as ``24.1 (12.19)``, ``<0.001`` or ``NE`` says more or other than a number; so
    does a text that is not the value rounded to its decimals.
    """
    found = _PLAIN.fullmatch(clean(cell.text))
    if found is None or len(cell.values) != 1 or not math.isfinite(cell.values[0]):
        return None
    value, decimals = cell.values[0], len(found[2] or "")
    if round_half_away(value, decimals) != Decimal(found.group()):
        return None
    printed = "0." + "0" * decimals if decimals else "0"
    # a second section, for negative numbers, prints no sign of its own: 0.0 where -0.0 is dropped
    return Number(value, f"{printed};{printed}" if value < 0 and not found[1] else printed)


def legal_text(text: str) -> str:
    """Make a text fit for a cell: clean, and legal in XML."""
    return _NOT_XML.sub("", clean(text))


def put_number(target: SheetCell, value: float, number_format: str = _GENERAL) -> None:
    """Set a number cell to all 17 digits; given a float, openpyxl would write 16."""
    target.value = repr(value)
    target.data_type = "n"
    if number_format != _GENERAL:
        target.number_format = number_format


def put_text(target: SheetCell, text: str) -> bool:
    """Set a text cell; no text is ever a formula or an error value.

    Returns
    -------
    bool
        Whether the text had to be cut; an ellipsis stands for the rest.
    """
    escaped = _ESCAPE.sub("_x005F_", text)
    shown = _shortened(escaped)
    if shown:
        target.value = shown
        target.data_type = "s"
        if shown.startswith(_FORMULA):
            target.quotePrefix = True
    return len(shown) < len(escaped)


def _shortened(text: str) -> str:
    """Cut a text to what a cell holds."""
    encoded = text.encode("utf-16-le")
    if len(encoded) <= 2 * LONGEST:
        return text
    return encoded[: 2 * (LONGEST - 1)].decode("utf-16-le", "ignore") + "…"


def sheet_name(number: str, taken: str) -> str:
    """Name a sheet by the number of its output, as a spreadsheet program allows it.

    Parameters
    ----------
    number : str
        Of the output.
    taken : str
        The name of the other sheet.
    """
    name = _NOT_IN_A_NAME.sub("_", legal_text(number))[:_LONGEST_NAME].strip("' ") or "_"
    return f"{name}_" if name.casefold() in {taken, "history"} else name
