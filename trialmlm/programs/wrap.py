"""Long statements over several lines, broken between words that belong together."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WIDTH = 88


def wrapped(words: Iterable[str], indent: int, *, hanging: int = 4) -> list[str]:
    """Lines of at most `WIDTH` characters where the words allow it; none is broken."""
    lines: list[str] = []
    line = " " * indent
    for word in words:
        if line.strip() and len(line) + 1 + len(word) > WIDTH:
            lines.append(line)
            line = " " * (indent + hanging)
        line += word if not line.strip() else f" {word}"
    return [*lines, line] if line.strip() else lines


def enclosed(opening: str, words: Iterable[str], closing: str) -> list[str]:
    """The words with `opening` before the first and `closing` behind the last."""
    first, *rest = words
    return (
        [f"{opening}{first}", *rest[:-1], f"{rest[-1]}{closing}"]
        if rest
        else [f"{opening}{first}{closing}"]
    )


def safe(text: str) -> str:
    """Text for a comment: what cannot be printed on one line becomes a question mark."""
    return "".join(c if c.isprintable() else "?" for c in text)
