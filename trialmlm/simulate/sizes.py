"""A scenario by its name, with as many subjects as are asked for."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, TypeVar

from trialmlm.errors import UsageError
from trialmlm.protocol.names import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


@dataclass(frozen=True, slots=True)
class Sized:
    """What every simulated trial is made with.

    Attributes
    ----------
    sizes : tuple of int
        Subjects of each arm: placebo, active.
    """

    sizes: tuple[int, int]


Parameters = TypeVar("Parameters", bound=Sized)
#: an arm needs two subjects for anything to be compared
SMALLEST_ARM = 2


def scenario(
    name: str, scenarios: Mapping[str, Parameters], sizes: int | Sequence[int] | None = None
) -> Parameters:
    """Return a scenario's parameters.

    Parameters
    ----------
    name : str
    scenarios : mapping of str to parameters
        Those of the design.
    sizes : int or sequence of two int, optional
        Subjects in all, shared as the scenario shares them; or those of each arm, placebo first.

    Raises
    ------
    UsageError
        No scenario has this name, or the sizes are no sizes.
    """
    if name not in scenarios:
        known = ", ".join(scenarios)
        raise UsageError(
            f"found the scenario {name!r}, expected one of {known}{did_you_mean(name, scenarios)}"
        )
    found = scenarios[name]
    return found if sizes is None else replace(found, sizes=_sizes(sizes, found.sizes))


def _sizes(sizes: int | Sequence[int], shared_as: tuple[int, int]) -> tuple[int, int]:
    held = _shared(sizes, shared_as) if isinstance(sizes, int) else tuple(sizes)
    if len(held) != len(shared_as) or any(size < SMALLEST_ARM for size in held):
        told = sizes if isinstance(sizes, int) else " ".join(map(str, sizes)) or "nothing"
        raise UsageError(
            f"sizes: found {told}, expected the number of subjects in all, or two numbers "
            f"(placebo, active), with at least {SMALLEST_ARM} subjects in each arm"
        )
    return held[0], held[1]


def _shared(total: int, shared_as: tuple[int, int]) -> tuple[int, int]:
    placebo, active = shared_as
    first = round(total * placebo / (placebo + active))
    return first, total - first
