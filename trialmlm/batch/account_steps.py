"""Steps of the record account that an analysis takes after its analysis set is made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.adam.steps import Account, Step

if TYPE_CHECKING:
    import pandas as pd

    from trialmlm.adam.analysis_set import AnalysisSet


def counted_step(found: AnalysisSet, name: str, after: pd.DataFrame, subject: str) -> AnalysisSet:
    """The analysis set with one more step in its account, counted from what is left.

    Parameters
    ----------
    found : AnalysisSet
    name : str
        What the step keeps or adds.
    after : DataFrame
        The records after it.
    subject : str
        The column that names the subject.
    """
    last = found.account.steps[-1]
    subjects = int(after[subject].nunique())
    added = len(after) - last.records
    note = f"{added:,} added" if added > 0 else ""
    step = Step(
        name,
        records_in=max(last.records, len(after)),
        subjects_in=max(last.subjects, subjects),
        records=len(after),
        subjects=subjects,
        note=note,
    )
    return replace(found, account=Account((*found.account.steps, step)))
