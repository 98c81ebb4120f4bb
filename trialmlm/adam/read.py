"""Files in: find a data set in a folder and read it by its suffix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.adam.csv_file import read_csv
from trialmlm.adam.dataset_json import read_dataset_json, read_dataset_ndjson
from trialmlm.adam.xpt import read_xpt
from trialmlm.deferred import Deferred
from trialmlm.errors import DataError, NotAvailableError

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from trialmlm.adam.dataset import Dataset

#: suffix -> reader; libraries of an extra are loaded with the first file
READERS: dict[str, Callable[[Path], Dataset]] = {
    ".xpt": read_xpt,
    ".csv": read_csv,
    ".sas7bdat": Deferred("trialmlm.adam.sas7bdat", "read_sas7bdat", extra="sas"),
    ".parquet": Deferred("trialmlm.adam.parquet", "read_parquet", extra="parquet"),
    ".json": read_dataset_json,
    ".ndjson": read_dataset_ndjson,
}


def read_dataset(path: Path, rows: int | None = None, sha256: str | None = None) -> Dataset:
    """Read a data set, and hold it to what the protocol expects of it.

    Parameters
    ----------
    path : Path
        A file with one of the suffixes of `READERS`.
    rows : int, optional
        The number of records it must have.
    sha256 : str, optional
        The digest its bytes must have, in hexadecimal.

    Returns
    -------
    Dataset

    Raises
    ------
    DataError
        No such file, a damaged file, or an expectation that is not met.
    NotAvailableError
        A file type that this version does not read, or whose extra is not installed.
    """
    reader = _reader(path)
    if not path.is_file():
        raise DataError(f"{path}: no such file. Correct the folder or the data set's name.")
    dataset = reader(path)
    check_expected(dataset, rows, sha256)
    return dataset


def check_expected(dataset: Dataset, rows: int | None, sha256: str | None) -> None:
    """Hold a data set to the number of records and the digest that the protocol names.

    Raises
    ------
    DataError
        An expectation that is not met.
    """
    path = dataset.path
    if sha256 is not None and dataset.sha256 != sha256.lower():
        raise DataError(
            f"{path}: not the file the protocol names: its SHA-256 is {dataset.sha256}, "
            f"expected {sha256}. Restore the file, or amend the protocol."
        )
    if rows is not None and dataset.rows != rows:
        raise DataError(
            f"{path}: found {dataset.rows:,} records, the protocol expects {rows:,}. "
            "Restore the file, or amend the protocol."
        )


def find_dataset(folder: Path, name: str) -> Path:
    """Find the file of a data set by its name, whatever the case.

    Parameters
    ----------
    folder : Path
        Where the data sets lie.
    name : str
        The file's name without (or with) its suffix.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        No such folder, no such data set, or two files of that name.
    """
    if not folder.is_dir():
        raise DataError(f"{folder}: no such folder. Name the folder that holds the data sets.")
    wanted = name.casefold()
    files = sorted(file for file in folder.iterdir() if file.suffix.lower() in READERS)
    found = [file for file in files if wanted in (file.stem.casefold(), file.name.casefold())]
    if len(found) > 1:
        names = ", ".join(file.name for file in found)
        raise DataError(
            f"{folder}: {len(found)} files for the data set {name!r}: {names}. Keep one."
        )
    if not found:
        there = ", ".join(file.name for file in files) or "none"
        raise DataError(
            f"{folder}: no data set {name!r}. Data sets found: {there}. Suffixes read: "
            f"{', '.join(READERS)}. Correct the name in the protocol, or add the file."
        )
    return found[0]


def _reader(path: Path) -> Callable[[Path], Dataset]:
    """Return the reader for a file's suffix."""
    suffix = path.suffix.lower()
    if suffix in READERS:
        return READERS[suffix]
    message = f"{path}: this version does not read {suffix or 'files without a suffix'}"
    raise NotAvailableError(f"{message}; it reads {', '.join(READERS)}. Convert the file.")
