"""A simulated trial as the records that the analyses of its protocol are made of.

The days of the simulators' visits stay inside the windows of the shipped protocols, so that planned
and analysed visits are the same, and nothing has to be read, derived or windowed; a test compares
what follows with a run of the protocol.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import UsageError
from trialmlm.simulate.outcomes import Factor

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trialmlm.arrays import IntArray
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design
    from trialmlm.simulate.outcomes import Outcomes


@dataclass(frozen=True, slots=True, eq=False)
class Sample:
    """The values of a trial.

    Attributes
    ----------
    frame : DataFrame
        Every subject at every visit, baseline the first; sorted by both. AVAL and CHG are those
        that would be measured.
    outcomes : Outcomes
        Behind them: what is observed among it.
    """

    frame: pd.DataFrame
    outcomes: Outcomes


def draw_sample(protocol: Protocol, design: Design[Any, Any], scenario: str, seed: int) -> Sample:
    """Simulate a trial and lay out its values.

    Parameters
    ----------
    protocol : Protocol
    design : Design
        Whose visits are those of the protocol.
    scenario : str
    seed : int
    """
    course = design.courses(design.scenario(scenario), seed, ("followed",), None)["followed"]
    outcomes = design.outcomes(course)
    return Sample(_laid_out(protocol, design, outcomes), outcomes)


def _laid_out(
    protocol: Protocol,
    design: Design[Any, Any],
    outcomes: Outcomes,
) -> pd.DataFrame:
    visits, count = outcomes.value.shape
    subject, visit = np.repeat(np.arange(count), visits), np.tile(np.arange(visits), count)
    value, names = outcomes.value, [planned.name for planned in design.visits]
    frame = {
        protocol.data.subjects.subject: subject,
        "AVISIT": coded(visit, names),
        "AVISITN": np.array([planned.week for planned in design.visits])[visit],
        "AVAL": value[visit, subject],
        "BASE": value[0, subject],
        "CHG": (value - value[0])[visit, subject],
        protocol.data.subjects.arm or "": coded(outcomes.arm[subject], design.arms),
    }
    time = protocol.schedule.time if protocol.schedule else None
    if time is not None:
        frame[time.name] = outcomes.days[visit, subject] / time.days_per_year
    for name, held in outcomes.covariates.items():
        frame[name] = _of_rows(held, subject)
    for name, stratum in protocol.strata.items():
        frame[name] = frame[stratum.column]
    return pd.DataFrame(frame)


def check_visits(protocol: Protocol, design: Design[Any, Any]) -> None:
    """Refuse a protocol whose visits are not those that are simulated.

    Raises
    ------
    UsageError
        Saying which visits differ.
    """
    planned = protocol.schedule.visit_names if protocol.schedule else ()
    simulated = tuple(visit.name for visit in design.visits[1:])
    if tuple(planned) != simulated:
        raise UsageError(
            f"{protocol.header.id}: found the visits {', '.join(planned) or 'none'}, and the "
            f"design {design.name} has {', '.join(simulated)}. Give the schedule these visits"
        )


def coded(codes: Any, levels: Iterable[str]) -> pd.Categorical:
    """Texts by their codes; the order of `levels` is theirs."""
    return pd.Categorical.from_codes(codes, pd.Index(list(levels)), ordered=True)


def _of_rows(held: Any, subject: IntArray) -> Any:
    return coded(held.codes[subject], held.levels) if isinstance(held, Factor) else held[subject]
