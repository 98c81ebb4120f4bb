"""Fixed rank-1 lattices: points of the unit cube that are spread evenly, always the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trialmlm.arrays import Array

#: roots of primes, whose multiples are spread evenly (Richtmyer's generators, as in Genz 1992)
_PRIMES = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37, 41, 43, 47, 53, 59, 61, 67, 71)


def lattice_points(count: int, dimension: int, shifts: int) -> Iterator[Array]:
    """`shifts` sets of points (count × dimension), folded so that they suit any integrand.

    The shifts are a fixed sequence too; nothing is drawn.
    """
    roots = np.sqrt(np.array(_extended(dimension), dtype=float))
    steps = np.arange(1, count + 1)[:, None] * roots
    for shift in range(shifts):
        moved = steps + (shift + 0.5) / shifts * roots[::-1]
        yield np.abs(2.0 * (moved % 1.0) - 1.0)


def _extended(dimension: int) -> tuple[int, ...]:
    """As many primes as there are dimensions."""
    found = list(_PRIMES[:dimension])
    candidate = _PRIMES[-1] + 2
    while len(found) < dimension:
        if all(candidate % prime for prime in found):
            found.append(candidate)
        candidate += 2
    return tuple(found)
