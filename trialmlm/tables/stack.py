"""Spanners in rows: each above all it overlaps that are narrower."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trialmlm.tables.display import Spanner


def stacked(spanners: Sequence[Spanner]) -> tuple[tuple[Spanner, ...], ...]:
    """Put spanners in rows, the widest first, each row from left to right."""
    levels: list[list[Spanner]] = []
    for spanner in sorted(spanners, key=lambda one: (one.last - one.first, one.first)):
        level = 1 + max((k for k, row in enumerate(levels) if _overlaps(spanner, row)), default=-1)
        if level == len(levels):
            levels.append([])
        levels[level].append(spanner)
    return tuple(tuple(sorted(row, key=lambda one: one.first)) for row in reversed(levels))


def _overlaps(spanner: Spanner, row: Iterable[Spanner]) -> bool:
    return any(spanner.first <= other.last and other.first <= spanner.last for other in row)
