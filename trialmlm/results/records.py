"""The records behind an analysis: what figures and listings show of the subjects."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class Record:
    """One subject at one visit in one analysis.

    Attributes
    ----------
    analysis : str
        Name of the analysis.
    subject : str
    arm : str
        Key of the arm.
    visit : str
        Name of the visit; ``""`` where the model uses actual times only.
    time : float
        Actual time since day 1 in the schedule's unit (years), or the visit's target day in that
        unit; NaN where unknown.
    observed : float
        The response; NaN where it is missing or imputed.
    fitted : float
        The fixed part of the model, Xβ̂.
    predicted : float
        The fixed part and the subject's random effects; equal to `fitted` without them.
    residual : float
        Normalized residual.
    derivation : str
        How the value came about, such as ``LOCF``; ``""`` where it was observed.
    """

    analysis: str
    subject: str
    arm: str
    visit: str
    time: float
    observed: float
    fitted: float
    predicted: float
    residual: float
    derivation: str = ""


#: the columns, in order
RECORD_COLUMNS = tuple(field.name for field in fields(Record))


def records_frame(records: Iterable[Record]) -> pd.DataFrame:
    """One row per record."""
    rows = [[getattr(record, name) for name in RECORD_COLUMNS] for record in records]
    return pd.DataFrame(rows, columns=pd.Index(RECORD_COLUMNS))


def records_csv(records: Iterable[Record]) -> str:
    """The records as CSV, numbers in their shortest form that reads back equal; NaN is empty."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(RECORD_COLUMNS)
    for record in records:
        cells = (getattr(record, name) for name in RECORD_COLUMNS)
        writer.writerow(["" if cell != cell else cell for cell in cells])
    return out.getvalue()
