"""One data set as it was read: values, labels, and where they came from."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Dataset:
    """A data set in memory.

    Attributes
    ----------
    name : str
        Its name: the member name of a transport file, the stem of a CSV file.
    path : Path
        The file it was read from.
    frame : DataFrame
        One row per record, index 0 … n-1. Text columns hold ``''``, never NaN, where blank.
    labels : mapping of str to str
        Column -> label; columns without a label are left out.
    label : str
        The label of the data set, or ``''``.
    formats : mapping of str to str
        Column -> SAS format such as ``DATE9``; columns without a format are left out.
    special_missing : DataFrame or None
        Letters of SAS special missing values (``_``, ``A`` … ``Z``; ``''`` elsewhere, and where the
        value is the ordinary missing ``.``), only the columns that have any.
    sha256 : str
        Digest of the file's bytes, in hexadecimal.
    notes : tuple of str
        What a reviewer should know of the reading, such as a guessed encoding.
    """

    name: str
    path: Path
    frame: pd.DataFrame
    labels: Mapping[str, str]
    label: str
    formats: Mapping[str, str]
    special_missing: pd.DataFrame | None
    sha256: str
    notes: tuple[str, ...] = ()

    @property
    def rows(self) -> int:
        """Number of records."""
        return len(self.frame)

    def keep(self, mask: NDArray[np.bool_]) -> Dataset:
        """The same data set with some of its rows, numbered anew; the file is the whole one."""
        letters = self.special_missing
        return replace(
            self,
            frame=self.frame[mask].reset_index(drop=True),
            special_missing=None if letters is None else letters[mask].reset_index(drop=True),
        )

    def __str__(self) -> str:
        return f"{self.name} ({self.path.name})"
