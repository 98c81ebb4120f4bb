"""Who carries out many tasks: this process, or several; what is found is the same."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING, Protocol, TypeVar

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

Task = TypeVar("Task")
Result = TypeVar("Result")

#: tasks that a process is handed at a time
_CHUNK = 8
#: numerical libraries start threads of their own; processes side by side want one each
_THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")


class Executor(Protocol):
    """Carries out tasks."""

    def run(
        self, work: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield every task with its result, as they are finished; in no order that is promised.

        `work` must give the same result wherever it is called: its seed comes with the task.
        """


@dataclass(frozen=True, slots=True)
class Serial:
    """One task after the other, in this process."""

    def run(
        self, work: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield every task with its result, in order."""
        for task in tasks:
            yield task, work(task)


@dataclass(frozen=True, slots=True)
class Processes:
    """A pool of processes.

    Attributes
    ----------
    workers : int
    """

    workers: int

    def run(
        self, work: Callable[[Task], Result], tasks: Sequence[Task]
    ) -> Iterator[tuple[Task, Result]]:
        """Yield every task with its result, as chunks of them are finished."""
        # spawned, for a process that has threads (a test runner's) must not be forked
        pool = ProcessPoolExecutor(self.workers, get_context("spawn"), initializer=_settle)
        try:
            chunks = [tasks[i : i + _CHUNK] for i in range(0, len(tasks), _CHUNK)]
            for done in as_completed(pool.submit(_all, work, chunk) for chunk in chunks):
                yield from done.result()
        finally:
            pool.shutdown(wait=True, cancel_futures=True)


def _all(work: Callable[[Task], Result], tasks: Sequence[Task]) -> list[tuple[Task, Result]]:
    return [(task, work(task)) for task in tasks]


def _settle() -> None:
    """Before a process does anything: threads are read once, and an interrupt is its parent's."""
    os.environ.update(dict.fromkeys(_THREADS, "1"))
    signal.signal(signal.SIGINT, signal.SIG_IGN)


#: name -> how tasks are carried out, from the number of workers
EXECUTORS: Mapping[str, Callable[[int], Executor]] = {
    "serial": lambda workers: Serial(),
    "processes": Processes,
}


def executor_for(workers: int) -> Executor:
    """The executor for a number of workers: one stays in this process.

    Raises
    ------
    UsageError
        The number is none.
    """
    if workers < 1:
        raise UsageError(f"workers: found {workers}, expected 1 or more")
    return EXECUTORS["serial" if workers == 1 else "processes"](workers)
