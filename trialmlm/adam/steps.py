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
    """One step: the records that came in, and the records and subjects that it left."""

    name: str
    records_in: int
    records: int
    subjects: int
    note: str = ""

    def __str__(self) -> str:
        dropped = self.records_in - self.records
        text = f"{self.name}: {self.records:,} ({self.subjects:,} subjects)"
        text += f", {dropped:,} dropped" if dropped else ""
        return f"{text} [{self.note}]" if self.note else text


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
        step = Step(name, len(before), len(after), int(after[subject].nunique()), note)
        return Account((*self.steps, step))

    def frame(self) -> pd.DataFrame:
        """One row per step: step, records_in, records, dropped, subjects, note."""
        rows = [
            (s.name, s.records_in, s.records, s.records_in - s.records, s.subjects, s.note)
            for s in self.steps
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
    def read(cls, frame: pd.DataFrame, note: str = "") -> Records:
        """Open the account with the records as they were read."""
        return cls(frame, Account().keep("records read", frame, frame, "subject", note))

    def keep(self, name: str, mask: ArrayLike, note: str = "") -> Records:
        """Return the records where `mask` (bool, one per record) holds, the step counted."""
        after = self.frame[np.asarray(mask, dtype=bool)]
        return Records(after, self.account.keep(name, self.frame, after, "subject", note))

    def with_columns(self, **columns: Any) -> Records:
        """Return the same records with columns added or replaced."""
        return replace(self, frame=self.frame.assign(**columns))
