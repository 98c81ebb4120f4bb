"""What is assumed of a subject after an intercurrent event: strategies of imputation.

A strategy makes, of the distribution that a subject would have in its own arm and of the one that
it would have in the reference arm, the joint distribution of all its visits. What is missing is
then imputed given what was observed. The five are those of Carpenter, Roger and Kenward, J Biopharm
Stat 2013;23:1352.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from trialmlm.engine.conditional import joined
from trialmlm.errors import UsageError
from trialmlm.expressions.abbreviations import in_full
from trialmlm.expressions.refusal import did_you_mean

if TYPE_CHECKING:
    from trialmlm.arrays import Array


@dataclass(frozen=True, slots=True)
class Course:
    """A normal distribution of a subject's responses over the visits.

    Attributes
    ----------
    mean : ndarray, shape (…, T)
    covariance : ndarray, shape (…, T, T)
    """

    mean: Array
    covariance: Array


#: (in the own arm, in the reference arm, index of the first visit affected) -> the course assumed
Assume: TypeAlias = Callable[[Course, Course, int], Course]


@dataclass(frozen=True, slots=True)
class Strategy:
    """An assumption by its name.

    Attributes
    ----------
    name : str
    assume : callable
        Pure; its arrays carry leading axes (draws, subjects), so it works on the last ones.
    words : str
        The assumption, for a table.
    reference : bool
        Whether it asks for a reference arm.
    earlier_visit : bool
        Whether it asks for a visit before the event.
    fitted : bool
        Whether values observed after the event enter the imputation model.
    own_after : bool
        Whether it reads the own arm's mean after the event, which must then be known.
    throughout : bool
        Whether gaps before the event are imputed by it too.
    """

    name: str
    assume: Assume
    words: str
    reference: bool = True
    earlier_visit: bool = False
    fitted: bool = False
    own_after: bool = False
    throughout: bool = False


def missing_at_random(own: Course, reference: Course, first: int) -> Course:
    """The course of the own arm throughout."""
    del reference, first
    return own


def jump_to_reference(own: Course, reference: Course, first: int) -> Course:
    """The own arm's mean before the event, the reference's from it on."""
    mean = np.concatenate([own.mean[..., :first], reference.mean[..., first:]], axis=-1)
    return Course(mean, joined(own.covariance, reference.covariance, first))


def copy_reference(own: Course, reference: Course, first: int) -> Course:
    """The reference's course throughout, before the event too."""
    del own, first
    return reference


def copy_increments(own: Course, reference: Course, first: int) -> Course:
    """The own arm's mean before the event, thereafter moving as the reference's does."""
    if first == 0:
        return reference
    gap = own.mean[..., first - 1 : first] - reference.mean[..., first - 1 : first]
    mean = np.concatenate([own.mean[..., :first], reference.mean[..., first:] + gap], axis=-1)
    return Course(mean, joined(own.covariance, reference.covariance, first))


def last_mean_carried_forward(own: Course, reference: Course, first: int) -> Course:
    """The own arm's mean stays where it was at the last visit before the event."""
    del reference
    last = own.mean[..., first - 1 : first]
    after = np.broadcast_to(last, own.mean[..., first:].shape)
    return Course(np.concatenate([own.mean[..., :first], after], axis=-1), own.covariance)


MAR, RETRIEVED = "mar", "retrieved-dropout"
#: the strategies known by name
_REGISTER: dict[str, Strategy] = {
    strategy.name: strategy
    for strategy in (
        Strategy(
            MAR,
            missing_at_random,
            "continues as subjects of the own arm who stayed",
            reference=False,
            fitted=True,
        ),
        Strategy(
            RETRIEVED,
            missing_at_random,
            "as subjects of the arm who were observed after their event",
            reference=False,
            fitted=True,
        ),
        Strategy(
            "jump-to-reference",
            jump_to_reference,
            "from the event on, has the mean of the reference arm",
        ),
        Strategy(
            "copy-reference",
            copy_reference,
            "has the course of the reference arm throughout",
            throughout=True,
        ),
        Strategy(
            "copy-increments",
            copy_increments,
            "keeps the benefit had at the event, then changes as the reference arm does",
        ),
        Strategy(
            "last-mean-carried-forward",
            last_mean_carried_forward,
            "the mean of the own arm stays where it was before the event",
            reference=False,
            earlier_visit=True,
        ),
    )
}


def strategies() -> Mapping[str, Strategy]:
    """The strategies by name."""
    return dict(_REGISTER)


def find_strategy(name: object) -> Strategy:
    """The strategy of a name.

    Raises
    ------
    UsageError
        If there is none; names the nearest.
    """
    found = _REGISTER.get(name) if isinstance(name, str) else None
    if found is None:
        known = ", ".join(_REGISTER)
        hint = in_full(str(name)) or did_you_mean(str(name), _REGISTER)
        msg = f"events: {name!r} is no strategy{hint} (strategies: {known})"
        raise UsageError(msg)
    return found


def register_strategy(
    name: str, assume: Assume, *, words: str, reference: bool = True, earlier_visit: bool = False
) -> None:
    """Make a strategy of one's own known under a name.

    Parameters
    ----------
    name : str
        What the events call it.
    assume : callable
        Of the :class:`Course` in the own arm, that in the reference arm and the index of the
        first visit affected, the course assumed. Means are (…, T), covariances (…, T, T): index
        the last axes, as ``own.mean[..., first:]``, and change nothing in place.
    words : str
        The assumption, as a table is to say it.
    reference, earlier_visit : bool
        Whether it asks for a reference arm, and for a visit before the event.

    Raises
    ------
    UsageError
        If the name is taken or empty, or `assume` cannot be called.

    Examples
    --------
    >>> def halfway(own, reference, first):
    ...     mean = own.mean.copy()
    ...     mean[..., first:] = (own.mean[..., first:] + reference.mean[..., first:]) / 2
    ...     return Course(mean, own.covariance)
    >>> register_strategy("halfway", halfway, words="keeps half of the benefit")
    """
    if not isinstance(name, str) or not name.strip() or name in _REGISTER:
        msg = f"register_strategy: {name!r} is empty or taken already; choose another name"
        raise UsageError(msg)
    if not callable(assume):
        msg = f"register_strategy: {name} is {type(assume).__name__}, expected a function"
        raise UsageError(msg)
    _REGISTER[name] = Strategy(
        name, assume, words, reference=reference, earlier_visit=earlier_visit, own_after=True
    )
