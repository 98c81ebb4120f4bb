from __future__ import annotations

import os

import pytest

from trialmlm.batch.executors import EXECUTORS, Processes, Serial, executor_for
from trialmlm.errors import UsageError

TASKS = list(range(30))


def _square(task: int) -> int:
    return task * task


def _refuses_seven(task: int) -> int:
    if task == 7:
        raise UsageError("seven")
    return task


def _threads(task: int) -> str:
    del task
    return os.environ["OMP_NUM_THREADS"]


@pytest.mark.parametrize("name", EXECUTORS)
def test_every_task_comes_back_once_with_its_own_result(name: str) -> None:
    found = dict(EXECUTORS[name](2).run(_square, TASKS))
    assert found == {task: task * task for task in TASKS}


@pytest.mark.parametrize("name", EXECUTORS)
def test_what_goes_wrong_in_a_task_is_told(name: str) -> None:
    with pytest.raises(UsageError, match="seven"):
        list(EXECUTORS[name](2).run(_refuses_seven, TASKS))


def test_nothing_to_do_is_done() -> None:
    assert list(Processes(2).run(_square, [])) == []


def test_processes_have_one_thread_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    assert dict(Processes(2).run(_threads, [1])) == {1: "1"}


def test_one_worker_stays_in_this_process() -> None:
    assert executor_for(1) == Serial()
    assert executor_for(3) == Processes(3)


@pytest.mark.parametrize("workers", [0, -2])
def test_no_workers_are_refused(workers: int) -> None:
    with pytest.raises(UsageError, match="expected 1 or more"):
        executor_for(workers)
