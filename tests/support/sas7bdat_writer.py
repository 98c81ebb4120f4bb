"""A writer of SAS data sets for tests: 32 bits, little-endian, UTF-8, uncompressed.

Two pages: one of subheaders, that describe the columns, and one of rows. Written from what is known
of the format; nobody but a test should trust it.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC = bytes(12) + bytes.fromhex("c2ea8160b31411cfbd92080009c7318c181f1011")
_HEADER, _PAGE_HEADER = 1024, 24
_META, _DATA = 0x0000, 0x0100
_ROW_SIZE, _COLUMN_SIZE, _FORMAT = 0xF7F7F7F7, 0xF6F6F6F6, 0xFFFFFBFE
_ATTRIBUTES, _TEXT, _NAME = 0xFFFFFFFC, 0xFFFFFFFD, 0xFFFFFFFF


@dataclass(frozen=True)
class Variable:
    """A column: text of a length in bytes, or numbers where the length is 0.

    A number that is a str is a special missing value, None the ordinary one.
    """

    name: str
    cells: list[str | float | None]
    label: str = ""
    format: str = ""
    length: int = 0

    @property
    def width(self) -> int:
        return self.length or 8

    def stored(self, cell: str | float | None) -> bytes:
        if self.length:
            return str(cell or "").encode().ljust(self.length)
        if isinstance(cell, float | int) and cell == cell:
            return struct.pack("<d", cell)
        missing = bytearray(struct.pack("<d", float("nan")))
        missing[5] = ~ord(cell if isinstance(cell, str) else ".") & 0xFF
        return bytes(missing)


@dataclass
class _Texts:
    """The heap of names, labels and formats; a reference is (heap, offset, length)."""

    heap: bytes = b""

    def add(self, text: str) -> bytes:
        content = text.encode()
        reference = struct.pack("<HHH", 0, len(self.heap) + 28, len(content))
        self.heap += content + bytes(-len(content) % 4)
        return reference if content else bytes(6)


@dataclass
class _Subheader:
    signature: int
    content: bytearray = field(default_factory=bytearray)

    def put(self, at: int, content: bytes) -> _Subheader:
        self.content[at : at + len(content)] = content
        return self


def write_sas7bdat(path: Path, variables: list[Variable], name: str, label: str = "") -> None:
    """Write a data set.

    Parameters
    ----------
    path : path
        The file.
    variables : list of Variable
        Columns of one length.
    name, label : str
        Of the data set.
    """
    rows = list(zip(*(variable.cells for variable in variables), strict=True))
    body = b"".join(
        variable.stored(cell) for row in rows for variable, cell in zip(variables, row, strict=True)
    )
    data = struct.pack("<16xHH4x", _DATA, len(rows)) + body
    size = max(65_536, 1 << len(data).bit_length())
    subheaders = _subheaders(variables, len(rows), size, label)
    pages = _meta_page(subheaders, size) + data.ljust(size, b"\0")
    path.write_bytes(_header(name, size).ljust(_HEADER, b"\0") + pages)


def _header(name: str, size: int) -> bytes:
    return (
        _MAGIC
        + struct.pack("<BxxBxBxB30xB13x", 0x22, 0x22, 1, ord("1"), 20)
        + b"SAS FILE"
        + name.encode().ljust(32)
        + bytes(32)
        + b"DATA    "
        + struct.pack("<dd16xIII8x", 0.0, 0.0, _HEADER, size, 2)
        + b"9.0101M0"
        + b"9.0401M6Linux".ljust(16, b"\0")
    )


def _subheaders(variables: list[Variable], rows: int, size: int, label: str) -> list[_Subheader]:
    count, texts = len(variables), _Texts()
    row_size = _Subheader(_ROW_SIZE, bytearray(480))
    row_size.put(20, struct.pack("<II", sum(v.width for v in variables), rows))
    row_size.put(36, struct.pack("<I12xI", count, size)).put(64, b"\xff" * 8)
    row_size.put(350, texts.add(label))
    names = _Subheader(_NAME, bytearray(20 + 8 * count))
    attributes = _Subheader(_ATTRIBUTES, bytearray(20 + 12 * count))
    formats, offset = [], 0
    for k, v in enumerate(variables):
        names.put(12 + 8 * k, texts.add(v.name))
        kind = 2 if v.length else 1
        attributes.put(12 + 12 * k, struct.pack("<IIHBx", offset, v.width, 4, kind))
        described = _Subheader(_FORMAT, bytearray(52))
        formats.append(described.put(34, texts.add(v.format)).put(40, texts.add(v.label)))
        offset += v.width
    heap = _Subheader(_TEXT, bytearray(32 + len(texts.heap))).put(32, texts.heap)
    for one in (names, attributes, heap):
        one.put(4, struct.pack("<H", len(one.content) - 12))
    column_size = _Subheader(_COLUMN_SIZE, bytearray(12)).put(4, struct.pack("<I", count))
    return [row_size, column_size, heap, names, attributes, *formats]


def _meta_page(subheaders: list[_Subheader], size: int) -> bytes:
    """Pointers from the page's start, the subheaders from its end."""
    page = bytearray(size)
    page[16:22] = struct.pack("<HHH", _META, len(subheaders), len(subheaders))
    at, end = _PAGE_HEADER, size
    for one in subheaders:
        one.put(0, struct.pack("<I", one.signature))
        end -= len(one.content)
        text = one.signature in {_TEXT, _NAME, _ATTRIBUTES}
        page[at : at + 12] = struct.pack("<IIBBxx", end, len(one.content), 0, text)
        page[end : end + len(one.content)] = one.content
        at += 12
    if at > end:
        raise ValueError("more columns than this writer has room for")
    return bytes(page)
