"""An MMRM over the visits, carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.estimates import (
    counts_of,
    differences_of,
    fit_statistics_of,
    means_of,
    record_of,
    type_three_of,
)
from trialmlm.batch.fallback import failure_of, fallback_of, step_used, steps_of
from trialmlm.batch.fit_records import mmrm_records
from trialmlm.errors import FitError
from trialmlm.formula.grammar import read_formula
from trialmlm.models.ladder import LadderFailure, climb
from trialmlm.protocol.estimands import ValueAt
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.context import Context, Counts
    from trialmlm.batch.task import Task
    from trialmlm.models.fitted import FittedModel
    from trialmlm.models.mmrm import MmrmFit
    from trialmlm.results.statistic import Statistic


def mmrm_analysis(task: Task) -> Results:
    """LS means and differences by visit, covariance, type III tests, fit statistics.

    Raises
    ------
    FitError
        If the data do not carry the model, or the fit did not converge.
    """
    analysis = task.analysis
    ladder = climb(analysis.model or "", task.frame, steps_of(analysis), reml=analysis.reml)
    if isinstance(ladder, LadderFailure):
        raise FitError(failure_of(ladder))
    fit = ladder.fit
    context = task.context(fit.method.name, step_used(ladder))
    visit = read_formula(analysis.model or "").covariance[0].visit[0]
    counts = tuple(counts_of(context, task, fit.rows.rows, visit))
    statistics = (
        *(context.statistic("count", "n", n, arm=arm, visit=v) for arm, v, n in counts),
        *_by_visit(context, task, fit, visit, counts),
        *(_averaged(context, task, fit, counts) if analysis.average_over == "visits" else ()),
        *_covariance(context, fit),
        *type_three_of(context, fit),
        *fit_statistics_of(context, fit, fit.n_subjects),
    )
    estimation = "REML" if analysis.reml else "ML"
    extra = {
        "model": fit.formula,
        "covariance": _covariance_in_words(fit),
        "estimation": estimation,
        **({"standard errors": f"{ladder.step.vcov} sandwich"} if ladder.step.vcov else {}),
        **fallback_of(ladder),
    }
    record = record_of(task, fit, counts, extra, str(fit.convergence), visit=_visit_of(task))
    return Results(statistics, (record,), mmrm_records(task, fit))


def _covariance_in_words(fit: MmrmFit) -> str:
    words = f"{fit.family.title.lower()} covariance over the visits"
    return words if fit.group is None else f"{words}, one for each arm"


def _by_visit(
    context: Context, task: Task, fit: MmrmFit, visit: str, counts: Counts
) -> Iterator[Statistic]:
    """LS means and differences at every visit of the schedule."""
    analysis = task.analysis
    means = fit.ls_means(
        context.arm_column,
        by=visit,
        weights=analysis.weights,
        over=analysis.weights_over,
        confidence=analysis.confidence,
    )
    visits = task.protocol.schedule.visit_names if task.protocol.schedule else ()
    yield from means_of(context, means, (visit,), visits, counts)
    yield from differences_of(context, task, means, (visit,), visits, counts)


def _averaged(
    context: Context, task: Task, fit: FittedModel, counts: Counts
) -> Iterator[Statistic]:
    """LS means and differences averaged over the visits."""
    analysis = task.analysis
    means = fit.ls_means(
        context.arm_column,
        weights=analysis.weights,
        over=analysis.weights_over,
        confidence=analysis.confidence,
    )
    yield from means_of(context, means, (), ("",), counts)
    yield from differences_of(context, task, means, (), ("",), counts)


def _visit_of(task: Task) -> str:
    """The visit that the estimand asks for; empty where LS means are averaged over visits."""
    analysis = task.analysis
    if analysis.average_over == "visits":
        return ""
    if analysis.at is not None:
        return analysis.at
    if analysis.estimand is not None:
        variable = task.protocol.estimand(analysis.estimand).variable
        if isinstance(variable, ValueAt):
            return variable.at
    return task.protocol.schedule.visit_names[-1] if task.protocol.schedule else ""


def _covariance(context: Context, fit: MmrmFit) -> Iterator[Statistic]:
    """The lower triangle of Σ̂, of every arm where they have covariances of their own."""
    arms = {arm.value: key for key, arm in context.arms.items()}
    for level, found in fit.covariances.items():
        visits, values = [str(visit) for visit in found.index], found.to_numpy()
        for i, first in enumerate(visits):
            for j, second in enumerate(visits[: i + 1]):
                keys = {"arm": arms.get(level, ""), "visit": first, "group": second}
                yield context.statistic("covariance", "estimate", float(values[i, j]), **keys)
