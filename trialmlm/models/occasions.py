"""When a subject was measured: at visits common to all, or at times of its own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from trialmlm.covariance.register import CROSSED, FAMILIES, SPATIAL
from trialmlm.errors import FitError, NotAvailableError
from trialmlm.formula.design import Layout
from trialmlm.formula.factor import level_text
from trialmlm.formula.variables import Variable, factor

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trialmlm.arrays import Array, IntArray
    from trialmlm.covariance.family import Covariance
    from trialmlm.formula.grammar import CovarianceTerm

#: so many points in time or space are still visits common to all
_COMMON = 40
#: more visits than this are times, not visits; what is kept of them grows with their third power
_MOST = 250


@dataclass(frozen=True)
class Occasions:
    """Subjects, their occasions, and where each row stands among them.

    Attributes
    ----------
    subjects, visits : Variable
        Factors over the rows used; without common visits, a subject's first, second, … row.
    layout : Layout
    distances : ndarray, shape (T, T) or (n, T, T), optional
        Between the occasions of a spatial structure: of all subjects, or of each.
    shape : tuple of int, optional
        The levels of the two factors whose combinations are the visits.
    """

    subjects: Variable
    visits: Variable
    layout: Layout
    distances: Array | None = None
    shape: tuple[int, int] | None = None

    @property
    def common(self) -> bool:
        """Whether the visits are common to all subjects."""
        return self.distances is None or self.distances.ndim == 2

    def check_common(self, asked: str) -> None:
        """Refuse what this version has for common visits alone.

        Raises
        ------
        NotAvailableError
        """
        if not self.common:
            msg = (
                f"{asked} is not available in this version where subjects have times of their own "
                f"(more than {_COMMON} different ones); it is for planned times"
            )
            raise NotAvailableError(msg)

    @property
    def labels(self) -> list[str]:
        """Of the visits."""
        return [level_text(level) for level in self.visits.levels or ()]

    def family(self, term: CovarianceTerm, members: IntArray) -> Covariance:
        """The covariance of some subjects."""
        if self.distances is not None:
            distances = self.distances if self.common else self.distances[members]
            return SPATIAL[term.structure](distances)
        if self.shape is not None:
            return CROSSED[term.structure](self.shape)
        return FAMILIES[term.structure](self.layout.n_visits, **dict(term.options))


def occasions(term: CovarianceTerm, variables: Mapping[str, Variable]) -> Occasions:
    """Read them from the rows used.

    Raises
    ------
    FitError
        If a subject has two rows at one occasion, there are too many visits, or a spatial
        coordinate is not a number.
    """
    subjects = variables[term.subject].as_factor()
    if term.structure not in SPATIAL:
        factors = [variables[name].as_factor() for name in term.visit]
        visits = factors[0] if len(factors) == 1 else _combinations(*factors)
        _check_count(visits)
        layout = Layout.of(subjects.codes, visits.codes)
        _check_unique(layout, subjects, visits)
        shape = [len(found.levels or ()) for found in factors]
        return Occasions(
            subjects, visits, layout, shape=(shape[0], shape[1]) if len(shape) == 2 else None
        )
    coordinates = np.column_stack([variables[name].numbers() for name in term.visit])
    points, code = np.unique(coordinates, axis=0, return_inverse=True)
    visits = _points(term, points, code.reshape(-1))
    layout = Layout.of(subjects.codes, visits.codes)
    _check_unique(layout, subjects, visits)
    if len(points) <= _COMMON:
        return Occasions(subjects, visits, layout, _distances(points))
    place = _places(layout)
    own = Layout.of(layout.subject, place)
    found = factor("row", place + 1)
    return Occasions(subjects, found, own, _distances(own.table(coordinates)))


def _combinations(first: Variable, second: Variable) -> Variable:
    """Every level of the first with every level of the second, which runs fastest."""
    count = len(second.levels or ())
    codes = first.codes * count + second.codes
    levels = tuple(
        f"{level_text(a)} {level_text(b)}" for a in first.levels or () for b in second.levels or ()
    )
    empty = np.flatnonzero(np.bincount(codes, minlength=len(levels)) == 0)
    if empty.size:
        msg = (
            f"no row has {first.name} {second.name} {levels[empty[0]]}; a covariance over two "
            "factors needs every combination of their levels"
        )
        raise FitError(msg)
    return Variable(f"{first.name}, {second.name}", levels, codes)


def _points(term: CovarianceTerm, points: Array, code: IntArray) -> Variable:
    """The points in time or space as levels."""
    levels = tuple(row[0] if len(row) == 1 else tuple(row) for row in points.tolist())
    return Variable(", ".join(term.visit), levels, code)


def _places(layout: Layout) -> IntArray:
    """A row's place among its subject's, in the order of the points."""
    order = np.lexsort((layout.visit, layout.subject))
    counts = np.bincount(layout.subject)
    place = np.empty(order.size, dtype=np.intp)
    place[order] = np.arange(order.size) - np.repeat(np.cumsum(counts) - counts, counts)
    return place


def _distances(points: Array) -> Array:
    """Euclidean, between the rows of (…, T, d)."""
    apart = points[..., :, None, :] - points[..., None, :, :]
    found: Array = np.sqrt((apart**2).sum(axis=-1))
    return found


def _check_count(visits: Variable) -> None:
    count = len(visits.levels or ())
    if count > _MOST:
        msg = (
            f"{visits.name} has {count} different values, too many for visits (at most {_MOST}); "
            "use the planned visits, or for actual times sp_exp, sp_gau or sp_pow"
        )
        raise FitError(msg)


def _check_unique(layout: Layout, subjects: Variable, visits: Variable) -> None:
    cell = layout.subject * layout.n_visits + layout.visit
    if cell.max() < 8 * cell.size:  # else a count of every cell would be mostly empty
        counts = np.bincount(cell)
        twice = np.flatnonzero(counts > 1)
    else:
        cells, counts = np.unique(cell, return_counts=True)
        twice = cells[counts > 1]
    if not twice.size:
        return
    listed = ", ".join(
        f"{level_text((subjects.levels or ())[c // layout.n_visits])} at "
        f"{level_text((visits.levels or ())[c % layout.n_visits])}"
        for c in twice[:5]
    )
    msg = (
        f"{twice.size} subject-visits have several rows ({listed}"
        f"{', …' if twice.size > 5 else ''}); a model takes one row per subject and visit"
    )
    raise FitError(msg)
