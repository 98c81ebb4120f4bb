"""Many trials: each simulated and analysed by every method, on as many processes as there are."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING

import pandas as pd

from trialmlm.simulate import simulate_course
from validation.ipf_fvc.methods import method, methods
from validation.ipf_fvc.records import NOBODY_DIES, NOBODY_LEAVES, records
from validation.ipf_fvc.truth import truth

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.simulate.ipf_fvc.course import Course

#: trials handed to a process at a time
_CHUNK = 10
#: the method that is also made of the same subjects with nothing missing
UNMASKED = "A1"


def trial(scenario: str, seed: int, *, unmasked: bool = False) -> dict[str, float]:
    """Simulate a trial and make every analysis of it.

    Parameters
    ----------
    scenario : str
    seed : int
    unmasked : bool
        Whether random slopes are also fitted to what nobody would have seen.

    Returns
    -------
    dict
        ``A1 difference`` and so on for the methods, ``E1 placebo`` and so on for the truth,
        and random slopes of what is `SEEN` under the name of that.
    """
    course = simulate_course(scenario, seed)
    frame = records(course)
    found = {
        f"{made.name} {name}": value
        for made in methods()
        for name, value in made.estimates(frame).items()
    }
    return found | truth(course) | (_unmasked(course) if unmasked else {})


def _unmasked(course: Course) -> dict[str, float]:
    made = method(UNMASKED)
    return {
        f"{seen} {name}": value
        for seen in (NOBODY_LEAVES, NOBODY_DIES)
        for name, value in made.estimates(records(course, seen)).items()
    }


def trials(
    scenario: str, seeds: Sequence[int], workers: int = 1, *, unmasked: bool = False
) -> pd.DataFrame:
    """Make many trials; what is found does not depend on the number of processes.

    Parameters
    ----------
    scenario, unmasked
        As in `trial`.
    seeds : sequence of int
    workers : int
        Processes; 1 stays in this one.

    Returns
    -------
    DataFrame
        One row per seed, in the order given, named by it; the columns are those of `trial`.
    """
    one = partial(trial, scenario, unmasked=unmasked)
    if workers == 1:
        return pd.DataFrame([one(seed) for seed in seeds], index=list(seeds))
    # spawned, for a process that has threads (a test runner's) must not be forked
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
        return pd.DataFrame(list(pool.map(one, seeds, chunksize=_CHUNK)), index=list(seeds))
