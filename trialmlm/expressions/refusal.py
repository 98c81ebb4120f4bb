"""How an expression is refused: a message, the place, and a near name where there is one."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

from trialmlm.errors import ExpressionError

if TYPE_CHECKING:
    from collections.abc import Iterable


def refused(message: str, text: str, start: int, end: int) -> ExpressionError:
    """Return the error for ``text[start:end]``, safe to print on one line of a terminal.

    What cannot be printed is shown as a blank of the same width, so the carets stay in place.
    """
    shown = "".join(character if character.isprintable() else " " for character in text)
    return ExpressionError(message, shown, start, end)


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean X?"`` for the nearest of `known`, or nothing.

    Upper and lower case are taken as the same.
    """
    folded = {name.casefold(): name for name in known}
    near = difflib.get_close_matches(word.casefold(), folded, n=1)
    return f"; did you mean {folded[near[0]]}?" if near else ""
