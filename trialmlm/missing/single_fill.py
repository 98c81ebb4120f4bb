"""What fills a cell that was not observed: pure functions of the table of subjects × visits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from trialmlm.arrays import Array, BoolArray, IntArray


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """The values of n series at T visits, and the options of a method.

    Attributes
    ----------
    observed : ndarray of bool, shape (n, T)
    values : tuple of ndarray, shape (n, T)
        A table per value column, NaN where not observed; empty where no method asks.
    baselines : tuple of ndarray, shape (n,)
        As many, or none.
    group : ndarray of int, shape (n,)
        Who is compared with whom.
    sign : float
        1 where higher is worse, −1 where lower is.
    later : bool
        Whether later visits count too.
    k : int
    """

    observed: BoolArray
    values: tuple[Array, ...]
    baselines: tuple[Array, ...]
    group: IntArray
    sign: float
    later: bool
    k: int

    @property
    def badness(self) -> Array:
        """How bad the first value is, −∞ where nothing is observed."""
        return np.where(self.observed, self.sign * self.values[0], -np.inf)


@dataclass(frozen=True, slots=True, eq=False)
class Filling:
    """What fills the cells; those observed are told too, and not used.

    Attributes
    ----------
    source : ndarray of int, shape (n, T)
        The visit of the same series whose row is handed on, −1 where there is none.
    numbers : tuple of ndarray, shape (n, T)
        A table per value column, which go before the source where they are not NaN; or none.
    """

    source: IntArray
    numbers: tuple[Array, ...] = ()


def latest(handed_on: BoolArray) -> IntArray:
    """The latest visit so far that hands its value on, −1 before there is one."""
    visits = np.arange(handed_on.shape[1])
    found: IntArray = np.maximum.accumulate(np.where(handed_on, visits, -1), axis=1)
    return found


def last_observed(cells: Cells) -> Filling:
    """The last observed row."""
    return Filling(latest(cells.observed))


def baseline(cells: Cells) -> Filling:
    """The baseline, whatever was observed."""
    numbers = tuple(_repeated(own, cells.observed) for own in cells.baselines)
    return Filling(np.full(cells.observed.shape, -1), numbers)


def _repeated(own: Array, like: BoolArray) -> Array:
    return np.broadcast_to(own[:, None], like.shape)


def worst_of_own(cells: Cells) -> Filling:
    """The row with the worst value of the same series, so far or at any visit; or its baseline."""
    badness = cells.badness
    worst = np.maximum.accumulate(badness, axis=1)
    if cells.later:
        worst = _repeated(worst[:, -1], cells.observed)
        source = latest(cells.observed & (badness == worst))[:, [-1] * badness.shape[1]]
    else:
        source = latest(cells.observed & (badness == worst))
    if not cells.baselines:
        return Filling(source)
    worse = cells.sign * _repeated(cells.baselines[0], cells.observed) > worst
    tables = (_repeated(own, cells.observed) for own in cells.baselines)
    return Filling(source, tuple(np.where(worse, table, np.nan) for table in tables))


def mean_of_last(cells: Cells) -> Filling:
    """The mean of the last k observed values, of fewer where there are fewer."""
    shape = cells.observed.shape
    numbers = []
    for table in cells.values:
        made = np.full(shape, np.nan)
        for visit in range(1, shape[1]):
            # places from the end, 1 for the last observed one before the visit
            rank = np.cumsum(cells.observed[:, visit - 1 :: -1], axis=1)[:, ::-1]
            used = cells.observed[:, :visit] & (rank <= cells.k)
            made[:, visit] = _mean(table[:, :visit], used)
        numbers.append(made)
    return Filling(np.full(shape, -1), tuple(numbers))


def _mean(table: Array, used: BoolArray) -> Array:
    """Means over the cells used, NaN where there are none."""
    count = used.sum(axis=1)
    sums = np.where(used, table, 0.0).sum(axis=1)
    found: Array = np.divide(sums, count, out=np.full(len(table), np.nan), where=count > 0)
    return found


def worst_of_all(cells: Cells) -> Filling:
    """The worst value that anyone of the group has at the visit."""
    groups = np.unique(cells.group)
    numbers = []
    for table in cells.values:
        bad = np.where(cells.observed & ~np.isnan(table), cells.sign * table, -np.inf)
        worst = np.stack([bad[cells.group == group].max(axis=0) for group in groups])
        worst[np.isneginf(worst)] = np.nan
        numbers.append(cells.sign * worst[np.searchsorted(groups, cells.group)])
    return Filling(np.full(cells.observed.shape, -1), tuple(numbers))


def nearest(cells: Cells) -> Filling:
    """The mean of the k of the group whose values at the visits before differ least.

    Donors are observed at the visit and at every earlier one at which the series is; the
    distance is the sum of squared differences of the first value. A series with fewer than k
    donors, or nothing before, stays empty; of equally near ones, those in sorted order count.
    """
    shape = cells.observed.shape
    numbers = tuple(np.full(shape, np.nan) for _ in cells.values)
    for one, visit in np.argwhere(~cells.observed):
        donors = _donors(cells, one, visit)
        if donors.size == cells.k:
            for made, table in zip(numbers, cells.values, strict=True):
                made[one, visit] = table[donors, visit].mean()
    return Filling(np.full(shape, -1), numbers)


def _donors(cells: Cells, one: int, visit: int) -> IntArray:
    """The k nearest, fewer where there are fewer."""
    shared = np.flatnonzero(cells.observed[one, :visit])
    needed = np.append(shared, visit)
    able = cells.observed[:, needed].all(axis=1) & (cells.group == cells.group[one])
    who = np.flatnonzero(able) if shared.size else np.zeros(0, dtype=np.intp)
    apart = cells.values[0][np.ix_(who, shared)] - cells.values[0][one, shared]
    found: IntArray = who[np.argsort((apart**2).sum(axis=1), kind="stable")[: cells.k]]
    return found
