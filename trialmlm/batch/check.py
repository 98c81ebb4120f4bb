"""What would run, and on which rows: a protocol looked at without carrying it out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.batch.account import described_records, described_subjects
from trialmlm.batch.events_account import described_events, events_of, questions_of
from trialmlm.batch.inputs import Inputs
from trialmlm.batch.task import make_task
from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from trialmlm.batch.plan import Plan, PlannedAnalysis
    from trialmlm.batch.task import Task
    from trialmlm.protocol.analyses import Analysis


def described_plan(plan: Plan) -> Iterator[str]:
    """Lines: the trial, its analyses and its outputs, each with why it cannot be made, if so."""
    header = plan.protocol.header
    yield f"{header.id}: {header.title}"
    yield f"arms: {', '.join(arm.name for arm in plan.protocol.ordered_arms.values())}"
    yield f"analyses: {len(plan.analyses)}"
    for planned in plan.analyses:
        yield f"  {_analysis_line(planned)}"
    yield f"outputs: {len(plan.outputs)}"
    for output in plan.outputs:
        told = f"  NOT MADE: {output.refusal}" if output.refusal else ""
        yield f"  {output.name}: {output.output.shell} -> {output.stem}{told}"


def _analysis_line(planned: PlannedAnalysis) -> str:
    analysis = planned.analysis
    of = f" of {analysis.of}" if analysis.of else ""
    what = analysis.model or "a named method"
    line = f"{planned.name} ({analysis.role}{of}; {analysis.endpoint}, {analysis.population}): "
    return line + what + (f"  NOT MADE: {planned.refusal}" if planned.refusal else "")


def described_data(plan: Plan, folder: Path) -> Iterator[str]:
    """Lines: each data set, and for each analysis the records that every step keeps.

    Raises
    ------
    DataError
        With what is wrong with the data of every analysis.
    """
    inputs = Inputs(plan.protocol, folder)
    yield from described_subjects(inputs)
    faults: dict[str, list[str]] = {}
    made: list[Analysis] = []
    for planned in plan.analyses:
        if planned.refusal:
            continue
        try:
            task = make_task(planned, inputs)
            made.append(task.analysis)
            yield from _described_task(task)
        except DataError as error:
            faults.setdefault(str(error), []).append(planned.name)
        except UsageError as error:
            yield f"analysis {planned.name}: cannot be made: {error}"
    events = (event for asked in questions_of(made) for event in events_of(inputs, asked))
    yield from described_events(plan.protocol, tuple(events))
    if faults:
        raise DataError(
            "\n\n".join(f"analysis {', '.join(names)}: {fault}" for fault, names in faults.items())
        )


def _described_task(task: Task) -> Iterator[str]:
    yield f"analysis {task.planned.name}: {task.method}, missing values: {task.imputation}"
    yield from (f"  {line}" for line in described_records(task))
    if len(task.records.discrepancies):
        yield (
            f"  {len(task.records.discrepancies):,} values derived by the protocol's rules differ "
            "from the data's own:"
        )
        listing = task.records.discrepancies.head(20).to_string(index=False)
        yield from (f"    {line}" for line in listing.splitlines())
