"""The methods of single imputation, and the options each takes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from trialmlm.arrays import Array, BoolArray

#: a column of baselines, or one number for all
Filler = str | float


@dataclass(frozen=True, slots=True)
class SingleImputation:
    """A way to fill: the one option it takes, and which cells hand their value on to later ones.

    `handed_on` is given the observed cells and how bad their values are, series × visits.
    """

    option: str | None
    handed_on: Callable[[BoolArray, Array], BoolArray]


def _every(observed: BoolArray, badness: Array) -> BoolArray:
    del badness
    return observed


def _none(observed: BoolArray, badness: Array) -> BoolArray:
    del badness
    return np.zeros_like(observed)


def _worst_so_far(observed: BoolArray, badness: Array) -> BoolArray:
    handed_on: BoolArray = observed & (badness == np.maximum.accumulate(badness, axis=1))
    return handed_on


#: method -> how it fills; its name in capitals is the derivation
METHODS: Mapping[str, SingleImputation] = {
    "locf": SingleImputation(None, _every),
    "bocf": SingleImputation("baseline", _none),
    "wocf": SingleImputation("worst", _worst_so_far),
}
#: which end of a value is bad -> its sign
WORST: Mapping[str, float] = {"higher": 1.0, "lower": -1.0}


def check_options(method: str, given: Mapping[str, object]) -> None:
    """Each method gets the option it takes and no other."""
    if method not in METHODS:
        msg = f"carry_forward: method= found {method!r}, expected one of {', '.join(METHODS)}"
        raise UsageError(msg)
    for option, found in given.items():
        takes = METHODS[method].option == option
        if takes and found is None:
            msg = f"carry_forward: method {method!r} needs {option}="
            raise UsageError(msg)
        if not takes and found is not None:
            msg = f"carry_forward: method {method!r} takes no {option}=; leave it out"
            raise UsageError(msg)
    worst = given["worst"]
    if worst is not None and worst not in WORST:
        msg = f"carry_forward: worst= found {worst!r}, expected one of {', '.join(WORST)}"
        raise UsageError(msg)


def fillers_of(
    baseline: Filler | Sequence[Filler] | None, values: tuple[str, ...]
) -> tuple[Filler, ...]:
    """What each value column is filled with; nothing where the method takes no baseline."""
    if baseline is None:
        return ()
    found = (baseline,) if isinstance(baseline, str | int | float) else tuple(baseline)
    if len(found) != len(values):
        msg = (
            f"carry_forward: baseline= names {len(found)}, but value= names {len(values)} "
            f"({', '.join(values)}); give one column or number for each"
        )
        raise UsageError(msg)
    return found
