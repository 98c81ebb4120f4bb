"""An analysis of covariance of ranks at one visit, carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.adam.cells import as_text
from trialmlm.batch.context import NOT_DETERMINED, rows_by
from trialmlm.batch.estimates import record_of_imputed
from trialmlm.errors import UsageError
from trialmlm.formula.factor import level_text
from trialmlm.missing.rank_ancova import rank_ancova
from trialmlm.protocol.endpoints import ChangeEndpoint
from trialmlm.protocol.methods import RankAncova
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.batch.context import Context
    from trialmlm.batch.task import Task
    from trialmlm.missing.rank_ancova import RankAncova as Ranked
    from trialmlm.results.statistic import Statistic


def rank_analysis(task: Task) -> Results:
    """Differences of standardised ranks, the test of mean scores, and who is ranked how.

    Raises
    ------
    FitError
        If the data do not carry the model.
    UsageError
        If the protocol has no control arm to compare with.
    """
    method, arms = task.analysis.method, task.protocol.arms
    control = task.protocol.control
    if not isinstance(method, RankAncova) or control is None:
        raise UsageError(f"analysis {task.planned.name}: a rank ANCOVA needs a control arm")
    subject = task.protocol.data.subjects.subject
    at = task.frame[task.frame["AVISIT"].astype(str) == task.analysed_at]
    assert task.failures is not None  # noqa: S101  (a task of ranks has them)
    endpoint = task.protocol.endpoint(task.analysis.endpoint or "")
    found = rank_ancova(
        at.assign(FAILED=as_text(at[subject]).map(task.failures).astype(float)).reset_index(
            drop=True
        ),
        value="CHG" if isinstance(endpoint, ChangeEndpoint) else "AVAL",
        arm=task.protocol.data.subjects.arm or "",
        covariates=method.rank_ancova,
        died="FAILED",
        better=endpoint.better or "higher",
        missing=method.missing,
        control=arms[control].value,
    )
    context = task.context("residual")
    counts = tuple(_counts(context, task, found))
    statistics = (
        context.statistic("fit", "n_subjects", float(len(found.subjects))),
        *(context.statistic("count", "n", float(n), arm=arm) for arm, _, n in counts),
        *_differences(context, task, found),
        *(
            context.statistic("mean-scores", name, float(found.mean_scores[name].iloc[0]))
            for name in ("statistic", "df", "p_value")
        ),
    )
    extra = {"model": f"ranks of {', '.join(method.rank_ancova)} as covariates"}
    record = record_of_imputed(
        task, counts, extra, found.notes, headline="rank-difference", visit="", variances=()
    )
    return Results(statistics, (record,))


def _counts(context: Context, task: Task, found: Ranked) -> Iterator[tuple[str, str, int]]:
    """Subjects ranked, by arm."""
    held = found.subjects[context.arm_column].astype(str)
    for key, arm in context.arms.items():
        yield key, "", int((held == arm.value).sum())


def _differences(context: Context, task: Task, found: Ranked) -> Iterator[Statistic]:
    """Every pair that has the control as its second arm."""
    rows = rows_by(found.frame, ("contrast",))
    for a, b in task.pairs:
        name = " - ".join(level_text(context.arms[key].value) for key in (a, b))
        yield from context.estimates(
            "rank-difference", rows.get((name,)), why=NOT_DETERMINED, arm=a, versus=b
        )
