"""A reader of RTF, written from the format's rules and not from our writer.

It knows groups, ignorable destinations, Unicode escapes with their fallbacks, paragraphs, rows and
cells. A line break reads as a blank, unless a zero-width break opportunity before it says that the
break is inside a word.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from pathlib import Path

_TOKEN = re.compile(
    r"\\(?P<word>[A-Za-z]+)(?P<number>-?\d+)? ?"
    r"|\\'(?P<hex>[0-9A-Fa-f]{2})"
    r"|\\(?P<symbol>[^A-Za-z])"
    r"|(?P<brace>[{}])"
    r"|[\r\n]+"
    r"|(?P<plain>.)"
)
_DESTINATIONS = {"fonttbl", "colortbl", "stylesheet", "info", "pict", "generator"}
_CHARACTERS = {"tab": "\t", "line": "\n", "zwbo": "\u200b", "emdash": "—", "endash": "–"}
_SYMBOLS = {"~": "\u00a0", "_": "\u2011", "-": "\u00ad"}


@dataclass(frozen=True)
class _State:
    ignored: bool = False
    fallback: int = 1


class _Reader:
    """Reads a document from its first token to its last."""

    def __init__(self, text: str) -> None:
        self.rows: list[list[str]] = []
        self.lines: list[str] = []
        self._cells: list[str] = []
        self._text: list[str] = []
        self._state = _State()
        self._outer: list[_State] = []
        self._skip = 0
        for token in _TOKEN.finditer(text):
            self._read(token)
        if self._outer:
            raise ValueError(f"{len(self._outer)} groups are not closed")

    def _read(self, token: re.Match[str]) -> None:
        kind = token.lastgroup
        if kind == "brace":
            self._group(token["brace"])
        elif kind in {"word", "number"}:
            self._word(token["word"], token["number"])
        elif kind == "hex":
            self._show(bytes.fromhex(token["hex"]).decode("cp1252"))
        elif kind == "symbol":
            self._symbol(token["symbol"])
        elif kind == "plain":
            self._show(token["plain"])

    def _group(self, brace: str) -> None:
        if brace == "{":
            self._outer.append(self._state)
        else:
            self._state = self._outer.pop()
        self._skip = 0

    def _symbol(self, symbol: str) -> None:
        if symbol == "*":
            self._state = replace(self._state, ignored=True)
        else:
            self._show(_SYMBOLS.get(symbol, symbol))

    def _show(self, character: str) -> None:
        if self._skip:
            self._skip -= 1
        elif not self._state.ignored:
            self._text.append(character)

    def _word(self, word: str, number: str | None) -> None:
        if word in _DESTINATIONS:
            self._state = replace(self._state, ignored=True)
        elif word == "uc":
            self._state = replace(self._state, fallback=int(number or 1))
        elif word == "u" and number:
            self._show(chr(int(number) % 65536))
            self._skip = self._state.fallback
        elif word in _CHARACTERS:
            self._show(_CHARACTERS[word])
        elif not self._state.ignored:
            self._end(word)

    def _end(self, word: str) -> None:
        """Obey what ends a paragraph, a cell, a row or a page."""
        if word == "cell":
            self._cells.append(self._taken().replace("\u200b\n", "").replace("\n", " ").strip())
        elif word == "row":
            self.rows.append(self._cells)
            self.lines.append("\t".join(self._cells))
            self._cells = []
        elif word == "par":
            self.lines.extend(self._taken().replace("\u200b\n", "").split("\n"))
        elif word in {"pagebb", "page"}:
            self._text.append("\f")

    def _taken(self) -> str:
        joined = "".join(self._text).encode("utf-16-le", "surrogatepass")
        self._text = []
        return joined.decode("utf-16-le", "replace")


def _document(source: Path | str | bytes) -> _Reader:
    content = source if isinstance(source, bytes) else Path(source).read_bytes()
    return _Reader(content.decode("ascii"))


def read_cells(source: Path | str | bytes) -> list[list[str]]:
    """Give the cells of every table row of all pages; rows without any text are left out.

    Parameters
    ----------
    source : path or bytes
        An RTF file, or its content.
    """
    return [row for row in _document(source).rows if any(row)]


def read_text(source: Path | str | bytes) -> str:
    r"""Give all text, footers included: a line per paragraph and row, tabs between cells.

    A page begins with a form feed, but for the first.
    """
    return "\n".join(_document(source).lines)
