"""Names, values and comments as R reads them; whatever the data say, they stay what they are."""

from __future__ import annotations

import re
from numbers import Real
from typing import TYPE_CHECKING, Any

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.programs.wrap import safe, wrapped

if TYPE_CHECKING:
    from collections.abc import Iterable

_PLAIN = re.compile(r"(?:[A-Za-z]|\.(?![0-9]))[A-Za-z0-9._]*", re.ASCII)
_WORDS = frozenset(
    [
        "if",
        "else",
        "repeat",
        "while",
        "function",
        "for",
        "next",
        "break",
        "in",
        "TRUE",
        "FALSE",
        "NULL",
        "Inf",
        "NaN",
        "NA",
        "NA_integer_",
        "NA_real_",
        "NA_complex_",
        "NA_character_",
    ]
)
_ESCAPES = {"\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
#: names of objects that a program makes
_MADE = frozenset({"analysis", "fit", "means"})


def variable(name: str) -> str:
    """A column's name, in backquotes where it must be.

    Raises
    ------
    NotAvailableError
        If it holds what cannot be printed: within backquotes R knows no code for it.
    """
    if _PLAIN.fullmatch(name) and name not in _WORDS:
        return name
    if not name.isprintable():
        msg = f"R: the name {name!r} holds what cannot be printed; rename the column"
        raise NotAvailableError(msg)
    return f"`{_escaped(name, '`')}`"


def quoted(text: str) -> str:
    """A text constant."""
    return f'"{_escaped(text, chr(34))}"'


def _escaped(text: str, quote: str) -> str:
    """Quotes, backslashes and what cannot be printed, escaped.

    Raises
    ------
    NotAvailableError
        If R cannot hold the text: the character of code 0.
    """
    if "\0" in text:
        msg = f"R: {text!r} holds the character of code 0, which no R text can; recode it"
        raise NotAvailableError(msg)
    return "".join(_character(c, quote) for c in text)


def _character(c: str, quote: str) -> str:
    if c == quote:
        return f"\\{quote}"
    if c in _ESCAPES:
        return _ESCAPES[c]
    return c if c.isprintable() else f"\\U{ord(c):08x}" if ord(c) > 0xFFFF else f"\\u{ord(c):04x}"


def number(value: float) -> str:
    """A number at full precision."""
    whole = float(value).is_integer() and abs(value) < 1e15
    return str(int(value)) if whole else repr(float(value))


def level(value: Any) -> str:
    """A level as a constant.

    Raises
    ------
    NotAvailableError
        If it is no number, truth value or text.
    """
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, bool):
        return str(value).upper()
    if isinstance(value, Real):
        return number(float(value))
    msg = f"R: the level {value!r} is neither number nor text"
    raise NotAvailableError(msg)


def vector(values: Iterable[Any]) -> str:
    """Levels as ``c(…)``."""
    return f"c({', '.join(map(level, values))})"


def frame(name: str) -> str:
    """A data frame's name.

    Raises
    ------
    UsageError
    """
    if not name or name in _MADE:
        made = ", ".join(sorted(_MADE))
        msg = f"data: {name!r} cannot name the data frame: the program makes {made}"
        raise UsageError(msg)
    return variable(name)


def comment(paragraphs: Iterable[str]) -> list[str]:
    """Lines of comment."""
    return [
        f"# {line.strip()}"
        for paragraph in paragraphs
        for line in wrapped(safe(paragraph).split(), 0, hanging=0)
    ]
