"""Which contrasts of means there are: the one table of kinds, and contrasts given by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from numbers import Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.formula.factor import level_text

if TYPE_CHECKING:
    from trialmlm.arrays import Array

Pair: TypeAlias = "tuple[Any, Any]"
#: what a user may ask for: a kind, pairs (a, b) for a − b, or a name -> weights of the levels
Asked: TypeAlias = "str | Sequence[Pair] | Mapping[str, Mapping[Any, float] | Sequence[float]]"
#: name of a contrast -> one weight per level
Weights: TypeAlias = "dict[str, Array]"


@dataclass(frozen=True, slots=True)
class Levels:
    """What is compared.

    Attributes
    ----------
    levels : tuple
        In order; of several factors each a tuple.
    control : optional
        The level compared with; None for the first.
    scores : ndarray or None
        A number per level, for a trend.
    """

    levels: tuple[Any, ...]
    control: Any
    scores: Array | None

    def difference(self, a: Any, b: Any) -> tuple[str, Array]:
        """The name and the weights of a − b."""
        weights = np.zeros(len(self.levels))
        weights[self.place(a)] += 1.0
        weights[self.place(b)] -= 1.0
        return f"{_text(a)} - {_text(b)}", weights

    def place(self, level: Any) -> int:
        """Where a level stands."""
        if level not in self.levels:
            msg = f"contrasts: {level!r} is not among the levels {list(self.levels)}"
            raise UsageError(msg)
        return self.levels.index(level)


def contrast_weights(asked: Asked, found: Levels) -> Weights:
    """The contrasts asked for.

    Raises
    ------
    UsageError
        If the kind, a level, or the number of weights or scores is wrong; if a control or scores
        are given to a kind that does not take them; or if nothing is compared.
    """
    _check_taken(asked, found)
    weights = _weights(asked, found)
    if not weights:
        msg = f"contrasts: nothing is compared among the levels {list(found.levels)}"
        raise UsageError(msg)
    return weights


#: what only some kinds take -> those
_TAKEN: Mapping[str, tuple[str, ...]] = {
    "control": ("vs-control",),
    "scores": ("trend", "polynomial"),
}


def _check_taken(asked: Asked, found: Levels) -> None:
    """An option that would be passed over is a misunderstanding, not a request."""
    kind = asked if isinstance(asked, str) else "contrasts given by hand"
    for option, takers in _TAKEN.items():
        if getattr(found, option) is not None and kind not in takers:
            named = " and ".join(map(repr, takers))
            msg = f"contrasts: {option}= is for {named}, not for {kind!r}; leave it out"
            raise UsageError(msg)


def _weights(asked: Asked, found: Levels) -> Weights:
    if isinstance(asked, Mapping):
        return {str(name): _custom(str(name), given, found) for name, given in asked.items()}
    if isinstance(asked, Sequence) and not isinstance(asked, str):
        return dict(found.difference(*_pair(given)) for given in asked)
    if not isinstance(asked, str) or asked not in KINDS:
        known = ", ".join(map(repr, KINDS))
        msg = (
            f"contrasts: found {asked!r}, expected {known}, a list of pairs, or a mapping of "
            "names to weights"
        )
        raise UsageError(msg)
    return KINDS[asked](found)


def _pair(given: Any) -> Pair:
    if isinstance(given, str) or not isinstance(given, Sequence) or len(given) != 2:
        msg = f"contrasts: found {given!r} among the pairs, expected two levels (a, b) for a - b"
        raise UsageError(msg)
    return given[0], given[1]


def scores_of(given: Sequence[float] | Mapping[Any, float] | None, levels: tuple[Any, ...]) -> Any:
    """A score per level, in the order of the levels, from a list or a mapping."""
    if given is None:
        return None
    if isinstance(given, Mapping):
        absent = [level for level in levels if level not in given]
        if absent or len(given) != len(levels):
            msg = f"scores: give one to each of the levels {list(levels)}, found {dict(given)}"
            raise UsageError(msg)
        given = [given[level] for level in levels]
    scores = _numbers("scores", given)
    if scores.shape != (len(levels),) or not np.isfinite(scores).all():
        msg = f"scores: {len(levels)} numbers are needed, one per level {list(levels)}"
        raise UsageError(msg)
    if np.unique(scores).size < 2:
        raise UsageError("scores: they are all the same; a trend needs two different ones")
    return scores


def _pairwise(found: Levels) -> Weights:
    return dict(found.difference(a, b) for a, b in combinations(found.levels, 2))


def _versus_control(found: Levels) -> Weights:
    control = found.levels[0] if found.control is None else found.control
    found.place(control)
    return dict(found.difference(a, control) for a in found.levels if a != control)


def _consecutive(found: Levels) -> Weights:
    return dict(found.difference(later, earlier) for earlier, later in pairwise(found.levels))


def _trend(found: Levels) -> Weights:
    return {"linear": _polynomials(_scores(found), 1)[0]}


def _polynomial(found: Levels) -> Weights:
    scores = _scores(found)
    degrees = np.unique(scores).size - 1
    names = ("linear", "quadratic", "cubic", *(f"degree {k}" for k in range(4, degrees + 1)))
    return dict(zip(names, _polynomials(scores, degrees), strict=False))


#: kind -> its contrasts
KINDS: Mapping[str, Callable[[Levels], Weights]] = {
    "pairwise": _pairwise,
    "vs-control": _versus_control,
    "consecutive": _consecutive,
    "trend": _trend,
    "polynomial": _polynomial,
}


def _scores(found: Levels) -> Array:
    """Those given; else the levels if they are numbers; else their places, from 1."""
    if found.scores is not None:
        return found.scores
    if all(isinstance(level, Real) and not isinstance(level, bool) for level in found.levels):
        return np.asarray(found.levels, dtype=float)
    return np.arange(1.0, len(found.levels) + 1.0)


def _polynomials(scores: Array, degrees: int) -> list[Array]:
    """Weights whose sum with the means is the coefficient of the monic orthogonal polynomial.

    The first is the least-squares slope of the means on the scores.
    """
    centred = (scores - scores.mean()) / np.ptp(scores)
    made = [np.ones(scores.size)]
    weights = []
    for degree in range(1, degrees + 1):
        p = centred**degree
        for _ in range(2):  # the second round repairs the rounding of the first
            for q in made:
                p = p - (p @ q) / (q @ q) * q
        made.append(p)
        weights.append(p / (p @ p) / np.ptp(scores) ** degree)
    return weights


def _custom(name: str, given: Mapping[Any, float] | Sequence[float], found: Levels) -> Array:
    weights = np.zeros(len(found.levels))
    if isinstance(given, Mapping):
        places = [found.place(level) for level in given]
        weights[places] = _numbers(f"contrasts: the weights of {name}", list(given.values()))
    else:
        listed = _numbers(f"contrasts: the weights of {name}", given)
        if listed.shape != weights.shape:
            msg = (
                f"contrasts: {name} has {listed.size} weights for {len(weights)} levels "
                f"{list(found.levels)}"
            )
            raise UsageError(msg)
        weights[:] = listed
    if not np.isfinite(weights).all() or not weights.any():
        msg = f"contrasts: the weights of {name} are all zero or not finite"
        raise UsageError(msg)
    return weights


def _numbers(what: str, given: Any) -> Array:
    try:
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        msg = f"{what} must be numbers, found {given!r}"
        raise UsageError(msg) from None


def _text(level: Any) -> str:
    return " ".join(map(level_text, level)) if isinstance(level, tuple) else level_text(level)
