"""A few subjects of many, the same few on every machine."""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def sampled(subjects: Iterable[str], most: int) -> tuple[str, ...]:
    """At most so many subjects, sorted; which ones depends on their identifiers alone."""
    ranked = sorted(set(subjects), key=lambda name: (sha256(name.encode()).digest(), name))
    return tuple(sorted(ranked[:most]))
