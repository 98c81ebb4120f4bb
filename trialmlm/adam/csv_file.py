"""CSV files: every cell is text until a whole column proves to be something else."""

from __future__ import annotations

import csv
import hashlib
import io
from collections import Counter
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.adam.cells import typed
from trialmlm.adam.dataset import Dataset
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path


def read_csv(path: Path) -> Dataset:
    """Read a comma-separated file in UTF-8 (with or without a byte order mark), with a header line.

    A column is numeric only if every non-empty cell is a plain finite number in canonical form, so
    codes such as ``007`` stay text; ``NA``, ``NaN`` and ``1,5`` are text; only the empty cell is
    missing. A column of ISO dates (YYYY-MM-DD) becomes datetime64.

    Parameters
    ----------
    path : Path
        The file.

    Returns
    -------
    Dataset
        Without labels or formats, which CSV cannot carry.

    Raises
    ------
    DataError
        Not UTF-8, no header, duplicate or empty column names, a ragged line, or bad quoting.
    """
    content = path.read_bytes()
    lines = _lines(path, _decoded(path, content))
    names = _names(path, lines)
    rows = _rows(path, lines, len(names))
    columns = zip(*rows, strict=True) if rows else ((),) * len(names)
    cells = {name: typed(column) for name, column in zip(names, columns, strict=True)}
    return Dataset(
        name=path.stem,
        path=path,
        frame=pd.DataFrame(cells),
        labels={},
        label="",
        formats={},
        special_missing=None,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _decoded(path: Path, content: bytes) -> str:
    """Return the text of the file."""
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = content.count(b"\n", 0, fault.start) + 1
        byte = content[fault.start]
        message = f"{path}: line {line}: byte 0x{byte:02X} is not UTF-8"
        raise DataError(
            f"{message}. Save the file as UTF-8 (CSV UTF-8 in a spreadsheet)."
        ) from None


def _lines(path: Path, text: str) -> list[tuple[int, list[str]]]:
    """Return the records with the number of the line each ends on."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        return [(reader.line_num, cells) for cells in reader]
    except csv.Error as fault:
        message = f"{path}: line {reader.line_num}: {fault}"
        raise DataError(
            f'{message}. Quote a cell with " at both ends, a quote in it as "".'
        ) from None


def _names(path: Path, lines: list[tuple[int, list[str]]]) -> list[str]:
    """Return the header's column names, each given and each once."""
    if not lines or not lines[0][1]:
        raise DataError(f"{path}: expected a header line with the column names, found none.")
    names = lines[0][1]
    if "" in names:
        message = f"{path}: line 1: column {names.index('') + 1} of the header has no name"
        raise DataError(f"{message}. Name it, or delete the column.")
    if doubles := [name for name, count in Counter(names).items() if count > 1]:
        message = f"{path}: line 1: column names used more than once: {', '.join(doubles)}"
        raise DataError(f"{message}. Give each column a name of its own.")
    return names


def _rows(path: Path, lines: list[tuple[int, list[str]]], width: int) -> list[list[str]]:
    """Return the cells below the header; every line must have the header's width."""
    last = max((at for at, (_, cells) in enumerate(lines) if cells), default=0)
    body = lines[1:] if width == 1 else lines[1 : last + 1]
    rows = [cells or [""] if width == 1 else cells for _, cells in body]
    for (line, _), cells in zip(body, rows, strict=True):
        if len(cells) != width:
            message = f"{path}: line {line}: expected {width} cells as in the header"
            advice = "Quote cells that hold a comma or a line break, and look for a decimal comma."
            raise DataError(f"{message}, found {len(cells)}. {advice}")
    return rows
