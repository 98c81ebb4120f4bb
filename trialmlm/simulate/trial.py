"""A simulated trial: the data sets as they would be delivered, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trialmlm.simulate.chances import draw_chances
from trialmlm.simulate.datasets import all_datasets
from trialmlm.simulate.latent import latent_frame
from trialmlm.simulate.scenarios import scenario as find_scenario
from trialmlm.simulate.streams import streams
from trialmlm.simulate.subjects import draw_subjects
from trialmlm.simulate.walk import WORLDS, follow
from trialmlm.simulate.write import write_trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from trialmlm.simulate.course import Course
    from trialmlm.simulate.parameters import Parameters

    Sizes = int | Sequence[int] | None


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTrial:
    """A trial that never was.

    Attributes
    ----------
    scenario : str
    seed : int
    parameters : Parameters
        What it was made with, the sizes of the arms among them.
    datasets : mapping of str to DataFrame
        adsl, adfvc, adqs, adtte, adae, adcm, as ADaM lays them out.
    latent : DataFrame
        One row per subject and planned visit, whether or not it took place: the true FVC, that
        had nobody stopped drug, that had nobody been on it, the error of measurement, and the
        subject's state at the visit.
    """

    scenario: str
    seed: int
    parameters: Parameters
    datasets: Mapping[str, pd.DataFrame]
    latent: pd.DataFrame

    def write(self, folder: str | Path, format: str = "csv") -> tuple[Path, ...]:  # noqa: A002
        """Write the data sets, ``latent`` and ``simulation.json``; each file whole or not at all.

        Parameters
        ----------
        folder : str or Path
            Made where it is not there.
        format : str
            ``csv``.

        Returns
        -------
        tuple of Path
            The files.

        Raises
        ------
        UsageError
            The folder cannot be used, or the format is not known.
        """
        return write_trial(self, folder, format)


def simulate_trial(scenario: str, seed: int, sizes: Sizes = None) -> SimulatedTrial:
    """Simulate a trial with its data sets and its truth.

    Parameters
    ----------
    scenario : str
        Name in `SCENARIOS`.
    seed : int
        The same seed gives the same trial, whatever else is simulated. Scenarios with one seed
        share all that chance decides.
    sizes : int or sequence of two int, optional
        Subjects in all, or those of each arm (placebo, active); by default the scenario's.

    Raises
    ------
    UsageError
        No such scenario, or a seed or sizes that are none.
    """
    parameters = find_scenario(scenario, sizes)
    courses = _courses(parameters, seed, tuple(WORLDS))
    return SimulatedTrial(
        scenario=scenario,
        seed=int(seed),
        parameters=parameters,
        datasets=all_datasets(courses["followed"], parameters, streams(seed)),
        latent=latent_frame(courses),
    )


def simulate_course(
    scenario: str, seed: int, sizes: Sizes = None, world: str = "followed"
) -> Course:
    """Simulate what happens to the subjects, without data sets: quick, for many trials.

    Parameters
    ----------
    scenario, seed, sizes
        As in `simulate_trial`; the course is that of its trial.
    world : str
        Name in `trialmlm.simulate.walk.WORLDS`.

    Raises
    ------
    UsageError
        As in `simulate_trial`.
    """
    return _courses(find_scenario(scenario, sizes), seed, (world,))[world]


def _courses(parameters: Parameters, seed: int, worlds: Sequence[str]) -> dict[str, Course]:
    """Meet the same chance in each world."""
    tasks = streams(seed)
    subjects = draw_subjects(tasks, parameters)
    chances = draw_chances(tasks, parameters, len(subjects))
    return {world: follow(subjects, chances, parameters, WORLDS[world]) for world in worlds}
