"""Missing values imputed, and the completed data analysed, as the protocol asks."""

from __future__ import annotations

from math import isnan
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.batch.context import NOT_DETERMINED
from trialmlm.batch.estimates import record_of_imputed
from trialmlm.batch.imputed_words import (
    degrees_of_freedom,
    delta_in_words,
    imputation_in_words,
    imputing_notes,
    settled_in_words,
    variance_in_words,
)
from trialmlm.batch.retrieval import retrieval_of
from trialmlm.batch.tipping_analysis import tipped
from trialmlm.errors import UsageError
from trialmlm.missing.impute import impute
from trialmlm.missing.lowest_decile import from_lowest_decile
from trialmlm.missing.replaced import ReplacedValues
from trialmlm.protocol.missing import DRAWING, REFERENCE_BASED
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.arrays import Array
    from trialmlm.batch.context import Context
    from trialmlm.batch.task import Task
    from trialmlm.missing.analysed import AnalysedImputation
    from trialmlm.missing.imputation import Imputation
    from trialmlm.missing.imputed import Imputed
    from trialmlm.results.statistic import Statistic

#: what a pooled number has beside its estimate and test
POOLED = (
    "fmi",
    "relative_efficiency",
    "monte_carlo_se",
    "imputations",
    "replicates",
    "share_imputed",
)
MEANS = {"LMM": "slope"}
DIFFERENCES = {"LMM": "slope-difference"}


def imputed_analysis(task: Task) -> Results:
    """Impute, analyse every completed data set, pool; shift by the deltas, if any are asked for.

    Returns
    -------
    Results
        Means or slopes and differences with ``fmi``, ``monte_carlo_se`` and others; those of a
        variance that is shown and does not decide have its name as group.

    Raises
    ------
    FitError
        If the data do not carry the imputation model or the analysis.
    UsageError, DataError
        If they cannot be imputed as asked.
    """
    made = imputed(task)
    imputation = with_fallen(task, made)
    analysed = imputation.analyse(_model(task), **asked_of(task))
    context = task.context("")
    statistics = (
        *_counted(context, task, imputation),
        *_estimates(context, task, analysed),
        *tipped(context, task, imputation, asked_of(task)),
    )
    extra = {
        "model": _model(task),
        "imputation": imputation_in_words(task, made),
        "variance": variance_in_words(analysed),
        **degrees_of_freedom(analysed),
        **delta_in_words(task.analysis),
    }
    counts = tuple(_subjects(context, imputation))
    record = record_of_imputed(
        task,
        counts,
        extra,
        (*analysed.notes, *task.assumed_notes, *imputing_notes(task.analysis)),
        convergence=settled_in_words(made),
        headline=DIFFERENCES.get(task.analysed, "difference"),
        visit=task.analysed_at,
        variances=tuple(variance.name for variance in analysed.plan.variances),
    )
    return Results(statistics, (record,))


def imputed(task: Task) -> Imputed:
    """The missing values filled from the imputation model."""
    analysis, assumed = task.analysis, task.assumed
    missing = analysis.missing
    assert missing is not None  # noqa: S101  (the plan gives others to other methods)
    assert assumed is not None  # noqa: S101  (a task that imputes has them)
    roles = task.protocol.data.subjects
    events = assumed.events.rename(columns={"subject": roles.subject, "visit": "AVISIT"})
    drawn = missing.method in DRAWING
    return impute(
        task.frame,
        model=analysis.model or "",
        arm=roles.arm or "",
        events=events,
        reference=_reference(task),
        method=missing.method or "",
        imputations=missing.imputations if drawn else None,
        seed=missing.seed if drawn else None,
        reml=analysis.reml,
        **retrieval_of(task.protocol, missing),
    )


def _reference(task: Task) -> str | None:
    """What the data call the arm that reference-based rules borrow from."""
    rules = task.analysis.missing.rules if task.analysis.missing is not None else ()
    keys = {rule.reference for rule in rules if rule.assume in REFERENCE_BASED}
    return next((task.protocol.arms[key].value for key in keys if key is not None), None)


def with_fallen(task: Task, made: Imputed) -> Imputation:
    """The imputation with the values of some cells, if any, drawn from the lowest decile."""
    if task.assumed is None or task.assumed.fallen.empty:
        return made
    layout, fallen = made.layout, task.assumed.fallen
    places = tuple(
        labels.get_indexer(pd.Index(fallen[name]))
        for labels, name in ((layout.subjects, "subject"), (layout.visits, "visit"))
    )
    chosen = np.zeros(layout.Y.shape, dtype=bool)
    chosen[places] = True
    better = task.protocol.endpoint(task.analysis.endpoint or "").better
    filled = from_lowest_decile(
        layout,
        made.completions,
        chosen,
        _origin(task, made),
        task.analysis.missing.seed if task.analysis.missing and task.analysis.missing.seed else 0,
        lower_is_worse=better != "lower",
    )
    n = int(chosen[made.completions.subject, made.completions.visit].sum())
    how = f"{n:,} of {layout.missing.sum():,} imputed values are from the worst tenth of completers"
    return ReplacedValues(made, filled, how)


def _origin(task: Task, made: Imputed) -> Array:
    """From what a change is counted, by subject: the baseline; 0 where changes are imputed."""
    layout = made.layout
    if layout.names.response == "CHG":
        return np.zeros(len(layout.subjects))
    base = task.frame.groupby(task.protocol.data.subjects.subject)["BASE"].first()
    found: Array = base.reindex(layout.subjects).to_numpy(dtype=float)
    return found


def _model(task: Task) -> str:
    completed = task.analysis.analyse
    if completed is None:
        msg = f"analysis {task.planned.name}: imputes, and names no model of the completed data"
        raise UsageError(f"{msg} (analyse: {{model: …}})")
    return completed.model


def asked_of(task: Task) -> dict[str, Any]:
    """What the analysis of the completed data is asked."""
    analysis = task.analysis
    arms = task.protocol.arms
    asked: dict[str, Any] = {
        "contrasts": [(arms[a].value, arms[b].value) for a, b in task.pairs],
        "weights": analysis.weights,
        "confidence": analysis.confidence,
        "variance": "default",
    }
    if analysis.variance is not None:
        named = {"decide": analysis.variance.decide, "show": list(analysis.variance.show)}
        asked |= {"variance": named, "replicates": analysis.variance.replicates,
                  "seed": analysis.variance.seed}  # fmt: skip
    time = task.protocol.schedule.time if task.protocol.schedule else None
    if task.analysed == "LMM" and time is not None:
        asked["slope"] = time.name
    elif task.analysed_at:
        asked["at"] = task.analysed_at
    return asked


def _counted(context: Context, task: Task, imputation: Imputation) -> Iterator[Statistic]:
    """Subjects, by arm and in all."""
    layout = imputation.layout
    yield context.statistic("fit", "n_subjects", float(len(layout.subjects)))
    for arm, visit, n in _subjects(context, imputation):
        yield context.statistic("count", "n", float(n), arm=arm, visit=visit)


def _subjects(context: Context, imputation: Imputation) -> Iterator[tuple[str, str, int]]:
    layout = imputation.layout
    for place, label in enumerate(layout.arms):
        yield context.key_of(label), "", int((layout.arm == place).sum())


def _estimates(context: Context, task: Task, analysed: AnalysedImputation) -> Iterator[Statistic]:
    """Means or slopes of the arms and their differences, of every variance."""
    keys = {arm.value: key for key, arm in context.arms.items()}
    pairs = {f"{context.arms[a].value} - {context.arms[b].value}": (a, b) for a, b in task.pairs}
    for row in analysed.frame.to_dict(orient="records"):
        where = {
            "visit": "" if row["visit"] is None or row["visit"] != row["visit"] else row["visit"],
            "group": "" if row["decides"] else str(row["variance"]),
        }
        arm, versus = pairs.get(str(row["arms"]), (keys.get(str(row["arms"]), ""), ""))
        names = DIFFERENCES if versus else MEANS
        quantity = names.get(task.analysed, "difference" if versus else "ls-mean")
        where |= {"arm": arm, "versus": versus}
        yield from context.estimates(quantity, _named(row), why=NOT_DETERMINED, **where)
        yield from _pooled(context, quantity, row, where)


def _pooled(
    context: Context, quantity: str, row: Mapping[Any, Any], where: Mapping[str, str]
) -> Iterator[Statistic]:
    """What only a pooled number has; what its variance does not give is left out."""
    for name in POOLED:
        if not isnan(float(row[name])):
            yield context.statistic(quantity, name, float(row[name]), **where)


def _named(row: Mapping[Any, Any]) -> dict[str, Any]:
    return {str(name): value for name, value in row.items()}
