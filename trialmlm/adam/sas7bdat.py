"""SAS data sets (sas7bdat), read with pyreadstat (the extra ``sas``)."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyreadstat

from trialmlm.adam.dataset import Dataset
from trialmlm.adam.sas_dates import dates, is_dated
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


def read_sas7bdat(path: Path) -> Dataset:
    """Read a SAS data set.

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
        The file is damaged, or holds a value that is no date in a column of dates.
    """
    content = path.read_bytes()
    try:
        columns, about = pyreadstat.read_sas7bdat(
            path, disable_datetime_conversion=True, user_missing=True, output_format="dict"
        )
    except (pyreadstat.ReadstatError, pyreadstat.PyreadstatError, UnicodeDecodeError) as fault:
        message = f"{path}: found {fault}, expected a SAS data set"
        raise DataError(f"{message}. Copy the file again (in binary mode).") from None
    formats = {n: f for n, f in about.original_variable_types.items() if f and f != "NULL"}
    texts = {n for n, kind in about.readstat_variable_types.items() if kind == "string"}
    values = {
        name: _text(cells) if name in texts else _dated(path, name, formats.get(name, ""), cells)
        for name, cells in columns.items()
    }
    letters = {name: _letters(columns[name]) for name in about.missing_user_values}
    return Dataset(
        name=about.table_name or path.stem,
        path=path,
        frame=pd.DataFrame(values, index=pd.RangeIndex(about.number_rows)),
        labels={n: label for n, label in about.column_names_to_labels.items() if label},
        label=about.file_label or "",
        formats=formats,
        special_missing=pd.DataFrame(letters) if letters else None,
        sha256=hashlib.sha256(content).hexdigest(),
    )


def _text(cells: Any) -> NDArray[np.object_]:
    return np.array([_blank(cell) for cell in cells], dtype=object)


def _blank(cell: Any) -> str:
    return cell.rstrip(" \0") if isinstance(cell, str) else ""


def _dated(path: Path, name: str, sas_format: str, cells: Any) -> NDArray[Any]:
    """Numbers, or the dates that they are by their format."""
    numbers = _number(cells)
    return dates(path, name, sas_format, numbers) if is_dated(sas_format) else numbers


def _number(cells: Any) -> NDArray[np.float64]:
    """Numbers; a special missing value comes as its letter."""
    return np.array(
        [np.nan if cell is None or isinstance(cell, str) else cell for cell in cells],
        dtype=np.float64,
    )


def _letters(cells: Any) -> NDArray[np.object_]:
    return np.array([cell if isinstance(cell, str) else "" for cell in cells], dtype=object)
