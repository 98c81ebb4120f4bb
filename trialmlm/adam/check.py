"""Checks of the selected records: all of them run, and one error carries every listing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.adam.cells import as_numbers, as_text
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trialmlm.adam.dataset import Dataset
    from trialmlm.adam.roles import SubjectRoles


def run_all(*checks: Callable[[], Any]) -> tuple[Any, ...]:
    """Run every check; raise what they found as one error.

    Parameters
    ----------
    *checks : callable
        Each raises DataError if it finds something.

    Returns
    -------
    tuple
        What the checks returned, in order.

    Raises
    ------
    DataError
        The only fault as it is, or all messages with their listings.
    """
    results, faults = [], []
    for check in checks:
        try:
            results.append(check())
        except DataError as fault:
            faults.append(fault)
    if len(faults) == 1:
        raise faults[0]
    if faults:
        listings = "\n\n".join(f"({n}) {fault}" for n, fault in enumerate(faults, start=1))
        raise DataError(f"{len(faults)} faults of the data:\n\n{listings}")
    return tuple(results)


def check_one_row_each(dataset: Dataset, roles: SubjectRoles) -> None:
    """Check that the subject data set has one row per subject, and no blank subject.

    Raises
    ------
    DataError
        With the rows of the subjects that are repeated or blank.
    """
    subjects = as_text(dataset.frame[roles.subject])
    mapped = list(dict.fromkeys(roles.columns().values()))
    repeated = subjects.duplicated(keep=False) | (subjects == "")
    if repeated.any():
        raise DataError(
            f"{dataset}: expected one row per subject, found subjects in {roles.subject} that are "
            "blank or repeated. Keep one row for each:",
            dataset.frame.loc[repeated, mapped].sort_values(roles.subject, kind="stable"),
        )


def check_known_subjects(records: pd.DataFrame, known: Sequence[str] | pd.Index[str]) -> None:
    """Check that the subjects of the records are in the subject data set.

    Raises
    ------
    DataError
        With the subjects that are not, and how many records each has.
    """
    strange = records.loc[~records["subject"].isin(known), "subject"]
    if not strange.empty:
        listing = (
            strange.value_counts(sort=False).rename_axis("subject").reset_index(name="records")
        )
        message = f"{len(listing)} subject(s) with records are not in the subject data set"
        raise DataError(f"{message}. Add them, or correct the subject's identifier:", listing)


def check_values(dataset: Dataset, rows: pd.DataFrame, value: str) -> None:
    """Check that the values are finite numbers or missing.

    Parameters
    ----------
    dataset : Dataset
        For the message.
    rows : DataFrame
        The selected rows, as they stand in the data.
    value : str
        The column of the value.

    Raises
    ------
    DataError
        With the rows whose value is a text or infinite; the message lists the texts.
    """
    numbers, bad = as_numbers(rows[value])
    run_all(
        lambda: _check_texts(dataset, rows.loc[bad], value),
        lambda: _check_finite(dataset, rows.loc[np.isinf(numbers)], value),
    )


def _check_texts(dataset: Dataset, bad: pd.DataFrame, value: str) -> None:
    if not bad.empty:
        texts = ", ".join(map(repr, sorted(set(as_text(bad[value])))[:10]))
        raise DataError(
            f"{dataset}: {len(bad)} text(s) in column {value}: {texts}; expected numbers. "
            "A missing value is an empty cell, a decimal sign is a point:",
            bad,
        )


def _check_finite(dataset: Dataset, bad: pd.DataFrame, value: str) -> None:
    if not bad.empty:
        message = f"{dataset}: {len(bad)} infinite value(s) in {value}, expected finite numbers"
        raise DataError(f"{message}. Correct the data:", bad)


def check_dates(dataset: Dataset, column: str) -> None:
    """Check that a column holds dates.

    Raises
    ------
    DataError
        With the rows whose cell is not a date.
    """
    cells = dataset.frame[column]
    if pd.api.types.is_datetime64_any_dtype(cells):
        return
    if pd.api.types.is_numeric_dtype(cells):
        advice = "Give it a SAS date format such as DATE9., or dates as YYYY-MM-DD"
        raise DataError(f"{dataset}: column {column} holds numbers, expected dates. {advice}.")
    texts = as_text(cells)
    bad = (texts != "") & pd.to_datetime(texts, format="%Y-%m-%d", errors="coerce").isna()
    if bad.any():
        message = f"{dataset}: {int(bad.sum())} cell(s) of {column} are no dates"
        advice = "Complete a partial date, with its imputation flag beside it"
        raise DataError(f"{message}, expected YYYY-MM-DD. {advice}:", dataset.frame.loc[bad])


def check_one_record(records: pd.DataFrame) -> None:
    """Check that each subject and visit has one record.

    Raises
    ------
    DataError
        With the rows of the subjects and visits that have several.
    """
    several = records[records.duplicated(["subject", "visit"], keep=False)]
    if not several.empty:
        raise DataError(
            "several records for one subject and visit, expected one. Name the analysis flag, or "
            "let the windows choose (values: derived):",
            several.sort_values(["subject", "visit"], kind="stable"),
        )
