"""Patterns of missing data out of records: at which visits subjects were observed."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.figures.order import FigureOrder
    from trialmlm.results.results import Results


@dataclass(frozen=True, slots=True)
class Pattern:
    """Subjects observed at the same visits.

    Attributes
    ----------
    observed : tuple of bool
        By visit, in schedule order; empty for patterns pooled.
    counts : tuple of int
        Subjects by arm.
    pooled : int
        How many patterns are pooled in this row; 0 for a pattern of its own.
    """

    observed: tuple[bool, ...]
    counts: tuple[int, ...]
    pooled: int = 0

    @property
    def monotone(self) -> bool:
        """Nothing is observed after the first gap."""
        return list(self.observed) == sorted(self.observed, reverse=True)

    @property
    def subjects(self) -> int:
        """Over all arms."""
        return sum(self.counts)


def patterns_of(order: FigureOrder, results: Results) -> tuple[Pattern, ...]:
    """The patterns of the order's first analysis.

    Monotone ones come first, the complete one at their head, the earliest dropout last; the others
    follow by frequency.
    """
    name = order.analyses[0].key if order.analyses else ""
    subjects: dict[str, tuple[str, set[str]]] = {}
    for row in results.records:
        if row.analysis == name:
            _, seen = subjects.setdefault(row.subject, (row.arm, set()))
            seen |= {row.visit} if isfinite(row.observed) else set()
    visits = [visit.name for visit in order.visits]
    arms = [arm.key for arm in order.arms]
    counted = Counter(
        (tuple(visit in seen for visit in visits), arm)
        for arm, seen in subjects.values()
        if arm in arms
    )
    found = (
        Pattern(observed, tuple(counted[observed, arm] for arm in arms))
        for observed in {observed for observed, _ in counted}
    )
    return tuple(sorted(found, key=_rank)) if visits else ()


def _rank(pattern: Pattern) -> tuple[object, ...]:
    late_first = tuple(not seen for seen in pattern.observed)
    if pattern.monotone:
        return (0, late_first)
    return (1, -pattern.subjects, late_first)


def pooled(patterns: Sequence[Pattern], most: int) -> tuple[Pattern, ...]:
    """At most so many rows: the rarest patterns that are not monotone are pooled in the last."""
    if len(patterns) <= most:
        return tuple(patterns)
    kept, rest = patterns[: most - 1], patterns[most - 1 :]
    counts = tuple(map(sum, zip(*(one.counts for one in rest), strict=True)))
    return (*kept, Pattern((), counts, len(rest)))
