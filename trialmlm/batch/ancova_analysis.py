"""An analysis of covariance at one visit, carried out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.context import NOT_DETERMINED, Context, rows_by
from trialmlm.batch.describe import described
from trialmlm.batch.estimates import (
    counts_of,
    differences_of,
    means_of,
    record_of,
    type_three_of,
)
from trialmlm.errors import UsageError
from trialmlm.models.ancova import ancova
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pandas as pd

    from trialmlm.batch.task import Task
    from trialmlm.protocol.analyses import Analysis
    from trialmlm.results.statistic import Statistic


def ancova_analysis(task: Task) -> Results:
    """Description, LS means and differences, type III tests, and the trend over the dose.

    Raises
    ------
    FitError
        If the data do not carry the model.
    UsageError
        If the analysis names no visit.
    """
    analysis = task.analysis
    if analysis.at is None:
        msg = f"analysis {task.planned.name}: an ANCOVA needs the visit it is made at (at:)"
        raise UsageError(msg)
    at = task.frame[task.frame["AVISIT"].astype(str) == analysis.at]
    fit = ancova(analysis.model or "", at)
    context = task.context("residual")
    used = at.iloc[fit.rows.rows]
    means = fit.ls_means(
        context.arm_column,
        weights=analysis.weights,
        over=analysis.weights_over,
        confidence=analysis.confidence,
    )
    counts = tuple(counts_of(context, task, fit.rows.rows, "AVISIT", at))
    statistics = (
        *described(context, used, analysis.at),
        *means_of(context, means, (), ("",), counts),
        *differences_of(context, task, means, (), ("",), counts),
        *type_three_of(context, fit),
        *_trend(context, analysis, at),
        *(
            context.statistic("fit", name, value)
            for name, value in (
                ("n_obs", float(fit.n_obs)),
                ("n_subjects", float(fit.n_obs)),
                ("residual_df", float(fit.residual_df)),
                ("sigma", fit.sigma),
            )
        ),
    )
    extra = {"dose response": analysis.dose_response} if analysis.dose_response else {}
    record = record_of(task, fit, counts, extra, "")
    return Results(statistics, (record,))


def _trend(context: Context, analysis: Analysis, frame: pd.DataFrame) -> Iterator[Statistic]:
    """The slope of DOSE in its own model, and its test."""
    if analysis.dose_response is None:
        return
    fit = ancova(analysis.dose_response, frame)
    slope = rows_by(fit.coefficients(analysis.confidence), ("term",)).get(("DOSE",))
    if slope is None:
        msg = f"dose_response: {analysis.dose_response} has no term DOSE to test"
        raise UsageError(msg)
    yield from context.estimates("dose-response", slope, why=NOT_DETERMINED)
