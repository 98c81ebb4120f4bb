"""Text of a protocol or of data, made fit to be drawn: as it stands, and no wider than its room."""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import accumulate, takewhile
from typing import Final

from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font

#: the font bundled with matplotlib, so that every machine draws the same
FONT: Final = "DejaVu Sans"
ELLIPSIS: Final = "…"
#: stands for a character that the font lacks
_BOX: Final = "□"
#: no label needs more; what follows is not even measured
_MOST: Final = 2000


@cache
def _font(weight: str = "normal") -> FT2Font:
    """The font, one em being 1000 pixels."""
    found = findfont(FontProperties(family=FONT, weight=weight), fallback_to_default=False)
    font = FT2Font(found)
    font.set_size(1000, 72)
    return font


@cache
def _glyphs() -> frozenset[int]:
    """The characters that the font has, in bold too."""
    return frozenset(_font().get_charmap()) & frozenset(_font("bold").get_charmap())


@cache
def _advance(character: str) -> float:
    """Width of a character in em."""
    return float(_font().load_char(ord(character)).linearHoriAdvance) / 65536 / 1000


def shown(text: str) -> str:
    """One line that the font can draw: blanks single, controls dropped, a box for what it lacks."""
    kept = (c for c in text[:_MOST] if c.isspace() or unicodedata.category(c)[0] != "C")
    line = " ".join("".join(kept).split()) + (ELLIPSIS if len(text) > _MOST else "")
    return "".join(c if ord(c) in _glyphs() else _BOX for c in line)


def width(text: str, size: float) -> float:
    """Width of a line in points, at a font size in points."""
    return size * sum(map(_advance, text))


def clipped(text: str, room: float, size: float) -> str:
    """The line, its end replaced by an ellipsis where it is wider than `room` points."""
    line = shown(text)
    if width(line, size) <= room:
        return line
    return line[: _fitting(line, room - width(ELLIPSIS, size), size)].rstrip() + ELLIPSIS


def wrapped(text: str, room: float, size: float, most: int) -> tuple[str, ...]:
    """At most `most` lines of `room` points; the last is clipped where the text is longer."""
    lines = list[str]()
    rest = shown(text)
    while rest and len(lines) < most - 1 and width(rest, size) > room:
        cut = _break(rest, room, size)
        lines.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return (*lines, clipped(rest, room, size)) if rest else tuple(lines)


def _break(line: str, room: float, size: float) -> int:
    """Where a line too wide is broken: after the last blank that fits, else in a word."""
    fits = _fitting(line, room, size)
    blank = line.rfind(" ", 0, fits + 1)
    return blank if blank > 0 else max(1, fits)


def _fitting(line: str, room: float, size: float) -> int:
    """How many of its characters fit."""
    ends = accumulate(size * _advance(character) for character in line)
    return sum(1 for _ in takewhile(lambda end: end <= room, ends))
