"""A run: read the protocol and the data, carry out the analyses, write the outputs."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm._version import __version__
from trialmlm.batch.account import described_records, described_subjects
from trialmlm.batch.availability import codes_of
from trialmlm.batch.carry_out import carry_out, failed
from trialmlm.batch.events_account import (
    described_events,
    events_of,
    events_results,
    questions_of,
)
from trialmlm.batch.index_facts import InputFile, analysis_facts, trial_facts
from trialmlm.batch.inputs import Inputs
from trialmlm.batch.make_output import Maker
from trialmlm.batch.manifest import Made, manifest, versions
from trialmlm.batch.needs import summaries_for
from trialmlm.batch.orders import (
    furniture_of,
    layout_of,
)
from trialmlm.batch.plan import Plan, make_plan
from trialmlm.batch.progress import Log
from trialmlm.batch.shipped import find
from trialmlm.batch.task import Task, make_task
from trialmlm.deferred import Deferred
from trialmlm.errors import DataError, TrialmlmError
from trialmlm.files import prepare_folder, write_file
from trialmlm.protocol.load import load_protocol
from trialmlm.protocol.schema import Protocol
from trialmlm.results.events import events_csv
from trialmlm.results.records import records_csv
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from trialmlm.batch.progress import Reporter

#: what a run wrote; there only where a run came to its end
MANIFEST = "manifest.json"


#: the index page stands on Jinja2, which nothing else of a run loads
_index_page = Deferred("trialmlm.batch.index", "index_page")


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run.

    Attributes
    ----------
    results : Results
    outputs : tuple of Made
    folder : Path
    warnings : tuple of str
    """

    results: Results
    outputs: tuple[Made, ...]
    folder: Path
    warnings: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """0 if all is made, 1 if an analysis or output is not."""
        lacking = any(made.status != "made" for made in self.outputs)
        return int(lacking or any(record.failure for record in self.results.analyses))


def run(
    trial: Protocol | str | os.PathLike[str],
    data: str | os.PathLike[str],
    out: str | os.PathLike[str] = "results",
    *,
    only: Sequence[str] = (),
    run_time: str | None = None,
    reporter: Reporter | None = None,
) -> Run:
    """Carry out a protocol.

    Parameters
    ----------
    trial : Protocol, str or path
        The protocol, its file, the folder that holds ``protocol.yaml``, or a shipped one's name.
    data : str or path
        The folder with the data sets.
    out : str or path
        The folder for results and outputs; made if it is not there.
    only : sequence of str
        Numbers of outputs and names of analyses; all of them where there are none.
    run_time : str, optional
        What outputs print as the time of the run; by default now, or the time that the
        environment variable SOURCE_DATE_EPOCH names.
    reporter : Reporter, optional
        Who hears of the progress.

    Returns
    -------
    Run

    Raises
    ------
    ProtocolError, UsageError
        Before anything is written.
    DataError
        Likewise: the data are checked before anything is fitted or written.

    Examples
    --------
    >>> run("protocols/cdisc_pilot_adas", "adam/", "results/")  # doctest: +SKIP
    """
    protocol = trial if isinstance(trial, Protocol) else load_protocol(find(trial))
    plan = make_plan(protocol, only)
    plan.check_unblinded()
    log = Log(reporter)
    time = run_time or _run_time()
    layout = layout_of(protocol.house)
    furniture = furniture_of(protocol, f"trialmlm {__version__}, {_file_name(protocol)}", time)
    folder = Path(out)
    log.say(f"trialmlm {__version__}: {protocol.header.id}, {protocol.header.title}")
    log.say(f"protocol {_file_name(protocol)}, SHA-256 {protocol.source_hash}")
    log.say(f"treatment codes: {codes_of(protocol)}")
    inputs = Inputs(protocol, Path(data))
    counted, tasks = _read(plan, inputs, log)
    prepare_folder(folder)
    # the manifest is written last: until then there is none, so it never speaks of other files
    (folder / MANIFEST).unlink(missing_ok=True)
    analysed = Results.together(_analyses(plan, tasks, log))
    results = Results.together((counted, analysed))
    maker = Maker(protocol, results, folder, furniture, layout, inputs.subjects.labels)
    outputs, entries, files = [], [], dict[str, str]()
    for planned in plan.outputs:
        log.step(planned.name)
        made, entry = maker.make(planned)
        if made.reason:
            log.say(f"ERROR: {planned.name}: {made.status}: {made.reason}")
        outputs.append(made)
        entries.append(entry)
        files |= made.files
    page = _index_page(
        trial_facts(protocol),
        analysis_facts(protocol, results),
        entries,
        [InputFile.of(dataset) for dataset in inputs.datasets],
        versions(),
        furniture,
    )
    texts = {
        "results.csv": results.to_csv(),
        "results.json": results.to_json(),
        "records.csv": records_csv(results.records),
        "index.html": page,
        **({"events.csv": events_csv(results.events)} if results.events else {}),
    }
    for name, text in texts.items():
        files[name] = write_file(folder / name, text.encode())
    log.say(f"{sum(m.status == 'made' for m in outputs)} of {len(outputs)} outputs made")
    files["run.log"] = write_file(folder / "run.log", log.text.encode())
    text = manifest(protocol, inputs.datasets, outputs, files, time)
    write_file(folder / MANIFEST, text.encode())
    return Run(results, tuple(outputs), folder, tuple(log.warnings))


def _read(plan: Plan, inputs: Inputs, log: Log) -> tuple[Results, dict[str, Task | str]]:
    """All data, before anything is fitted: counts and summaries, and each analysis' records."""
    makeable = [planned.output for planned in plan.outputs if not planned.refusal]
    parts = [Results.together(summaries_for(inputs, makeable))]
    tasks: dict[str, Task | str] = {}
    for planned in plan.analyses:
        if planned.refusal:
            tasks[planned.name] = planned.refusal
            continue
        try:
            tasks[planned.name] = make_task(planned, inputs)
        except DataError:
            raise
        except TrialmlmError as error:
            tasks[planned.name] = str(error)
    _log_data(inputs, tasks, log)
    asked = questions_of(task.analysis for task in tasks.values() if isinstance(task, Task))
    events = tuple(event for question in asked for event in events_of(inputs, question))
    for line in described_events(plan.protocol, events):
        log.say(line)
    return Results.together([*parts, events_results(plan.protocol, events)]), tasks


def _log_data(inputs: Inputs, tasks: dict[str, Task | str], log: Log) -> None:
    for dataset in inputs.datasets:
        log.say(f"read {dataset}: {dataset.rows:,} records, SHA-256 {dataset.sha256}")
    for line in described_subjects(inputs):
        log.say(line)
    for name, task in tasks.items():
        if isinstance(task, str):
            continue
        log.say(f"analysis {name}: records")
        for line in described_records(task):
            log.say(f"  {line}")
        if len(task.records.discrepancies):
            listing = task.records.discrepancies.head(10).to_string(index=False)
            log.warn(
                f"analysis {name}: {len(task.records.discrepancies):,} values derived by the "
                f"protocol's rules differ from the data's own; the first are\n{listing}"
            )


def _analyses(plan: Plan, tasks: dict[str, Task | str], log: Log) -> Iterator[Results]:
    for planned in plan.analyses:
        log.step(f"analysis {planned.name}")
        task = tasks[planned.name]
        if isinstance(task, str):
            log.say(f"ERROR: analysis {planned.name}: {task}")
            yield failed(planned, task)
            continue
        try:
            made = carry_out(task)
        except TrialmlmError as error:
            log.say(f"ERROR: analysis {planned.name}: {error}")
            yield failed(planned, str(error))
            continue
        (record,) = made.analyses
        for name, value in record.specification.items():
            log.say(f"  {name}: {value}")
        if record.convergence:
            log.say(f"  {record.convergence}")
        for note in record.notes:
            log.say(f"  note: {note}")
        yield made


def _run_time() -> str:
    """Now, or the moment that SOURCE_DATE_EPOCH names."""
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    moment = datetime.fromtimestamp(int(epoch), UTC) if epoch else datetime.now(UTC)
    return moment.strftime("%Y-%m-%d %H:%M UTC")


def _file_name(protocol: Protocol) -> str:
    path = protocol.path
    if path is None:
        return "protocol"
    return f"{path.parent.name}/{path.name}" if path.parent.name else path.name
