"""Visit windows: study days, the window a day falls in, and the one record a visit takes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from trialmlm.errors import DataError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

    from trialmlm.adam.populations import Where

#: which record of a window is analysed: the one where this, of day and target day, is smallest
CHOICES: Mapping[str, Callable[[pd.Series[float], pd.Series[float]], pd.Series[float]]] = {
    "nearest": lambda day, target: (day - target).abs(),
    "first": lambda day, target: day,
    "last": lambda day, target: -day,
}
#: which of two equally near records: the sign of the day in the sort
TIES: Mapping[str, int] = {"earlier": 1, "later": -1}
#: what becomes of unscheduled records
UNSCHEDULED: Mapping[str, bool] = {"eligible": True, "excluded": False}
_WORDS: Mapping[str, str] = {
    "nearest": "nearest the target day, of two equally near the {ties}",
    "first": "the first in the window",
    "last": "the last in the window",
}
_NO_CLAUSE = (
    "in_window: unscheduled: excluded needs the where-clause that says which records come from "
    "unscheduled visits. Add it to the records' role (unscheduled:), or let them be eligible."
)


@dataclass(frozen=True, slots=True)
class Window:
    """One analysis visit and its window in study days.

    Attributes
    ----------
    name : str
        What the outputs call the visit.
    day : float
        The target day.
    low, high : float or None
        First and last day of the window; None: open.
    number, value : float or None, str or None
        The visit's number and text in the data, where they are read; by default the text is `name`.
    """

    name: str
    day: float
    low: float | None = None
    high: float | None = None
    number: float | None = None
    value: str | None = None

    @property
    def text(self) -> str:
        """The visit's text in the data."""
        return self.name if self.value is None else self.value.strip()

    @property
    def bounds(self) -> tuple[float, float]:
        """First and last day, infinite where open."""
        low = -np.inf if self.low is None else self.low
        return low, np.inf if self.high is None else self.high


@dataclass(frozen=True, slots=True)
class Schedule:
    """The analysis visits in order, and how the data call the baseline visit."""

    windows: tuple[Window, ...]
    baseline: Window = Window("Baseline", 1)

    @property
    def names(self) -> tuple[str, ...]:
        """The visits' names, in order."""
        return tuple(window.name for window in self.windows)

    @property
    def numbers(self) -> NDArray[np.float64]:
        """The visits' numbers where every visit has one, otherwise 1, 2, …, shape (visits,)."""
        numbers = [w.number for w in self.windows if w.number is not None]
        complete = len(numbers) == len(self.windows)
        return np.array(numbers if complete else range(1, len(self.windows) + 1), dtype=float)

    @property
    def targets(self) -> NDArray[np.float64]:
        """The target days, shape (visits,)."""
        return np.array([window.day for window in self.windows], dtype=float)


@dataclass(frozen=True, slots=True)
class InWindow:
    """Which record of a window is analysed.

    Attributes
    ----------
    choose : str
        ``nearest`` to the target day, ``first`` or ``last``.
    ties : str
        ``earlier`` or ``later`` of two records equally near; only ``nearest`` asks.
    unscheduled : str
        ``eligible`` or ``excluded``.
    unscheduled_where : Where or None
        Which rows of the record data set come from unscheduled visits.
    """

    choose: str = "nearest"
    ties: str = "earlier"
    unscheduled: str = "eligible"
    unscheduled_where: Where | None = None

    def __post_init__(self) -> None:
        for key, value, known in (
            ("choose", self.choose, tuple(CHOICES)),
            ("ties", self.ties, tuple(TIES)),
            ("unscheduled", self.unscheduled, tuple(UNSCHEDULED)),
        ):
            if value not in known:
                message = f"in_window: {key}: found {value!r}, expected one of {', '.join(known)}"
                raise UsageError(message)
        if not UNSCHEDULED[self.unscheduled] and self.unscheduled_where is None:
            raise UsageError(_NO_CLAUSE)

    def __str__(self) -> str:
        return _WORDS[self.choose].format(ties=self.ties)


def overlaps(windows: Sequence[Window]) -> tuple[tuple[str, str], ...]:
    """Pairs of neighbouring windows that share a day."""
    ordered = sorted(windows, key=lambda window: window.bounds)
    return tuple((a.name, b.name) for a, b in pairwise(ordered) if b.bounds[0] <= a.bounds[1])


def study_day(dates: pd.Series[Any], first: pd.Series[Any]) -> pd.Series[float]:
    """Day of a date, the first day being 1 and the day before it -1: there is no day 0.

    Parameters
    ----------
    dates, first : Series of datetime64, same index
        The dates, and each one's day 1.

    Returns
    -------
    Series of float
        NaN where either is missing.
    """
    days: pd.Series[float] = (dates.dt.normalize() - first.dt.normalize()) / pd.Timedelta(days=1)
    return days + (days >= 0)


def assign_visits(days: ArrayLike, windows: Sequence[Window]) -> NDArray[np.intp]:
    """Position of the window that each study day falls in.

    Parameters
    ----------
    days : array of float, shape (n,)
        Study days; NaN falls in no window.
    windows : sequence of Window

    Returns
    -------
    ndarray of int, shape (n,)
        Position in `windows`, -1 for none.

    Raises
    ------
    UsageError
        Two windows share a day.
    """
    if shared := overlaps(windows):
        pairs = ", ".join(f"{a} and {b}" for a, b in shared)
        raise UsageError(f"visit windows overlap: {pairs}. Let each day belong to one visit.")
    found = np.asarray(days, dtype=float)
    visits = np.full(len(found), -1, dtype=np.intp)
    for position, window in enumerate(windows):
        low, high = window.bounds
        visits[(found >= low) & (found <= high)] = position
    return visits


def match_visits(
    texts: pd.Series[str], numbers: pd.Series[float], windows: Sequence[Window]
) -> NDArray[np.intp]:
    """Position of the visit that each record has in the data.

    Parameters
    ----------
    texts, numbers : Series of str, Series of float
        The data's visit, stripped, and its number; blank or NaN where the data have none.
    windows : sequence of Window
        A visit with a number is matched by the number where the data have numbers, and by its
        `value` if it has one; a visit with neither by its name.

    Returns
    -------
    ndarray of int, shape (n,)
        Position in `windows`, -1 for none.
    """
    visits = np.full(len(texts), -1, dtype=np.intp)
    numbered = bool(numbers.notna().any())
    for position, window in enumerate(windows):
        by_number = window.number is not None and numbered
        mask = (numbers == window.number).to_numpy() if by_number else np.ones(len(texts), bool)
        if window.value is not None or not by_number:
            mask = mask & (texts == window.text).to_numpy(dtype=bool)
        visits[mask] = position
    return visits


def select_in_window(records: pd.DataFrame, rule: InWindow) -> NDArray[np.bool_]:
    """Choose one record for each subject and visit.

    Parameters
    ----------
    records : DataFrame
        Columns ``subject``, ``visit``, ``day`` and ``target`` (of the visit); others are listed.
    rule : InWindow

    Returns
    -------
    ndarray of bool, shape (n,)
        The chosen records.

    Raises
    ------
    DataError
        With the rows between which the rule cannot decide: of one subject, visit and day.
    """
    day, target = elapsed(records["day"]), elapsed(records["target"])
    ranks = pd.DataFrame({
        "subject": records["subject"],
        "visit": records["visit"],
        "distance": CHOICES[rule.choose](day, target),
        "day": TIES[rule.ties] * day,
    })  # fmt: skip
    ranks.index = pd.RangeIndex(len(ranks))
    ranks = ranks.sort_values(["subject", "visit", "distance", "day"], kind="stable")
    first = ranks.drop_duplicates(["subject", "visit"])
    equal = ranks[ranks.duplicated(keep=False)].reset_index().merge(first)
    if not equal.empty:
        raise DataError(
            "records of one subject and visit on the same day, between which the rule "
            f"(in_window: {rule}) cannot decide. Correct the data, or name the one to keep with a "
            "where-clause:",
            records.iloc[equal["index"].to_numpy()],
        )
    chosen = np.zeros(len(records), dtype=bool)
    chosen[first.index.to_numpy()] = True
    return chosen


def elapsed(days: pd.Series[Any]) -> pd.Series[float]:
    """Days since day 1: without the gap at day 0, so that distances across it are true."""
    return days - (days > 0)
