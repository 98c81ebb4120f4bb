"""From two data sets to the records of one parameter and one population."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.adam.cells import as_dates, as_numbers, as_text
from trialmlm.adam.steps import Records
from trialmlm.adam.windows import study_day
from trialmlm.errors import DataError

if TYPE_CHECKING:
    from trialmlm.adam.dataset import Dataset
    from trialmlm.adam.spec import AnalysisSetSpec


def people(subjects: Dataset, spec: AnalysisSetSpec) -> pd.DataFrame:
    """Every subject of the subject data set: subject, arm (as text) and day_1; same index."""
    roles, frame = spec.subjects, subjects.frame
    return pd.DataFrame({
        "subject": as_text(frame[roles.subject]),
        "arm": as_text(frame[roles.arm]),
        "day_1": _dates(frame, roles.dates[spec.day_1] if spec.day_1 else None),
    })  # fmt: skip


def of_endpoint(dataset: Dataset, everyone: pd.DataFrame, spec: AnalysisSetSpec) -> Records:
    """Select the records of the parameter and of the where-clause.

    Parameters
    ----------
    dataset : Dataset
        The record data set.
    everyone : DataFrame
        `people` of the subject data set.
    spec : AnalysisSetSpec

    Returns
    -------
    Records
        Under the field's words; the index is that of the data set's frame.

    Raises
    ------
    DataError
        No record has the parameter.
    """
    opened = Records.read(_working(dataset, everyone, spec), dataset.name)
    return _of_where(_of_parameter(opened, dataset, spec), dataset, spec)


def of_subjects(records: Records, meant: pd.Series[str], spec: AnalysisSetSpec) -> Records:
    """Select the records of the subjects who are meant at all; no step where all are."""
    if spec.subjects_where is None:
        return records
    return records.keep(
        f"subjects meant {spec.subjects_where.text}", records.frame["subject"].isin(meant)
    )


def of_population(records: Records, population: pd.DataFrame, spec: AnalysisSetSpec) -> Records:
    """Select the records of the population's subjects."""
    label = spec.population.text if spec.population else "every subject"
    member = records.frame["subject"].isin(population["subject"])
    return records.keep(f"population {label}", member)


def with_value(records: Records, spec: AnalysisSetSpec) -> Records:
    """Select the records that were observed, or derived as the protocol names, with a value."""
    observed = _observed(records, spec)
    return observed.keep("with a value", observed.frame["value"].notna())


def check_left(dataset: Dataset, records: Records) -> None:
    """Refuse an empty selection, showing the account.

    Raises
    ------
    DataError
        No record is left.
    """
    if records.frame.empty:
        raise DataError(
            f"{dataset}: no record is left. Look at the step that dropped the last ones:\n"
            f"{records.account}"
        )


def _working(dataset: Dataset, everyone: pd.DataFrame, spec: AnalysisSetSpec) -> pd.DataFrame:
    """Return the records under the field's words, one row per row of the data set."""
    roles, frame, unscheduled = spec.records, dataset.frame, spec.in_window.unscheduled_where
    subject = as_text(frame[roles.subject])
    known = everyone.drop_duplicates("subject").set_index("subject")
    date = _dates(frame, roles.date)
    day_1 = as_dates(subject.map(known["day_1"])) if len(known) else _dates(frame, None)
    flagged = _texts(frame, roles.date_flag_in(frame.columns))
    return pd.DataFrame({
        "subject": subject,
        "arm": subject.map(known["arm"]),
        "date": date,
        "day": study_day(date, day_1).fillna(_numbers(frame, roles.study_day)),
        "own_visit": _texts(frame, roles.visit),
        "own_number": _numbers(frame, roles.visit_number),
        "value": _numbers(frame, roles.value),
        "base": _numbers(frame, roles.base),
        "change": _numbers(frame, roles.change),
        "flag": _texts(frame, roles.baseline_flag),
        "analysis_flag": _texts(frame, roles.analysis_flag),
        "derivation": _texts(frame, roles.derivation_in(frame.columns)),
        "imputed": (flagged != "") & date.notna(),
        "unscheduled": unscheduled is not None and unscheduled.mask(frame, dataset.name),
    })  # fmt: skip


def _texts(frame: pd.DataFrame, column: str | None) -> pd.Series[str]:
    """Return a column as comparable text; blanks where no column is mapped."""
    if column is None:
        return pd.Series("", index=frame.index, dtype=object)
    return as_text(frame[column])


def _numbers(frame: pd.DataFrame, column: str | None) -> pd.Series[float]:
    """Return a column as numbers; NaN where no column is mapped, or the cell is text."""
    values = np.full(len(frame), np.nan) if column is None else as_numbers(frame[column])[0]
    return pd.Series(values, index=frame.index)


def _dates(frame: pd.DataFrame, column: str | None) -> pd.Series[Any]:
    """Return a column as days; NaT where no column is mapped."""
    if column is None:
        return pd.Series(np.datetime64("NaT", "us"), index=frame.index)
    days: pd.Series[Any] = as_dates(frame[column]).dt.normalize()
    return days


def _of_parameter(records: Records, dataset: Dataset, spec: AnalysisSetSpec) -> Records:
    """Keep the records of the parameter."""
    roles = spec.records
    if roles.parameter is None or roles.parameter_value is None:
        return records
    values = as_text(dataset.frame[roles.parameter])
    mask = values == roles.parameter_value.strip()
    if not mask.any():
        there = ", ".join(map(repr, sorted(values.unique())[:20]))
        message = f"{dataset}: no record with {roles.parameter} {roles.parameter_value!r}"
        raise DataError(f"{message}; found {there}. Correct the endpoint's parameter.")
    return records.keep(f"parameter {roles.parameter} == {roles.parameter_value!r}", mask)


def _of_where(records: Records, dataset: Dataset, spec: AnalysisSetSpec) -> Records:
    """Keep the records of the where-clause, which is asked over the whole data set."""
    if spec.where is None:
        return records
    mask = pd.Series(spec.where.mask(dataset.frame, dataset.name), index=dataset.frame.index)
    return records.keep(f"where {spec.where.text}", mask.loc[records.frame.index])


def _observed(records: Records, spec: AnalysisSetSpec) -> Records:
    """Keep observed records, and the derived ones that the protocol names."""
    derivation = records.frame["derivation"]
    derived = derivation != ""
    kept = derivation.isin(spec.derived_records)
    parts = [
        f"{name} {n:,} {what}"
        for what, mask in (("kept", kept), ("dropped", derived & ~kept))
        for name, n in derivation[mask].value_counts().items()
    ]
    name = "observed"
    if spec.derived_records:
        name += f", or derived in the data as {', '.join(spec.derived_records)}"
    return records.keep(name, ~derived | kept, ", ".join(parts))
