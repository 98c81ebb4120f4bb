"""What the estimands of a protocol are in a scenario, from many subjects seen in both arms.

Every subject is met in each arm by the same chance, so that the difference between arms owes to
chance only what the arms make of it. The values are those that would be measured: nobody leaves,
and the course goes on after death as it would have gone on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from trialmlm.protocol.endpoints import ChangeEndpoint
from trialmlm.protocol.estimands import SlopeTo, ValueAt
from trialmlm.simulate.streams import child_seed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from numpy.typing import NDArray

    from trialmlm.protocol.estimands import Estimand
    from trialmlm.protocol.schema import Protocol
    from trialmlm.simulate.design import Design
    from trialmlm.simulate.outcomes import Outcomes

    Numbers = NDArray[np.float64]
    Flags = NDArray[np.bool_]

#: subjects that are met at a time
CHUNK = 20_000
#: that a population has at least
POPULATION = 400_000
_WORLDS = ("followed", "on-drug")
#: stands for strategies that differ by reason: reasons are reported, and change no value
BY_REASON = "by reason"
#: days of a year where the protocol does not say
_YEAR = 365.25


@dataclass(frozen=True, slots=True)
class Truth:
    """An estimand's value; the unit is that of the endpoint, a slope's per year.

    Attributes
    ----------
    placebo, active : float
        Mean of the arm.
    difference : float
        Active less placebo.
    error : float
        Monte-Carlo standard error of the difference.
    subjects : int
        Behind the numbers.
    """

    placebo: float
    active: float
    difference: float
    error: float
    subjects: int


#: sums over subjects of placebo, active, difference and its square, and their number
Sums = tuple[float, float, float, float, int]


def scored(protocol: Protocol, design: Design[Any, Any]) -> tuple[str, ...]:
    """Keys of the estimands whose truth the simulator knows, in the protocol's order."""
    return tuple(key for key in protocol.estimands if _known(protocol, design, key))


def sums(
    protocol: Protocol, design: Design[Any, Any], scenario: str, chunk: int, seed: int
) -> dict[str, Sums]:
    """Meet one chunk of a population in both arms, and sum up each estimand.

    Parameters
    ----------
    protocol : Protocol
    design : Design
    scenario : str
    chunk : int
        From 0; its seed is that child of `seed`.
    seed : int
    """
    parameters = design.scenario(scenario, CHUNK)
    arms = [
        {
            world: design.outcomes(course)
            for world, course in design.courses(
                parameters, child_seed(seed, chunk), _WORLDS, arm
            ).items()
        }
        for arm in (0, 1)
    ]
    return {
        key: _summed(*(_values(protocol, design, key, worlds) for worlds in arms))
        for key in scored(protocol, design)
    }


def truths(parts: Iterable[Mapping[str, Sums]]) -> dict[str, Truth]:
    """Put the chunks of a population together."""
    held = list(parts)
    return {key: _truth([part[key] for part in held]) for key in held[0]}


def _summed(placebo: Numbers, active: Numbers) -> Sums:
    difference = active - placebo
    squares = float(difference @ difference)
    return (
        float(placebo.sum()), float(active.sum()), float(difference.sum()), squares, len(placebo)
    )  # fmt: skip


def _truth(parts: list[Sums]) -> Truth:
    placebo, active, difference, squares, count = (sum(part[i] for part in parts) for i in range(5))
    variance = max(squares / count - (difference / count) ** 2, 0.0)
    return Truth(
        placebo / count, active / count, difference / count, sqrt(variance / count), int(count)
    )


def _known(protocol: Protocol, design: Design[Any, Any], key: str) -> bool:
    estimand = protocol.estimand(key)
    variable = estimand.variable
    collected = protocol.collected(variable.endpoint) if variable is not None else None
    if collected is None or collected.parameter != design.parameter:
        return False
    events = [design.events.get(event) for event in estimand.events]
    stop, death = (strategy(estimand, design, what) for what in ("stop", "death"))
    unknown = {"composite", BY_REASON} & {stop, death}
    if None in events or unknown or death == "treatment-policy":
        return False
    cut = "while-on-treatment" in {stop, death}
    return isinstance(variable, ValueAt) or (isinstance(variable, SlopeTo) and not cut)


def strategy(estimand: Estimand, design: Design[Any, Any], what: str) -> str:
    """The estimand's strategy for stopping drug (``stop``) or for ``death``; empty: it has none."""
    held = [way for event, way in estimand.handlings.items() if design.events.get(event) == what]
    if not held:
        return ""
    return BY_REASON if len(held[0].strategies) > 1 else held[0].strategy


def _values(
    protocol: Protocol, design: Design[Any, Any], key: str, worlds: Mapping[str, Outcomes]
) -> Numbers:
    """The estimand's variable of each subject, shape (n,)."""
    estimand = protocol.estimand(key)
    stop, death = (strategy(estimand, design, what) for what in ("stop", "death"))
    seen = worlds["on-drug" if stop == "hypothetical" else "followed"]
    if isinstance(estimand.variable, SlopeTo):
        return _slopes(seen, _row(design, estimand.variable.to), _year_of(protocol))
    if not isinstance(estimand.variable, ValueAt):
        raise TypeError(f"{key}: neither the value at a visit nor a slope")
    until = np.ones_like(seen.on_drug)
    if stop == "while-on-treatment":
        until &= seen.on_drug
    if death == "while-on-treatment":
        until &= seen.alive
    at = _last(seen.value, until, _row(design, estimand.variable.at))
    change = isinstance(protocol.endpoint(estimand.variable.endpoint), ChangeEndpoint)
    return at - seen.value[0] if change else at


def _last(value: Numbers, until: Flags, row: int) -> Numbers:
    """The value at the last row, up to `row`, at which `until` holds."""
    upto = until[: row + 1]
    last = row - upto[::-1].argmax(axis=0)
    found: Numbers = np.take_along_axis(value, last[np.newaxis], axis=0)[0]
    return found


def _slopes(seen: Outcomes, row: int, year: float) -> Numbers:
    """Least-squares slope of each subject's values up to `row`, per year."""
    years = seen.days[: row + 1] / year
    centred = years - years.mean(axis=0)
    found: Numbers = (centred * seen.value[: row + 1]).sum(axis=0) / (centred**2).sum(axis=0)
    return found


def _row(design: Design[Any, Any], visit: str) -> int:
    return [planned.name for planned in design.visits].index(visit)


def _year_of(protocol: Protocol) -> float:
    time = protocol.schedule.time if protocol.schedule else None
    return float(time.days_per_year) if time is not None else _YEAR
