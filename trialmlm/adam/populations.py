"""Populations: which subjects a where-clause over the subject data set keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from trialmlm.adam.dataset import Dataset


class Where(Protocol):
    """A where-clause as the expression reader gives it."""

    @property
    def text(self) -> str:
        """The clause as it was written."""

    def mask(self, frame: pd.DataFrame, dataset: str, /) -> NDArray[np.bool_]:
        """Rows of the frame that satisfy the clause, shape (n,); `dataset` is for messages."""


def members(subjects: Dataset, where: Where | None) -> NDArray[np.bool_]:
    """Subjects of a population.

    Parameters
    ----------
    subjects : Dataset
        One row per subject.
    where : Where or None
        The population's clause; None: every subject.

    Returns
    -------
    ndarray of bool, shape (n,)

    Raises
    ------
    DataError
        The population is empty.
    """
    if where is None:
        mask = np.ones(subjects.rows, dtype=bool)
    else:
        mask = np.asarray(where.mask(subjects.frame, subjects.name), dtype=bool)
    if not mask.any():
        clause = where.text if where else "every subject"
        raise DataError(
            f"{subjects}: the population is empty: none of {subjects.rows:,} subjects satisfies "
            f"{clause}. Look at the flag's values in the data (Y, N or blank)."
        )
    return mask
