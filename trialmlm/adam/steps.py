"""The record account: how many records and subjects each step of the selection left."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from numpy.typing import ArrayLike


@dataclass(frozen=True, slots=True)
class Step:
    """One step: the records and subjects that came in, and those that it left."""

    name: str
    records_in: int
    subjects_in: int
    records: int
    subjects: int
    note: str = ""

    @property
    def dropped(self) -> int:
        """Records that it did not keep."""
        return self.records_in - self.records

    @property
    def lost(self) -> int:
        """Subjects of whom it kept no record."""
        return self.subjects_in - self.subjects

    def __str__(self) -> str:
        kept = f"{counted(self.records, 'record')} of {counted(self.subjects, 'subject')}"
        lost = f", {counted(self.lost, 'subject')} lost" if self.lost else ""
        dropped = f", {counted(self.dropped, 'record')} dropped{lost}" if self.dropped else ""
        return f"{self.name}: {kept}{dropped}" + (f" [{self.note}]" if self.note else "")


def counted(number: int, noun: str) -> str:
    """A number with its noun: ``1 record``, ``1,040 records``."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


@dataclass(frozen=True, slots=True)
class Exclusion:
    """A subject who is not analysed, and why."""

    subject: str
    arm: str
    reason: str


@dataclass(frozen=True, slots=True)
class Account:
    """The steps of a selection, in order; printed as lines, or given as a frame."""

    steps: tuple[Step, ...] = ()

    def keep(
        self, name: str, before: pd.DataFrame, after: pd.DataFrame, subject: str, note: str = ""
    ) -> Account:
        """Return the account with one more step, counted from the records before and after it.

        Parameters
        ----------
        name : str
            What the step keeps.
        before, after : DataFrame
            The records that come in, and those that are left.
        subject : str
            The column that names the subject.
        note : str
            What a reviewer should know.
        """
        came, stayed = (int(frame[subject].nunique()) for frame in (before, after))
        return Account((*self.steps, Step(name, len(before), came, len(after), stayed, note)))

    def frame(self) -> pd.DataFrame:
        """One row per step: step, records_in, records, dropped, subjects, note."""
        rows = [
            (s.name, s.records_in, s.records, s.dropped, s.subjects, s.note) for s in self.steps
        ]
        columns = ["step", "records_in", "records", "dropped", "subjects", "note"]
        return pd.DataFrame(rows, columns=pd.Index(columns))

    def __str__(self) -> str:
        return "\n-> ".join(map(str, self.steps))


@dataclass(frozen=True, slots=True, eq=False)
class Records:
    """Records under selection with their account: rows leave only through `keep`.

    Attributes
    ----------
    frame : DataFrame
        One row per record; the column ``subject`` names the subject.
    account : Account
        The steps so far.
    """

    frame: pd.DataFrame
    account: Account = Account()

    @classmethod
    def read(cls, frame: pd.DataFrame, dataset: str = "") -> Records:
        """Open the account with the records as they were read from a data set."""
        name = f"read from {dataset}" if dataset else "read"
        return cls(frame, Account().keep(name, frame, frame, "subject"))

    def keep(self, name: str, mask: ArrayLike, note: str = "") -> Records:
        """Return the records where `mask` (bool, one per record) holds, the step counted."""
        after = self.frame[np.asarray(mask, dtype=bool)]
        return Records(after, self.account.keep(name, self.frame, after, "subject", note))

    def with_columns(self, **columns: Any) -> Records:
        """Return the same records with columns added or replaced."""
        return replace(self, frame=self.frame.assign(**columns))
