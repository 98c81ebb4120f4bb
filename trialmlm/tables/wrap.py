"""Text made fit for print: unprintable characters removed, lines broken between words."""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_DIRECTION: Final = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_ZERO_WIDTH: Final = frozenset({"Mn", "Me", "Cf"})
_WIDE: Final = frozenset("WF")


def clean(text: str) -> str:
    r"""Remove what would break a page or hide text; blanks around it go too.

    Newlines stay, other white space becomes a blank, control characters and marks that reverse
    the direction of writing go, half a surrogate pair becomes U+FFFD.
    """
    if text.isprintable():
        return text.strip(" ")
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join("".join(map(_printable, line)) for line in lines).strip(" \n")


def _printable(character: str) -> str:
    """Give the character as it may be printed, or nothing."""
    category = unicodedata.category(character)
    if category == "Cs":
        return "\ufffd"
    if character in "\t\v\f\x85" or category in {"Zl", "Zp"}:
        return " "
    return "" if category == "Cc" or character in _DIRECTION else character


def breadth(text: str) -> int:
    """Count the character positions a monospace font takes for the text."""
    return len(text) if text.isascii() else sum(map(_positions, text))


def _positions(character: str) -> int:
    if unicodedata.category(character) in _ZERO_WIDTH:
        return 0
    return 2 if unicodedata.east_asian_width(character) in _WIDE else 1


def wrap(text: str, width: int, hang: int = 0) -> tuple[str, ...]:
    r"""Break a text into lines, between words where possible.

    Joined, the lines are the text again: a line broken at a blank ends with that blank, one
    broken inside an over-long word does not.

    Parameters
    ----------
    text : str
        Cleaned text; a newline ends a line.
    width : int
        Positions of the first line, at least 1.
    hang : int
        Positions that the following lines lose to their indentation.
    """
    if len(text) <= width and text.isascii() and "\n" not in text:
        return (text,)
    lines: list[str] = []
    for paragraph in text.splitlines(keepends=True) or [""]:
        lines.extend(_broken(paragraph, width, max(1, width - hang), first=not lines))
    return tuple(lines)


def _broken(paragraph: str, width: int, narrower: int, *, first: bool) -> Iterator[str]:
    """Yield the lines of one paragraph."""
    room = width if first else narrower
    while breadth(paragraph.rstrip()) > room:
        cut = _cut(paragraph, room)
        yield paragraph[:cut]
        paragraph, room = paragraph[cut:], narrower
    yield paragraph


def _cut(text: str, room: int) -> int:
    """Give how many characters go on a line: up to the last blank that fits, else what fits."""
    fits = _fitting(text, room)
    blank = text.rfind(" ", 0, fits + 1)
    if blank < 0 or not text[:blank].strip():
        return max(1, fits)
    return blank + 1


def _fitting(text: str, room: int) -> int:
    """Count the characters that fit, marks on the last one included."""
    taken = 0
    for position, character in enumerate(text):
        taken += _positions(character)
        if taken > room:
            return position
    return len(text)
