"""The imputed cells of a layout, and what rules may choose them by."""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from trialmlm.arrays import Array, BoolArray, IntArray
    from trialmlm.missing.completions import Completions
    from trialmlm.missing.layout import Layout


@dataclass(frozen=True, slots=True, eq=False)
class ImputedCells:
    """The k imputed cells and the intercurrent events of their subjects.

    Attributes
    ----------
    layout : Layout
    subject, visit : ndarray of int, shape (k,)
        Rows and columns of the layout's Y.
    values : ndarray, shape (D, k)
        As imputed.
    first : ndarray of int, shape (n,), or None
        Index of the first visit that the subject's event affects, T for a subject without one;
        None where no events are known.
    reasons : ndarray of object, shape (n,), or None
        Why, None for a subject without an event or a reason.
    """

    layout: Layout
    subject: IntArray
    visit: IntArray
    values: Array
    first: IntArray | None = None
    reasons: Any = None

    @classmethod
    def of(
        cls,
        layout: Layout,
        completions: Completions,
        first: IntArray | None = None,
        reasons: Sequence[Any] | None = None,
    ) -> ImputedCells:
        """The cells that `completions` fill.

        Raises
        ------
        UsageError
            If `first` or `reasons` are not one for each subject.
        """
        n = len(layout.subjects)
        for name, given in (("first", first), ("reasons", reasons)):
            if given is not None and len(given) != n:
                msg = f"{name}: found {len(given)}, expected one for each of {n} subjects"
                raise UsageError(msg)
        why = None
        if reasons is not None:
            known = [None if pd.isna(reason) else reason for reason in reasons]
            why = np.array([*known, None], dtype=object)[:-1]
        return cls(layout, completions.subject, completions.visit, completions.values, first, why)

    @property
    def since_event(self) -> IntArray:
        """Visits since the first affected one, (k,): 0 at that one, negative before it.

        Raises
        ------
        UsageError
            If no events are known.
        """
        if self.first is None:
            msg = (
                "this delta counts from intercurrent events, but the imputation has none; give "
                "events=, or a delta for all imputed values"
            )
            raise UsageError(msg)
        found: IntArray = self.visit - self.first[self.subject]
        return found

    def chosen(
        self,
        arms: Sequence[str] | None = None,
        visits: Sequence[Hashable] | None = None,
        reasons: Sequence[Hashable] | None = None,
        *,
        after_event: bool = False,
    ) -> BoolArray:
        """Which cells are of these arms, visits and reasons, (k,); None takes all.

        Parameters
        ----------
        arms, visits, reasons : sequence, optional
        after_event : bool
            Only those at or after the subject's event: an intermittent gap before it is left
            alone, and so is every gap of a subject without an event.

        Raises
        ------
        UsageError
            If there is no such arm, visit or reason, or what is asked for needs events.
        """
        layout = self.layout
        found = np.ones(self.subject.size, dtype=bool)
        if arms is not None:
            found &= np.isin(layout.arm[self.subject], _places("arm", arms, layout.arms))
        if visits is not None:
            found &= np.isin(self.visit, _places("visit", visits, list(layout.visits)))
        if reasons is not None:
            found &= self._for(reasons)
        return found & (self.since_event >= 0) if after_event else found

    def _for(self, reasons: Sequence[Hashable]) -> BoolArray:
        if self.reasons is None:
            msg = "this delta asks for reasons, but no reasons of the events are known"
            raise UsageError(msg)
        known = sorted({why for why in self.reasons if why is not None}, key=str)
        _places("reason", reasons, known)
        own = np.array([why in set(reasons) for why in self.reasons], dtype=bool)
        of_cells: BoolArray = own[self.subject]
        return of_cells


def _places(what: str, asked: Sequence[Hashable], known: Sequence[Hashable]) -> list[int]:
    if isinstance(asked, str):
        msg = f"delta: found {asked!r} for {what}s, expected a list such as [{asked!r}]"
        raise UsageError(msg)
    strange = [one for one in asked if one not in known]
    if strange:
        listed = ", ".join(map(str, known)) or "none"
        msg = f"delta: there is no {what} {strange[0]!r}; found {listed}"
        raise UsageError(msg)
    return [known.index(one) for one in asked]


def observed_cells(
    layout: Layout, completions: Completions, subject: IntArray, visit: IntArray
) -> BoolArray:
    """Which of the cells named were not imputed."""
    imputed = np.zeros(layout.Y.shape, dtype=bool)
    imputed[completions.subject, completions.visit] = True
    found: BoolArray = ~imputed[subject, visit]
    return found


def require_finite(name: str, amounts: Array) -> None:
    """Raise DataError where an amount is missing or infinite."""
    if not np.isfinite(amounts).all():
        msg = f"{name}: found a missing or infinite amount; every delta needs a number"
        raise DataError(msg)


def number_of(name: str, amount: object) -> float:
    """The amount as a number; raises UsageError where it is none."""
    if not isinstance(amount, Real) or isinstance(amount, bool):
        msg = f"{name}: found {amount!r}, expected a number in the unit of the response"
        raise UsageError(msg)
    return float(amount)
