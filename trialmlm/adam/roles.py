"""Roles: which column of a data set holds the subject, the arm, the value, the visit."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from difflib import get_close_matches
from typing import TYPE_CHECKING

from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from trialmlm.adam.dataset import Dataset


@dataclass(frozen=True, slots=True)
class SubjectRoles:
    """The columns of the subject data set (ADSL): one row per subject.

    Attributes
    ----------
    dataset : str
        Its name.
    subject, arm : str
        The columns that identify the subject and the arm.
    site : str or None
        The site.
    dates : mapping of str to str
        Named dates, such as ``{"first_dose": "TRTSDT"}``.
    """

    dataset: str
    subject: str
    arm: str
    site: str | None = None
    dates: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, str]:
        """Role -> column, of the roles that are mapped."""
        named = {"subject": self.subject, "arm": self.arm, "site": self.site, **self.dates}
        return {role: column for role, column in named.items() if column is not None}


@dataclass(frozen=True, slots=True)
class RecordRoles:
    """The columns of a record data set (ADaM BDS): one row per subject, parameter and visit.

    Attributes
    ----------
    dataset : str
        Its name.
    subject, value : str
        The subject, and the value that is analysed.
    parameter, parameter_value : str or None
        The column of the parameter, and its value to keep; both or neither.
    date, date_flag : str or None
        The date; and the flag of an imputed date (default: `date` + ``F`` where there is one).
    study_day : str or None
        The day, used where there is no date.
    visit, visit_number : str or None
        The analysis visit as the data set has it.
    base, change, baseline_flag : str or None
        Baseline, change from baseline, and the flag of the baseline record.
    derivation : str or None
        How a record was derived, blank where it was observed (default: ``DTYPE`` where there is
        one, for such rows repeat a visit).
    analysis_flag : str or None
        The flag of the records that the data set's author chose.
    """

    dataset: str
    subject: str
    value: str
    parameter: str | None = None
    parameter_value: str | None = None
    date: str | None = None
    date_flag: str | None = None
    study_day: str | None = None
    visit: str | None = None
    visit_number: str | None = None
    base: str | None = None
    change: str | None = None
    baseline_flag: str | None = None
    derivation: str | None = None
    analysis_flag: str | None = None

    def columns(self) -> dict[str, str]:
        """Role -> column, of the roles that are mapped."""
        other = ("dataset", "parameter_value")
        return {role: c for role, c in asdict(self).items() if c is not None and role not in other}

    def derivation_in(self, columns: Iterable[str]) -> str | None:
        """Return the column that says how a record was derived, mapped or by its ADaM name."""
        return self.derivation or ("DTYPE" if "DTYPE" in columns else None)

    def date_flag_in(self, columns: Iterable[str]) -> str | None:
        """Return the column that flags an imputed date, mapped or by its ADaM name."""
        return self.date_flag or (f"{self.date}F" if f"{self.date}F" in columns else None)


def check_columns(dataset: Dataset, columns: Mapping[str, str]) -> None:
    """Check that a data set has the columns that the roles name.

    Parameters
    ----------
    dataset : Dataset
    columns : mapping of str to str
        Role -> column.

    Raises
    ------
    DataError
        Columns that are not there, each with the nearest name that is.
    """
    there = {str(name) for name in dataset.frame.columns}
    absent = {role: column for role, column in columns.items() if column not in there}
    if absent:
        faults = [_absent(role, column, there) for role, column in absent.items()]
        message = f"{dataset.name} ({dataset.path}) lacks {len(faults)} mapped column(s)"
        raise DataError("\n    ".join([f"{message}; correct the roles in the protocol:", *faults]))


def _absent(role: str, column: str, there: set[str]) -> str:
    """Say which column is absent, and which might be meant."""
    by_upper = {name.upper(): name for name in sorted(there)}
    near = get_close_matches(column.upper(), by_upper, n=1)
    hint = f"did you mean {by_upper[near[0]]!r}?" if near else f"columns: {', '.join(by_upper)}"
    return f"{role}: no column {column!r}; {hint}"
