"""SAS transport files, version 5, as the SAS Institute's TS-140 describes them.

A file is a run of 80-byte records. Header records announce the library, its members, the
variables of a member (NAMESTR, 140 bytes each, 136 when written on VAX) and its observations.
Numbers are IBM floating point, big-endian, cut to the variable's length.

The end of the observations is nowhere written: the last record is filled with blanks. A trailing
observation of blanks only is therefore ambiguous. The rule here: it is filling if it starts within
the last 79 bytes (filling is never longer), otherwise it is an observation.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.adam.dataset import Dataset
from trialmlm.adam.sas_dates import dates, is_dated
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

_RECORD = 80
_NAMESTR = (140, 136)
_LONGEST = 32_767  # bytes of text; the format says 200, but longer ones are written and read

#: first byte of a missing value -> its letter; '.' is the ordinary one
_LETTERS = np.full(256, "", dtype=object)
_LETTERS[ord("_")] = "_"
_LETTERS[ord("A") : ord("Z") + 1] = list("ABCDEFGHIJKLMNOPQRSTUVWXYZ")
_MISSING = (_LETTERS != "") | (np.arange(256) == ord("."))


@dataclass(frozen=True, slots=True)
class _Variable:
    """What a NAMESTR says of one variable."""

    name: str
    label: str
    format: str
    numeric: bool
    start: int
    length: int


@dataclass(frozen=True, slots=True)
class _Member:
    """One data set of the library: its variables and where its observations lie."""

    name: str
    label: str
    variables: tuple[_Variable, ...]
    start: int
    end: int

    @property
    def width(self) -> int:
        """Bytes of one observation."""
        return sum(variable.length for variable in self.variables)


@dataclass(frozen=True, slots=True)
class _Column:
    """One variable's values, its letters of special missing values, and what to note."""

    cells: NDArray[Any]
    letters: NDArray[np.object_] | None = None
    note: str = ""


def read_xpt(path: Path) -> Dataset:
    """Read a SAS transport file of version 5 that holds one data set.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Dataset
        Numbers as float64, text without its trailing blanks, dates and date-times as datetime64.

    Raises
    ------
    DataError
        The file is damaged (the byte offset is named), is of version 8, or holds not one but
        several data sets.
    """
    content = path.read_bytes()
    member = _only_member(path, content)
    rows = _observations(path, content, member)
    columns = {variable.name: _column(path, variable, rows) for variable in member.variables}
    letters = {name: c.letters for name, c in columns.items() if c.letters is not None}
    return Dataset(
        name=member.name,
        path=path,
        frame=pd.DataFrame({name: column.cells for name, column in columns.items()}),
        labels={v.name: v.label for v in member.variables if v.label},
        label=member.label,
        formats={v.name: v.format for v in member.variables if v.format},
        special_missing=pd.DataFrame(letters) if letters else None,
        sha256=hashlib.sha256(content).hexdigest(),
        notes=tuple(column.note for column in columns.values() if column.note),
    )


def ieee_from_ibm(bits: NDArray[np.uint64]) -> NDArray[np.float64]:
    """IBM double precision -> IEEE: ``(-1)^s · 16^(e - 64) · 0.f``, f of 56 bits.

    Exact for every number that came from an IEEE double; an f of more than 53 significant bits
    is rounded to the nearest. The whole IBM range lies inside the IEEE range.
    """
    fraction = (bits & np.uint64(0x00FF_FFFF_FFFF_FFFF)).astype(np.float64)
    exponent = ((bits >> np.uint64(56)) & np.uint64(0x7F)).astype(np.int32)
    size = np.ldexp(fraction, 4 * (exponent - 64) - 56)
    return np.where(bits >> np.uint64(63) == 1, -size, size)


def _damaged(path: Path, offset: int, expected: str, found: str) -> DataError:
    return DataError(
        f"{path}: byte offset {offset:,}: expected {expected}, found {found}. "
        "The file is damaged or cut short: copy the file again (in binary mode)."
    )


def _header(path: Path, content: bytes, offset: int, kind: str) -> bytes:
    """Return the header record of a kind; anything else at this place is damage, or version 8."""
    record = content[offset : offset + _RECORD]
    if record[:20] == b"HEADER RECORD*******" and record[20:28].rstrip().endswith(b"V8"):
        message = f"{path}: byte offset {offset:,}: a SAS transport file of version 8, expected 5"
        raise DataError(f"{message}. Write it again as version 5 (SAS: libname … xport).")
    if not record.startswith(f"HEADER RECORD*******{kind:8}HEADER RECORD!!!!!!!".encode()):
        found = f"{record[:32]!r}" if record else "the end of the file"
        raise _damaged(path, offset, f"the {kind} header of a SAS transport file", found)
    return record


def _only_member(path: Path, content: bytes) -> _Member:
    """Return the one data set of the library."""
    _header(path, content, 0, "LIBRARY")
    if partial := len(content) % _RECORD:
        whole = len(content) - partial
        raise _damaged(path, whole, f"a record of {_RECORD} bytes", f"{partial} bytes")
    _header(path, content, 3 * _RECORD, "MEMBER")
    starts = _member_starts(content)
    if len(starts) > 1:
        names = ", ".join(_text(content[s + 168 : s + 176]) for s in starts)
        raise DataError(
            f"{path}: expected one data set, found {len(starts)}: {names}. "
            "Write each data set to a transport file of its own."
        )
    return _member(path, content, starts[0])


def _member_starts(content: bytes) -> list[int]:
    """Offsets of the MEMBER headers, which stand on record boundaries."""
    starts, mark = [], b"HEADER RECORD*******MEMBER  HEADER RECORD!!!!!!!"
    at = content.find(mark)
    while at >= 0:
        if at % _RECORD == 0:
            starts.append(at)
        at = content.find(mark, at + 1)
    return starts


def _member(path: Path, content: bytes, start: int) -> _Member:
    """Read the headers of a member: its name, its variables, where its observations start."""
    size = _count(path, _header(path, content, start, "MEMBER"), start, 74, 78)
    _header(path, content, start + _RECORD, "DSCRPTR")
    at = start + 4 * _RECORD
    count = _count(path, _header(path, content, at, "NAMESTR"), at, 54, 58)
    names, length = at + _RECORD, size * count
    if len(content) < names + length:
        found = f"{max(0, len(content) - names):,} bytes"
        raise _damaged(path, names, f"{length:,} bytes of {count} variables", found)
    variables = _variables(path, content[names : names + length], names, size)
    observations = names + -(-length // _RECORD) * _RECORD
    _header(path, content, observations, "OBS")
    return _Member(
        name=_text(content[start + 168 : start + 176]),
        label=_text(content[start + 272 : start + 312]),
        variables=variables,
        start=observations + _RECORD,
        end=len(content),
    )


def _count(path: Path, record: bytes, offset: int, start: int, end: int) -> int:
    """Return a count that a header record carries as digits."""
    digits = record[start:end]
    if not digits.isdigit():
        raise _damaged(path, offset + start, "a count in digits", repr(digits))
    return int(digits)


def _variables(path: Path, content: bytes, offset: int, size: int) -> tuple[_Variable, ...]:
    """Read the NAMESTR records, of 140 or 136 bytes each; the variables lie side by side."""
    if size not in _NAMESTR:
        raise _damaged(path, offset, "variables described in 140 or 136 bytes", f"{size} bytes")
    variables: list[_Variable] = []
    start = 0
    for at in range(0, len(content), size):
        variable = _variable(content[at : at + size])
        longest = 8 if variable.numeric else _LONGEST
        if variable.start != start or not 1 <= variable.length <= longest:
            found = f"{variable.name!r} of {variable.length} bytes at {variable.start}"
            raise _damaged(path, offset + at, f"a variable at {start} of its observation", found)
        if variable.name in {known.name for known in variables}:
            raise _damaged(path, offset + at, "variables of different names", repr(variable.name))
        variables.append(variable)
        start += variable.length
    return tuple(variables)


def _variable(record: bytes) -> _Variable:
    """Read one NAMESTR: type, length, name, label, format, position."""
    short = np.frombuffer(record, dtype=">i2", count=35)
    name, width, decimals = _text(record[56:64]), int(short[32]), int(short[33])
    size = f"{width or ''}" + (f".{decimals}" if decimals else "")
    return _Variable(
        name=_text(record[8:16]),
        label=_text(record[16:56]),
        format=name + size,
        numeric=int(short[0]) == 1,
        start=int(np.frombuffer(record, dtype=">i4", count=1, offset=84)[0]),
        length=int(short[2]),
    )


def _observations(path: Path, content: bytes, member: _Member) -> NDArray[np.uint8]:
    """Return the observations as bytes, shape (n, width); the filling of the last record is cut."""
    width, length = member.width, member.end - member.start
    if not member.variables:
        raise _damaged(path, member.start, "observations of some length", "no variables")
    count, rest = divmod(length, width)
    tail = content[member.end - rest : member.end]
    if rest >= _RECORD or tail.strip(b" "):
        offset = member.end - rest
        raise _damaged(path, offset, f"an observation of {width:,} bytes", f"{rest:,} bytes")
    rows = np.frombuffer(content, np.uint8, count * width, member.start).reshape(count, width)
    return rows[: count - _filling(rows, rest)]


def _filling(rows: NDArray[np.uint8], rest: int) -> int:
    """How many trailing observations are blanks that fill the last record."""
    width = rows.shape[1]
    possible = min((_RECORD - 1 - rest) // width, len(rows))
    blank = (rows[len(rows) - possible :] == ord(" ")).all(axis=1)[::-1]
    return int(np.logical_and.accumulate(blank).sum())


def _column(path: Path, variable: _Variable, rows: NDArray[np.uint8]) -> _Column:
    """Read one variable out of the observations."""
    cells = rows[:, variable.start : variable.start + variable.length]
    return (_numeric if variable.numeric else _character)(path, variable, cells)


def _numeric(path: Path, variable: _Variable, cells: NDArray[np.uint8]) -> _Column:
    """Numbers of 2 to 8 bytes, missing values and their letters, dates where the format says so."""
    full = np.zeros((len(cells), 8), dtype=np.uint8)
    full[:, : variable.length] = cells
    missing = _MISSING[full[:, 0]] & ~full[:, 1:].any(axis=1)
    values = ieee_from_ibm(full.view(">u8")[:, 0].astype(np.uint64))
    values[missing] = np.nan
    letters = np.where(missing, _LETTERS[full[:, 0]], "")
    shown = variable.format
    dated = dates(path, variable.name, shown, values) if is_dated(shown) else values
    return _Column(dated, letters if (letters != "").any() else None)


def _character(path: Path, variable: _Variable, cells: NDArray[np.uint8]) -> _Column:
    """Text without trailing blanks; what is not UTF-8 is taken for Windows-1252, and noted."""
    width = f"S{variable.length}"
    raw = [cell.rstrip(b" \0") for cell in np.ascontiguousarray(cells).view(width)[:, 0].tolist()]
    try:
        return _Column(np.array([cell.decode() for cell in raw], dtype=object))
    except UnicodeDecodeError:
        note = f"{path.name}: column {variable.name} is not UTF-8; it was read as Windows-1252"
        return _Column(np.array([_western(cell) for cell in raw], dtype=object), note=note)


def _western(cell: bytes) -> str:
    """Windows-1252, or Latin-1 for the five bytes that the former leaves undefined."""
    try:
        return cell.decode("cp1252")
    except UnicodeDecodeError:
        return cell.decode("latin-1")


def _text(field: bytes) -> str:
    """Return a name or label of a header."""
    return _western(field).strip(" \0")
