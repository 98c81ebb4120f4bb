"""Random numbers: one stream for each task, all from one seed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.random import Generator
    from numpy.typing import NDArray

#: the tasks; a new one goes to the end, for a task's stream is made from its position
TASKS = ("sites", "subjects", "visits", "course", "quality of life", "reports")


def streams(seed: int) -> Mapping[str, Generator]:
    """Return one generator for each task.

    Raises
    ------
    UsageError
        The seed is no whole number from 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
        raise UsageError(f"seed: found {seed!r}, expected a whole number from 0")
    children = np.random.SeedSequence(int(seed)).spawn(len(TASKS))
    return {
        task: np.random.Generator(np.random.PCG64(child))
        for task, child in zip(TASKS, children, strict=True)
    }


def child_seed(seed: int, *place: int) -> int:
    """Seed of a task by its place among others: the same whoever carries it out, and when."""
    child = np.random.SeedSequence(seed, spawn_key=place)
    return int(child.generate_state(1, np.uint64)[0])


def truncated_normal(
    rng: Generator, mean: float, sd: float, within: tuple[float, float], count: int
) -> NDArray[np.float64]:
    """Draw normal numbers, again for those that fall outside `within`."""
    values = rng.normal(mean, sd, count)
    low, high = within
    while (outside := (values < low) | (values > high)).any():
        values[outside] = rng.normal(mean, sd, int(outside.sum()))
    return values


def one_of(rng: Generator, shares: Mapping[str, float], count: int) -> NDArray[np.object_]:
    """Draw names by their shares."""
    bounds = np.cumsum(list(shares.values()))
    places = np.searchsorted(bounds / bounds[-1], rng.random(count), side="right")
    return np.array(list(shares), dtype=object)[places]
