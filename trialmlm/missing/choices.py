"""One of several words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.errors import UsageError
from trialmlm.expressions.refusal import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable


def one_of(name: str, value: object, known: Iterable[str]) -> str:
    """The value, if it is one of those known.

    Raises
    ------
    UsageError
        Names the nearest.
    """
    names = list(known)
    if not isinstance(value, str) or value not in names:
        hint = did_you_mean(str(value), names)
        msg = f"{name}: found {value!r}, expected one of {', '.join(names)}{hint}"
        raise UsageError(msg)
    return value
