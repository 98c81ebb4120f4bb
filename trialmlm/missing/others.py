"""How many more there are than the one that a message names."""

from __future__ import annotations


def and_others(found: int) -> str:
    """`` (and 2 more)`` where three were found; nothing where one was."""
    return f" (and {found - 1:,} more)" if found > 1 else ""
