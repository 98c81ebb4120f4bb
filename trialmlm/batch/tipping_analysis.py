"""Imputed values shifted by deltas: the cells of a grid, its boundary, and the tip of each arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.batch.context import ESTIMATES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trialmlm.batch.context import Context
    from trialmlm.batch.task import Task
    from trialmlm.missing.imputation import Imputation
    from trialmlm.results.statistic import Statistic

#: how far beyond the deltas of the protocol the tip itself is looked for
FARTHEST = 10.0
NEVER = "not reached within ten times the deltas of the protocol"


def tipped(
    context: Context, task: Task, imputation: Imputation, asked: Mapping[str, Any]
) -> Iterator[Statistic]:
    """The difference of each pair under the deltas of the protocol.

    ``tipping`` are the cells, numbered as group, with ``delta`` of each arm that is shifted;
    ``tipping-boundary`` is, for each delta of the second arm (``delta-given``), the one of the
    first at which the conclusion changes; ``tipping-point`` the delta of one arm alone, with the
    estimates there.
    """
    delta = task.analysis.delta
    if delta is None:
        return
    arms = context.arms
    steps = {arms[key].value: found.values for key, found in delta.arms.items()}
    model = task.analysis.analyse.model if task.analysis.analyse else ""
    for arm, versus in task.pairs:
        name = f"{arms[arm].value} - {arms[versus].value}"
        given = {**asked, "contrast": name, **_shape(task)}
        pair = {"arm": arm, "versus": versus, "visit": task.analysed_at}
        for label, values in steps.items():
            yield from _alone(context, imputation, model, label, values, given, pair)
        if len(steps) == 2:
            yield from _grid(context, imputation, model, steps, given, pair)


def _shape(task: Task) -> dict[str, Any]:
    """What one unit of delta adds to each value."""
    delta, assumed = task.analysis.delta, task.assumed
    if delta is None or delta.rows is None or assumed is None:
        return {}
    subject = task.protocol.data.subjects.subject
    return {"shape": assumed.shape.rename(columns={"subject": subject, "visit": "AVISIT"})}


def _alone(
    context: Context,
    imputation: Imputation,
    model: str,
    label: str,
    values: tuple[float, ...],
    given: Mapping[str, Any],
    pair: Mapping[str, str],
) -> Iterator[Statistic]:
    """The tip of one arm, the others left as they are, and the curve to it."""
    limits = (FARTHEST * min(0.0, *values), FARTHEST * max(0.0, *values))
    found = imputation.tipping_point(model, arms=[label], limits=limits, **given)
    key = context.key_of(label)
    tips = found.frame.iloc[1:]
    nearest = {} if tips.empty else tips.loc[tips["delta"].abs().idxmin()].to_dict()
    for name in ("delta", *ESTIMATES):
        value = float(nearest.get(name, float("nan")))
        yield context.statistic("tipping-point", name, value, why=NEVER, group=key, **pair)
    for number, row in enumerate(found.curve(values).to_dict(orient="records"), start=1):
        cell = {"group": f"{key} {number}", **pair}
        for name in ("delta", *ESTIMATES):
            yield context.statistic("tipping-curve", name, float(row[name]), **cell)


def _grid(
    context: Context,
    imputation: Imputation,
    model: str,
    steps: Mapping[str, tuple[float, ...]],
    given: Mapping[str, Any],
    pair: Mapping[str, str],
) -> Iterator[Statistic]:
    """Every cell of two arms, and where the conclusion changes."""
    first = next(iter(steps.values()))
    limits = (FARTHEST * min(0.0, *first), FARTHEST * max(0.0, *first))
    found = imputation.tipping_grid(model, deltas=steps, limits=limits, **given)
    names = {f"delta-{context.key_of(label)}": f"delta {label}" for label in steps}
    for number, row in enumerate(found.frame.to_dict(orient="records"), start=1):
        cell = {"group": str(number), **pair}
        for name, column in (*names.items(), *zip(ESTIMATES, ESTIMATES, strict=True)):
            yield context.statistic("tipping", name, float(row[column]), **cell)
    for number, row in enumerate(found.boundary.to_dict(orient="records"), start=1):
        cell = {"group": str(number), **pair}
        for name, column in names.items():
            value = float(row[column])
            yield context.statistic("tipping-boundary", name, value, why=NEVER, **cell)
