"""What an imputation is asked for beside its model: checked before anything is fitted."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Integral, Real
from typing import TYPE_CHECKING

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from trialmlm.missing.sampler import Sampler


@dataclass(frozen=True, slots=True)
class Asked:
    """How many replicates, from which seed, and what share of further ones may fail.

    Attributes
    ----------
    replicates, seed : int
    tolerated : float
    sampler : Sampler or None
        None for what the method takes by default.
    """

    replicates: int = 1
    seed: int = 0
    tolerated: float = 0.01
    sampler: Sampler | None = None


def replicates_asked(what: str, replicates: object, seed: object, tolerated: object) -> Asked:
    """Read what a method that draws at random needs.

    Parameters
    ----------
    what : str
        What `replicates` is called: imputations, replicates.

    Raises
    ------
    UsageError
        If their number is missing or not above zero, or the seed is missing.
    """
    if not _whole(replicates) or int(replicates) < 1:  # type: ignore[call-overload]
        msg = (
            f"{what}: found {replicates!r}, expected a whole number above zero: this method draws "
            f"at random, so say how often, as {what}=100"
        )
        raise UsageError(msg)
    if not _whole(seed) or int(seed) < 0:  # type: ignore[call-overload]
        msg = (
            f"seed: found {seed!r}, expected a whole number that is not negative: a method that "
            "draws at random needs one, so that its result can be had again, as seed=1"
        )
        raise UsageError(msg)
    return Asked(int(replicates), int(seed), share_tolerated(tolerated))  # type: ignore[call-overload]


def nothing_random(method: str, **given: object) -> None:
    """Refuse what only a method that draws at random takes.

    Raises
    ------
    UsageError
    """
    for name, value in given.items():
        if value is not None:
            msg = f"{name}: found {value!r}, but {method} draws nothing at random; leave it out"
            raise UsageError(msg)


def share_tolerated(share: object) -> float:
    """The share of resamples that may fail.

    Raises
    ------
    UsageError
    """
    if not isinstance(share, Real) or isinstance(share, bool) or not 0.0 <= float(share) < 1.0:
        msg = f"failures: found {share!r}, expected a share from 0 to below 1, as 0.01"
        raise UsageError(msg)
    return float(share)


def _whole(value: object) -> bool:
    return isinstance(value, Integral) and not isinstance(value, bool)
