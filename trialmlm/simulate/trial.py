"""A simulated trial: the data sets as they would be delivered, and the truth behind them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.simulate.design import WORLDS
from trialmlm.simulate.designs import find_design
from trialmlm.simulate.write import write_trial

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from trialmlm.simulate.sizes import Sized

    Sizes = int | Sequence[int] | None

#: the design that is meant where none is named
DEFAULT_DESIGN = "ipf_fvc"


@dataclass(frozen=True, slots=True, eq=False)
class SimulatedTrial:
    """A trial that never was.

    Attributes
    ----------
    design, scenario : str
    seed : int
    parameters : Sized
        What it was made with, the sizes of the arms among them.
    datasets : mapping of str to DataFrame
        As ADaM lays them out.
    latent : DataFrame
        One row per subject and planned visit, whether or not it took place: the value as it went,
        that had nobody stopped drug, that had nobody been on it, and the subject's state at the
        visit.
    """

    design: str
    scenario: str
    seed: int
    parameters: Sized
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


def simulate_trial(
    scenario: str, seed: int, sizes: Sizes = None, design: str = DEFAULT_DESIGN
) -> SimulatedTrial:
    """Simulate a trial with its data sets and its truth.

    Parameters
    ----------
    scenario : str
        One of the design's.
    seed : int
        The same seed gives the same trial, whatever else is simulated. Scenarios with one seed
        share all that chance decides.
    sizes : int or sequence of two int, optional
        Subjects in all, or those of each arm (placebo, active); by default the scenario's.
    design : str
        Name in `trialmlm.simulate.DESIGNS`.

    Raises
    ------
    UsageError
        No such design or scenario, or a seed or sizes that are none.
    """
    held = find_design(design)
    parameters = held.scenario(scenario, sizes)
    courses = held.courses(parameters, seed, WORLDS, None)
    return SimulatedTrial(
        design=design,
        scenario=scenario,
        seed=int(seed),
        parameters=parameters,
        datasets=held.datasets(courses["followed"], parameters, seed),
        latent=held.latent(courses),
    )


def simulate_course(
    scenario: str,
    seed: int,
    sizes: Sizes = None,
    world: str = "followed",
    design: str = DEFAULT_DESIGN,
) -> Any:
    """Simulate what happens to the subjects, without data sets: quick, for many trials.

    Parameters
    ----------
    scenario, seed, sizes, design
        As in `simulate_trial`; the course is that of its trial.
    world : str
        ``followed``, ``on-drug`` (had nobody stopped it) or ``off-drug`` (had nobody been on it).

    Returns
    -------
    Course
        Of the design.

    Raises
    ------
    UsageError
        As in `simulate_trial`, or no such world.
    """
    if world not in WORLDS:
        raise UsageError(f"found the world {world!r}, expected one of {', '.join(WORLDS)}")
    held = find_design(design)
    return held.courses(held.scenario(scenario, sizes), seed, (world,), None)[world]
