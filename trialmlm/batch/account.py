"""Which subjects and records an analysis uses, and which it does not: said in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.adam.cells import as_text
from trialmlm.adam.populations import OUTSIDE
from trialmlm.adam.steps import Exclusion, counted
from trialmlm.errors import FitError
from trialmlm.formula.frame import model_frame
from trialmlm.formula.grammar import read_formula
from trialmlm.protocol.methods import RankAncova

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from trialmlm.batch.inputs import Inputs
    from trialmlm.batch.task import Task

#: subjects not analysed that a line names
NAMED = 6


def described_subjects(inputs: Inputs) -> Iterator[str]:
    """Lines: the subjects read and meant, and the pooling of the sites, if one is made."""
    role = inputs.protocol.data.subjects
    read, meant = inputs.dataset(role), inputs.subjects
    told = f", {meant.rows:,} meant ({role.where})" if role.where else ""
    yield f"subjects: {read}: {read.rows:,} read{told}"
    pooling = inputs.pooling
    if pooling is not None:
        yield f"sites: {pooling}"
        yield from (f"  {line}" for line in pooling.frame().to_string(index=False).splitlines())


def described_records(task: Task) -> Iterator[str]:
    """Lines: what each step kept, who is not analysed and why, what the model is fitted to."""
    yield from map(str, task.records.account.steps)
    try:
        used = used_rows(task)
        yield from _described_exclusions(excluded(task))
        yield _described_rows(task, used)
    except FitError as error:
        yield f"the model cannot be fitted: {error}"
    yield from (f"note: {note}" for note in task.records.notes)


def used_rows(task: Task) -> pd.DataFrame:
    """The records that the model is fitted to: complete in its variables, at its visit if of one.

    Raises
    ------
    FitError
        If the data lack a variable of the model, or no record is complete.
    """
    frame = _at_visit(task)
    return frame.iloc[model_frame(frame, sorted(_variables(task))).rows]


def excluded(task: Task) -> tuple[Exclusion, ...]:
    """Every subject meant who is in no record that the model is fitted to, and why.

    The arm is the protocol's key; where it has none, what the data hold.

    Raises
    ------
    FitError
        As `used_rows`.
    """
    column = task.protocol.data.subjects.subject
    frame = task.records.frame
    used = set(as_text(used_rows(task)[column]))
    there = frame.assign(**{column: as_text(frame[column])}).drop_duplicates(column)
    unused = there[~there[column].isin(used)]
    arms = as_text(unused[task.protocol.data.subjects.arm])
    reasons = _reasons(task)
    late = (
        Exclusion(subject, arm, reasons.get(subject, f"no value at {_asked(task)}"))
        for subject, arm in zip(unused[column], arms, strict=True)
    )
    keys = {arm.value: key for key, arm in task.protocol.arms.items()}
    early = (e for e in task.records.exclusions if e.subject not in used)
    found = sorted((*early, *late), key=lambda exclusion: exclusion.subject)
    return tuple(Exclusion(e.subject, keys.get(e.arm, e.arm), e.reason) for e in found)


def _asked(task: Task) -> str:
    """The visit at which the analysis needs a value."""
    rows = task.analysis.rows
    asked = rows.observed_at if rows is not None else None
    return asked or task.analysis.at or "any visit"


def _at_visit(task: Task) -> pd.DataFrame:
    """The records of the analysis: of one visit where the model is of one."""
    frame = task.frame
    at = task.analysed_at if task.method == "RANK" else task.analysis.at
    if task.method not in {"ANCOVA", "RANK"} or not at:
        return frame
    return frame[frame["AVISIT"].astype(str) == at]


def _variables(task: Task) -> frozenset[str]:
    if isinstance(task.analysis.method, RankAncova):
        return frozenset(task.analysis.method.rank_ancova)
    read = read_formula(task.analysis.model or "")
    return frozenset(read.fixed_variables if task.imputes else read.variables)


def _reasons(task: Task) -> dict[str, str]:
    """What the records of each subject lack for the model."""
    frame = _at_visit(task)
    subject = as_text(frame[task.protocol.data.subjects.subject])
    lacking: dict[str, list[str]] = {}
    for name in sorted(_variables(task)):
        for key in subject[frame[name].isna()].unique():
            lacking.setdefault(key, []).append(name)
    return {key: f"the model needs {', '.join(names)}" for key, names in lacking.items()}


def _described_exclusions(exclusions: tuple[Exclusion, ...]) -> Iterator[str]:
    """One line for each reason; subjects of the population are named."""
    by_reason: dict[str, list[str]] = {}
    for exclusion in exclusions:
        named = f"{exclusion.subject} in {exclusion.arm}"
        by_reason.setdefault(exclusion.reason, []).append(named)
    for reason, subjects in by_reason.items():
        names = "" if reason.startswith(OUTSIDE) else f" ({_first(subjects)})"
        yield f"{counted(len(subjects), 'subject')} not analysed: {reason}{names}"


def _first(subjects: list[str]) -> str:
    """The first few; results.json names all of them."""
    more = len(subjects) - NAMED
    return ", ".join(subjects[:NAMED]) + (f", … and {more:,} more" if more > 0 else "")


def _described_rows(task: Task, used: pd.DataFrame) -> str:
    """Records and subjects that the model is fitted to, by arm."""
    roles = task.protocol.data.subjects
    subjects = used.drop_duplicates(roles.subject)
    arm = as_text(subjects[roles.arm])
    by_arm = ", ".join(
        f"{held.name} {int((arm == held.value).sum()):,}"
        for held in task.protocol.ordered_arms.values()
    )
    records = f"{len(used):,} of {counted(len(_at_visit(task)), 'record')}"
    return f"for the model: {records}, {counted(len(subjects), 'subject')} ({by_arm})"
