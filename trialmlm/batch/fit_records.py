"""The records behind a fit, for figures and listings."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.adam.cells import as_text
from trialmlm.results.records import Record

if TYPE_CHECKING:
    from trialmlm.arrays import Array, IntArray
    from trialmlm.batch.task import Task
    from trialmlm.models.lmm_fit import LmmFit
    from trialmlm.models.mmrm import MmrmFit


def mmrm_records(task: Task, fit: MmrmFit) -> tuple[Record, ...]:
    """One record per row used: observed, fitted, normalized residual."""
    fitted = fit.fitted[fit.layout.subject, fit.layout.visit]
    observed = fit.design.Y[fit.layout.subject, fit.layout.visit]
    residual = fit.residuals("normalized").to_numpy()
    return _records(task, fit.rows.rows, observed, fitted, fitted, residual)


def lmm_records(task: Task, fit: LmmFit) -> tuple[Record, ...]:
    """One record per row used, with the prediction that includes the random effects."""
    residual = fit.residuals("normalized").to_numpy()
    return _records(task, fit.rows.rows, fit.response, fit.fitted, fit.predicted, residual)


def _records(
    task: Task,
    rows: IntArray,
    observed: Array,
    fitted: Array,
    predicted: Array,
    residual: Array,
) -> tuple[Record, ...]:
    frame = task.frame.iloc[rows]
    roles, schedule = task.protocol.data.subjects, task.protocol.schedule
    keys = {arm.value: key for key, arm in task.protocol.arms.items()}
    time = schedule.time.name if schedule is not None and schedule.time is not None else ""
    times = frame[time].to_numpy(float) if time in frame.columns else np.full(len(frame), np.nan)
    columns = (
        as_text(frame[roles.subject]),
        as_text(frame[roles.arm]).map(keys),
        as_text(frame["AVISIT"]),
        times,
        observed,
        fitted,
        predicted,
        residual,
        as_text(frame["DTYPE"]),
    )
    return tuple(
        Record(task.planned.name, subject, arm, visit, *map(float, numbers), derivation)  # type: ignore[call-arg, arg-type]
        for subject, arm, visit, *numbers, derivation in zip(*columns, strict=True)
    )
