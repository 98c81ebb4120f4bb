"""Delta adjustment: what is added to imputed values, so that missing at random is left by so much.

A rule says what it adds to which cells; several rules add up. Each is a pure function of the
imputed cells, so that an analysis, a tipping point and a protocol share them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from trialmlm.errors import UsageError
from trialmlm.missing.imputed_cells import number_of, require_finite

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Sequence

    from trialmlm.arrays import Array
    from trialmlm.missing.imputed_cells import ImputedCells


class DeltaRule(Protocol):
    """What is added to imputed values."""

    def added(self, cells: ImputedCells) -> Array:
        """In the response's unit, (k,) or (D, k)."""


@dataclass(frozen=True, slots=True)
class Delta:
    """The same amount for every imputed value chosen.

    Attributes
    ----------
    amount : float or mapping of visit to float
        In the response's unit; by visit, a visit that is not named gets nothing.
    arms, visits, reasons : sequence, optional
        Labels of those to shift; by default all.
    after_event : bool
        Leave alone intermittent gaps before a subject's event, and subjects without one.

    Examples
    --------
    >>> Delta(2.0, arms=("DRUG",), reasons=("ADVERSE EVENT",), after_event=True).amount
    2.0
    """

    amount: float | Mapping[Hashable, float]
    arms: Sequence[str] | None = None
    visits: Sequence[Hashable] | None = None
    reasons: Sequence[Hashable] | None = None
    after_event: bool = False

    def added(self, cells: ImputedCells) -> Array:
        """The amount where chosen, else 0, (k,).

        Raises
        ------
        UsageError
            If there is no such arm, visit or reason, or events are asked for and not known.
        DataError
            If an amount is no number.
        """
        chosen = cells.chosen(self.arms, self.visits, self.reasons, after_event=self.after_event)
        return np.where(chosen, _by_visit(self.amount, cells)[cells.visit], 0.0)


@dataclass(frozen=True, slots=True)
class DeltaFactor:
    """Imputed values multiplied: SCALE= of SAS PROC MI's MNAR ADJUST.

    Attributes
    ----------
    factor : float
        1 changes nothing. A change from baseline is what is multiplied where that is the response.
    arms, visits, reasons, after_event
        As of `Delta`.
    """

    factor: float
    arms: Sequence[str] | None = None
    visits: Sequence[Hashable] | None = None
    reasons: Sequence[Hashable] | None = None
    after_event: bool = False

    def added(self, cells: ImputedCells) -> Array:
        """(factor - 1) times the value as imputed, (D, k).

        Raises
        ------
        UsageError, DataError
            As of `Delta`.
        """
        require_finite("DeltaFactor", np.asarray(self.factor, dtype=float))
        chosen = cells.chosen(self.arms, self.visits, self.reasons, after_event=self.after_event)
        return np.where(chosen, (self.factor - 1) * cells.values, 0.0)


@dataclass(frozen=True, slots=True)
class AccumulatedDelta:
    """A delta that builds up from visit to visit after the event.

    The first affected visit gets δ_t·lag_1, the next δ_(t+1)·lag_2 more, and so on: the delta and
    dlag of R's rbmi and of the five macros in SAS. Gaps before the event, and those of subjects
    without one, are left alone.

    Attributes
    ----------
    delta : sequence of float, length T
        δ of each visit.
    lag : sequence of float, length T
        Its weight at the first affected visit, the second, …: (1, 0, 0, …) adds once and keeps
        the amount; (1, 1, 1, …) adds at every visit.
    arms, reasons : sequence, optional
        As of `Delta`.

    Examples
    --------
    >>> AccumulatedDelta((5, 6, 7, 8), (1, 2, 3, 4)).by_event(4)[1]  # first affected: the second
    array([ 0.,  6., 20., 44.])
    """

    delta: Sequence[float]
    lag: Sequence[float]
    arms: Sequence[str] | None = None
    reasons: Sequence[Hashable] | None = None

    def by_event(self, n_visits: int) -> Array:
        """What each visit gets, a row for each first affected visit; the last row, of none, is 0.

        Raises
        ------
        UsageError
            If delta or lag are not one number for each visit.
        """
        for name, given in (("delta", self.delta), ("lag", self.lag)):
            if len(given) != n_visits:
                msg = (
                    f"AccumulatedDelta: {name} has {len(given)} numbers, expected one for each of "
                    f"{n_visits} visits"
                )
                raise UsageError(msg)
        delta, lag = np.asarray(self.delta, dtype=float), np.asarray(self.lag, dtype=float)
        added = np.zeros((n_visits + 1, n_visits))
        for first in range(n_visits):
            added[first, first:] = np.cumsum(delta[first:] * lag[: n_visits - first])
        return added

    def added(self, cells: ImputedCells) -> Array:
        """The running sum since the event, (k,).

        Raises
        ------
        UsageError, DataError
            As of `Delta` and `by_event`; no events are known.
        """
        made = self.by_event(len(cells.layout.visits))
        require_finite("AccumulatedDelta", made)
        chosen = cells.chosen(self.arms, None, self.reasons, after_event=True)
        # chosen cells are at or after the event: the visit less the visits since is the first
        first = np.clip(cells.visit - cells.since_event, 0, len(cells.layout.visits))
        return np.where(chosen, made[first, cells.visit], 0.0)


@dataclass(frozen=True, slots=True)
class DeltaPerTime:
    """A delta that grows with the time since the event: so much a year.

    Attributes
    ----------
    amount : float
        Per unit of time.
    times : mapping of visit to float
        When each visit is due, such as in years.
    begins : {"last-unaffected-visit", "first-affected-visit"}
        Where time starts: at the visit before the event (0 before the first), so that the first
        affected visit is shifted already; or at that visit, which is not.
    arms, reasons : sequence, optional
        As of `Delta`.
    """

    amount: float
    times: Mapping[Hashable, float]
    begins: str = "last-unaffected-visit"
    arms: Sequence[str] | None = None
    reasons: Sequence[Hashable] | None = None

    def added(self, cells: ImputedCells) -> Array:
        """The amount times the time since, (k,); nothing before the event or without one.

        Raises
        ------
        UsageError, DataError
            As of `Delta`; a visit has no time, no events are known, or `begins` is unknown.
        """
        if self.begins not in _BEGINS:
            msg = f"DeltaPerTime: begins found {self.begins!r}, expected {' or '.join(_BEGINS)}"
            raise UsageError(msg)
        absent = [visit for visit in cells.layout.visits if visit not in self.times]
        if absent:
            msg = f"DeltaPerTime: times name no time of visit {absent[0]}; give one for every visit"
            raise UsageError(msg)
        times = np.array([0.0, *(self.times[visit] for visit in cells.layout.visits)])
        require_finite("DeltaPerTime", np.append(times, self.amount))
        chosen = cells.chosen(self.arms, None, self.reasons, after_event=True)
        start = np.clip(cells.visit - cells.since_event + _BEGINS[self.begins], 0, len(times) - 1)
        return np.where(chosen, self.amount * (times[cells.visit + 1] - times[start]), 0.0)


#: where time starts -> how far from the visit before the first affected one
_BEGINS: Mapping[str, int] = {"last-unaffected-visit": 0, "first-affected-visit": 1}


def delta_of(rules: Iterable[DeltaRule], cells: ImputedCells) -> Array:
    """What several rules add together, (k,), or (D, k) where a rule multiplies.

    Parameters
    ----------
    rules : iterable of DeltaRule
    cells : ImputedCells

    Raises
    ------
    UsageError, DataError
        As the rules do.
    """
    total = np.zeros(cells.subject.size)
    for rule in rules:
        total = total + rule.added(cells)
    return total


def _by_visit(amount: float | Mapping[Hashable, float], cells: ImputedCells) -> Array:
    visits = list(cells.layout.visits)
    if not isinstance(amount, Mapping):
        found = np.full(len(visits), number_of("Delta", amount))
    else:
        strange = [visit for visit in amount if visit not in visits]
        if strange:
            listed = ", ".join(map(str, visits))
            msg = f"delta: there is no visit {strange[0]!r}; found {listed}"
            raise UsageError(msg)
        found = np.array([number_of("Delta", amount.get(visit, 0.0)) for visit in visits])
    require_finite("Delta", found)
    return found
