"""The methods of a protocol, tried out on trials of its own design whose truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trialmlm._version import __version__
from trialmlm.batch.executors import executor_for
from trialmlm.batch.finished import take_up
from trialmlm.batch.plan import make_plan
from trialmlm.batch.sample import check_visits, draw_sample
from trialmlm.batch.sample_analysis import SampleTask, differences
from trialmlm.batch.sample_imputation import Bench
from trialmlm.batch.sample_limits import lacking_of
from trialmlm.errors import UsageError
from trialmlm.files import prepare_folder
from trialmlm.simulate.from_protocol import asked_of
from trialmlm.simulate.streams import child_seed
from trialmlm.simulate.truth import CHUNK, POPULATION, scored, sums, truths

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from trialmlm.batch.finished import Finished
    from trialmlm.batch.progress import Reporter
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.truth import Truth

#: an analysis -> what it says of the difference, or why it says nothing
Found = dict[str, list[float] | str]
#: the children of a seed: of the trials, and of the populations that tell the truth
_TRIALS, _POPULATIONS = 0, 1


@dataclass(frozen=True, slots=True)
class Setting:
    """What is tried out.

    Attributes
    ----------
    protocol : Protocol
    scenario : str
        Of the protocol's design.
    analyses : tuple of str
        Names.
    seed : int
        Of everything; each task has its own child of it.
    imputations, replicates : int or None
        Of analyses that draw and resample, in place of what the protocol asks for.
    """

    protocol: Protocol
    scenario: str
    analyses: tuple[str, ...]
    seed: int
    imputations: int | None = None
    replicates: int | None = None

    @property
    def made_for(self) -> Mapping[str, str]:
        """What finished tasks are of, for the file that keeps them."""
        written = (
            self.protocol.source_hash
            or sha256(self.protocol.model_dump_json().encode()).hexdigest()
        )
        return {
            "protocol": written,
            "scenario": self.scenario,
            "analyses": ", ".join(self.analyses),
            "seed": str(self.seed),
            "imputations": str(self.imputations or "as the protocol says"),
            "replicates": str(self.replicates or "as the protocol says"),
            "trialmlm": __version__,
        }


@dataclass(frozen=True, slots=True)
class Task:
    """One trial, or one chunk of the population that tells the truth.

    Attributes
    ----------
    kind : str
        Name in `WORK`.
    number : int
        From 0.
    """

    kind: str
    number: int

    def __str__(self) -> str:
        return f"{self.kind} {self.number:06d}"


def _trial(setting: Setting, number: int) -> Found:
    """Every analysis of one simulated trial."""
    protocol = setting.protocol
    asked, design = asked_of(protocol)
    del asked
    seed = child_seed(setting.seed, _TRIALS, number)
    sample = draw_sample(protocol, design, setting.scenario, seed)
    bench = Bench(sample, setting.imputations, setting.replicates)
    found: Found = {}
    for name in setting.analyses:
        task = SampleTask(name, protocol, design, protocol.analysis(name), child_seed(seed, 0))
        found |= differences(task, bench)
    return found


def _population(setting: Setting, number: int) -> dict[str, Any]:
    """One chunk of the subjects that tell the truth."""
    asked, design = asked_of(setting.protocol)
    del asked
    seed = child_seed(setting.seed, _POPULATIONS)
    return sums(setting.protocol, design, setting.scenario, number, seed)


WORK: Mapping[str, Callable[[Setting, int], dict[str, Any]]] = {
    "population": _population,
    "trial": _trial,
}


@dataclass(frozen=True, slots=True)
class _Work:
    """What a process is handed: a setting and, as it is called, the task."""

    setting: Setting

    def __call__(self, task: Task) -> dict[str, Any]:
        return WORK[task.kind](self.setting, task.number)


@dataclass(frozen=True, slots=True)
class Tried:
    """What many trials of a scenario said.

    Attributes
    ----------
    setting : Setting
    truths : mapping of str to Truth
        By estimand.
    trials : tuple of mapping
        What the analyses said of each trial, in the order of the trials.
    """

    setting: Setting
    truths: Mapping[str, Truth]
    trials: tuple[Found, ...]


def setting_of(
    protocol: Protocol,
    scenario: str | None = None,
    only: Sequence[str] = (),
    seed: int | None = None,
    *,
    imputations: int | None = None,
    replicates: int | None = None,
) -> Setting:
    """Say what is to be tried out; every fault is told before anything is simulated.

    Parameters
    ----------
    protocol : Protocol
    scenario, seed : optional
        By default the protocol's.
    only : sequence of str
        Names of analyses; by default all that this version makes and the simulator can feed.
    imputations, replicates : int, optional
        In place of the protocol's, at least 2.

    Raises
    ------
    UsageError
        The protocol asks for no simulation, or the scenario, seed or an analysis is none.
    """
    make_plan(protocol)  # refuses formulas that cannot be read
    asked, design = asked_of(protocol)
    check_visits(protocol, design)
    design.scenario(asked.scenario if scenario is None else scenario)
    names = _analyses(protocol, only)
    chosen = asked.seed if seed is None else seed
    if chosen < 0:
        raise UsageError(f"seed: found {chosen}, expected a whole number from 0")
    for what, number in {"imputations": imputations, "replicates": replicates}.items():
        if number is not None and number < 2:
            raise UsageError(f"{what}: found {number}, expected at least 2")
    named = asked.scenario if scenario is None else scenario
    return Setting(protocol, named, names, chosen, imputations, replicates)


def main_analyses(protocol: Protocol) -> tuple[str, ...]:
    """Names of the main analyses."""
    return tuple(name for name in protocol.analysis_names if protocol.analysis(name).role == "main")


def left_out(protocol: Protocol) -> dict[str, str]:
    """Analyses that cannot be tried out, and why."""
    asked, design = asked_of(protocol)
    del asked
    reasons = {
        name: lacking_of(protocol, design, protocol.analysis(name))
        for name in protocol.analysis_names
    }
    return {name: reason for name, reason in reasons.items() if reason}


def _analyses(protocol: Protocol, only: Sequence[str]) -> tuple[str, ...]:
    refused = left_out(protocol)
    for name in only:
        protocol.analysis(name)
        if name in refused:
            raise UsageError(f"{name} cannot be tried out: {refused[name]}")
    return tuple(
        name for name in protocol.analysis_names if (name in only if only else name not in refused)
    )


def try_out(
    setting: Setting,
    trials: int,
    out: str | Path,
    *,
    workers: int = 1,
    reporter: Reporter | None = None,
) -> Tried:
    """Simulate trials, make the analyses of each, and find the truth.

    What is finished stands in ``finished_<scenario>.json``: an interrupted call goes on from it,
    and one with more trials adds to it. The result is the same for any number of workers.

    Parameters
    ----------
    setting : Setting
    trials : int
        At least 3: fewer have no Monte-Carlo error.
    out : str or Path
        The folder.
    workers : int
        Processes; 1 stays in this one.
    reporter : Reporter, optional

    Raises
    ------
    UsageError
        The numbers are none, or the folder holds what was found for something else.
    """
    if trials < 3:
        raise UsageError(f"trials: found {trials}, expected at least 3")
    folder = Path(out)
    executor = executor_for(workers)
    prepare_folder(folder)
    finished = take_up(folder / f"finished_{setting.scenario}.json", setting.made_for)
    tasks = list(_tasks(setting, trials))
    missing = [task for task in tasks if str(task) not in finished.found]
    for task in tasks[len(missing) :]:
        _tell(reporter, setting, task)
    try:
        for task, found in executor.run(_Work(setting), missing):
            finished.add(str(task), found)
            _tell(reporter, setting, task)
    finally:
        finished.write()
    return _tried(setting, finished, trials)


def _tell(reporter: Reporter | None, setting: Setting, task: Task) -> None:
    if reporter is not None:
        reporter.step(f"{setting.scenario}: {task}")


def count_tasks(setting: Setting, trials: int) -> int:
    """How many tasks there are, finished or not."""
    return sum(1 for _ in _tasks(setting, trials))


def _tasks(setting: Setting, trials: int) -> Iterator[Task]:
    asked, design = asked_of(setting.protocol)
    del asked
    chunks = ceil(POPULATION / CHUNK) if scored(setting.protocol, design) else 0
    yield from (Task("population", number) for number in range(chunks))
    yield from (Task("trial", number) for number in range(trials))


def _tried(setting: Setting, finished: Finished, trials: int) -> Tried:
    by_task = finished.found
    tasks = list(_tasks(setting, trials))
    parts = [by_task[str(task)] for task in tasks if task.kind == "population"]
    return Tried(
        setting,
        truths(parts) if parts else {},
        tuple(by_task[str(task)] for task in tasks if task.kind == "trial"),
    )
