"""Estimates of a fitted model as statistics, and the record of how it was made."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trialmlm.batch.account import excluded
from trialmlm.batch.context import NOT_DETERMINED, Context, reason, rows_by
from trialmlm.batch.specification import assumption_in_short, specification_of
from trialmlm.formula.factor import level_text
from trialmlm.results.analysis import AnalysisRecord

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import pandas as pd

    from trialmlm.arrays import IntArray
    from trialmlm.batch.context import Counts
    from trialmlm.batch.task import Task
    from trialmlm.models.fitted import FittedModel
    from trialmlm.models.lmm_fit import LmmFit
    from trialmlm.models.ls_means import LsMeans
    from trialmlm.models.mmrm import MmrmFit
    from trialmlm.results.statistic import Statistic


def means_of(
    context: Context,
    means: LsMeans,
    by: tuple[str, ...],
    visits: tuple[str, ...],
    counts: Counts,
    quantity: str = "ls-mean",
) -> Iterator[Statistic]:
    """LS means, or slopes, of every arm at every visit given."""
    found = rows_by(means.frame, (*by, context.arm_column))
    for visit in visits:
        for key, arm in context.arms.items():
            at = (visit, arm.value) if by else (arm.value,)
            why = reason(counts, (key,), visit)
            yield from context.estimates(quantity, found.get(at), why=why, arm=key, visit=visit)


def differences_of(
    context: Context,
    task: Task,
    means: LsMeans,
    by: tuple[str, ...],
    visits: tuple[str, ...],
    counts: Counts,
    quantity: str = "difference",
) -> Iterator[Statistic]:
    """Every pair; one whose arm has no data at all is not estimable."""
    arms = context.arms
    present = {str(value) for value in means.frame[context.arm_column]}
    pairs = [
        (arms[a].value, arms[b].value)
        for a, b in task.pairs
        if {arms[a].value, arms[b].value} <= present
    ]
    found = rows_by(means.contrasts(pairs).frame, (*by, "contrast")) if pairs else {}
    for visit in visits:
        for a, b in task.pairs:
            name = f"{level_text(arms[a].value)} - {level_text(arms[b].value)}"
            row = found.get((visit, name) if by else (name,))
            keys = {"arm": a, "versus": b, "visit": visit}
            yield from context.estimates(quantity, row, why=reason(counts, (a, b), visit), **keys)


def type_three_of(context: Context, fit: FittedModel) -> Iterator[Statistic]:
    """F tests of the terms."""
    for row in fit.anova("III").to_dict(orient="records"):
        for name in ("num_df", "den_df", "statistic", "p_value"):
            term = str(row["term"])
            yield context.statistic(
                "type-iii", name, float(row[name]), why=NOT_DETERMINED, group=term
            )


def counts_of(
    context: Context,
    task: Task,
    used: IntArray,
    visit: str,
    frame: pd.DataFrame | None = None,
) -> Iterator[tuple[str, str, int]]:
    """Subjects analysed by arm and visit, zeros included."""
    rows = (task.frame if frame is None else frame).iloc[used]
    arms, visits = rows[context.arm_column].astype(str), rows[visit].astype(str)
    there = set(visits)
    planned = task.protocol.schedule.visit_names if task.protocol.schedule else ()
    for name in planned:
        if name in there or task.method == "MMRM":
            for key, arm in context.arms.items():
                yield key, name, int(((arms == arm.value) & (visits == name)).sum())


def record_of(
    task: Task,
    fit: FittedModel,
    counts: Counts,
    extra: Mapping[str, str],
    convergence: str,
    *,
    headline: str = "difference",
    visit: str = "",
) -> AnalysisRecord:
    """How the analysis was carried out."""
    made = specification_of(task, fit.method.name, extra)
    found = _record(task, counts, made, fit.notes)
    return replace(found, convergence=convergence, headline=headline, visit=visit)


def record_of_imputed(
    task: Task,
    counts: Counts,
    extra: Mapping[str, str],
    notes: tuple[str, ...],
    *,
    headline: str,
    visit: str,
    variances: tuple[str, ...],
    convergence: str = "",
) -> AnalysisRecord:
    """How an analysis of imputed data was carried out."""
    found = _record(task, counts, specification_of(task, "", extra), notes)
    return replace(
        found, convergence=convergence, headline=headline, visit=visit, variances=variances
    )


def _record(
    task: Task, counts: Counts, specification: Mapping[str, str], notes: tuple[str, ...]
) -> AnalysisRecord:
    """What every record says of its analysis, however it was made."""
    analysis = task.analysis
    return AnalysisRecord(
        name=task.planned.name,
        role=analysis.role,
        method=task.method,
        endpoint=analysis.endpoint or "",
        population=analysis.population or "",
        specification=specification,
        steps=tuple(map(str, task.records.account.steps)),
        counts=counts,
        notes=(*task.records.notes, *notes),
        exclusions=tuple((e.subject, e.arm, e.reason) for e in excluded(task)),
        line=task.planned.line,
        label=analysis.label or task.planned.name,
        assumption=assumption_in_short(task),
        pairs=task.pairs,
    )


def fit_statistics_of(
    context: Context, fit: MmrmFit | LmmFit, n_subjects: int
) -> Iterator[Statistic]:
    """−2 log-likelihood, information criteria, and what was analysed."""
    found = {
        "minus2_loglik": fit.minus2_loglik,
        "aic": fit.aic,
        "bic": fit.bic,
        "n_obs": fit.n_obs,
        "n_subjects": n_subjects,
    }
    for name, value in found.items():
        yield context.statistic("fit", name, float(value))
