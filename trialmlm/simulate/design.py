"""A trial that can be simulated: all that differs from one design to another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

from trialmlm.simulate.sizes import Sized, scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from trialmlm.simulate.outcomes import Outcomes
    from trialmlm.simulate.visits import PlannedVisit

Made = TypeVar("Made", bound=Sized)
Course = TypeVar("Course")
#: how it went; had nobody stopped drug; had nobody been on it
WORLDS = ("followed", "on-drug", "off-drug")


@dataclass(frozen=True, slots=True, eq=False)
class Design(Generic[Made, Course]):
    """A design with its scenarios.

    Attributes
    ----------
    name, study : str
        In protocols, and in the data.
    arms : tuple of str
        As the data name them: placebo, active.
    visits : tuple of PlannedVisit
        Baseline the first.
    parameter : str
        Code of the parameter that the outcomes are of.
    events : mapping of str to str
        What protocols call what happens to subjects: key of the event -> ``stop`` of drug,
        ``death``, or ``nothing`` where it changes no value.
    scenarios : mapping of str to parameters
    labels : mapping of str to str
        Data set -> label.
    columns : mapping of str to str
        Column of the data sets -> label.
    courses : callable
        ``courses(parameters, seed, worlds, arm)``: what happens in each world by the same chance;
        an `arm` that is not None is that of every subject.
    datasets : callable
        ``datasets(course, parameters, seed)``: what is delivered.
    latent : callable
        ``latent(courses)``: the truth behind it, from every world.
    outcomes : callable
        ``outcomes(course)``: what an analysis is made of.
    """

    name: str
    study: str
    arms: tuple[str, str]
    visits: tuple[PlannedVisit, ...]
    parameter: str
    events: Mapping[str, str]
    scenarios: Mapping[str, Made]
    labels: Mapping[str, str]
    columns: Mapping[str, str]
    courses: Callable[[Made, int, Sequence[str], int | None], dict[str, Course]]
    datasets: Callable[[Course, Made, int], dict[str, pd.DataFrame]]
    latent: Callable[[Mapping[str, Course]], pd.DataFrame]
    outcomes: Callable[[Course], Outcomes]

    def scenario(self, name: str, sizes: int | Sequence[int] | None = None) -> Made:
        """Return a scenario's parameters.

        Raises
        ------
        UsageError
            No scenario has this name, or the sizes are no sizes.
        """
        return scenario(name, self.scenarios, sizes)
