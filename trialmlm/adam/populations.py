"""Populations: which subjects a where-clause over the subject data set keeps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.adam.cells import as_text
from trialmlm.adam.roles import check_columns
from trialmlm.errors import DataError

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from trialmlm.adam.dataset import Dataset


#: how the reason of a subject who is not in the population begins
OUTSIDE = "not in the population"


class Where(Protocol):
    """A where-clause as the expression reader gives it."""

    @property
    def text(self) -> str:
        """The clause as it was written."""

    def mask(self, frame: pd.DataFrame, dataset: str, /) -> NDArray[np.bool_]:
        """Rows of the frame that satisfy the clause, shape (n,); `dataset` is for messages."""


@dataclass(frozen=True, slots=True, eq=False)
class HavingRows:
    """Of the subjects: who has at least one row of another data set that satisfies a clause.

    Attributes
    ----------
    where : Where
        The clause over the other data set.
    rows : Dataset
        The other data set.
    rows_subject : str
        Its column of the subject.
    subject : str
        The column of the subject in the subject data set.
    """

    where: Where
    rows: Dataset
    rows_subject: str
    subject: str

    @property
    def text(self) -> str:
        """The clause, and the data set it is asked of."""
        return f"a row of {self.rows.name} with {self.where.text}"

    def mask(self, frame: pd.DataFrame, dataset: str, /) -> NDArray[np.bool_]:
        """Rows of the subject data set, shape (n,), whose subject has such a row.

        Raises
        ------
        DataError
            The other data set has no column of the subject.
        """
        del dataset  # messages name the data set that is asked
        check_columns(self.rows, {"subject": self.rows_subject})
        satisfied = self.where.mask(self.rows.frame, self.rows.name)
        having = as_text(self.rows.frame.loc[satisfied, self.rows_subject])
        found: NDArray[np.bool_] = as_text(frame[self.subject]).isin(having).to_numpy(dtype=bool)
        return found


def meant(subjects: Dataset, where: Where | None) -> Dataset:
    """The subject data set with the rows that are meant at all.

    Raises
    ------
    DataError
        There are none.
    """
    return (
        subjects
        if where is None
        else subjects.keep(_satisfying(subjects, where, "the set of subjects meant"))
    )


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
    if where is None and subjects.rows:
        return np.ones(subjects.rows, dtype=bool)
    return _satisfying(subjects, where, "the population")


def _satisfying(subjects: Dataset, where: Where | None, what: str) -> NDArray[np.bool_]:
    """Mark the subjects who satisfy a clause, at least one."""
    clause = where.text if where else "every subject"
    mask = np.zeros(0, dtype=bool) if where is None else where.mask(subjects.frame, subjects.name)
    if not mask.any():
        raise DataError(
            f"{subjects}: {what} is empty: none of {subjects.rows:,} subjects satisfies {clause}. "
            "Look at the values in the data (a flag is Y, N or blank), or correct the clause."
        )
    return np.asarray(mask, dtype=bool)
