"""Means by arm and visit, with their intervals and the subjects behind them, out of results."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan, sqrt
from typing import TYPE_CHECKING, Literal

from scipy.special import stdtrit

from trialmlm.figures.lookup import Lookup
from trialmlm.figures.style import ArmStyle, arm_style

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from trialmlm.figures.order import FigureOrder, FigureVisit, Named
    from trialmlm.results.results import Results

Kind = Literal["ls-mean", "observed"]


@dataclass(frozen=True, slots=True)
class Point:
    """A mean at a visit.

    Attributes
    ----------
    visit : FigureVisit
    mean, low, high : float
        With its confidence interval; NaN where there is none.
    n : int or None
        Subjects; None where nobody counted.
    """

    visit: FigureVisit
    mean: float
    low: float = nan
    high: float = nan
    n: int | None = None


@dataclass(frozen=True, slots=True)
class Series:
    """The means of an arm over time.

    Attributes
    ----------
    arm : str
        As readers call it.
    style : ArmStyle
    kind : {"ls-mean", "observed"}
    points : tuple of Point
        In the order of time.
    """

    arm: str
    style: ArmStyle
    kind: Kind
    points: tuple[Point, ...]


def series_of(order: FigureOrder, results: Results) -> tuple[Series, ...]:
    """The series that a figure of means shows; an arm without a mean is left out.

    Parameters
    ----------
    order : FigureOrder
        Its first analysis gives the LS means; observed means come from the summaries.
    results : Results
    """
    found = (
        Series(arm.label, arm_style(position), kind, tuple(_points(order, results, arm, kind)))
        for kind in order.means
        for position, arm in enumerate(order.arms)
    )
    return tuple(one for one in found if any(isfinite(p.mean) for p in one.points[_from(order) :]))


def _from(order: FigureOrder) -> int:
    """Position of the first point that is a result: a change is 0 at baseline by definition."""
    return int(order.baseline is not None and order.quantity == "change")


def _points(order: FigureOrder, results: Results, arm: Named, kind: Kind) -> Iterator[Point]:
    if order.baseline is not None:
        yield _at_baseline(order, results, arm, order.baseline, kind)
    for visit in order.visits:
        yield _KINDS[kind](order, results, arm, visit)


def _at_baseline(
    order: FigureOrder, results: Results, arm: Named, visit: FigureVisit, kind: Kind
) -> Point:
    mean = _observed(order, results, arm, visit, "observed", "value")
    if order.quantity == "change":
        return Point(visit, 0.0, n=mean.n)
    return mean if kind == "observed" else Point(visit, nan, n=mean.n)


def _ls_mean(order: FigureOrder, results: Results, arm: Named, visit: FigureVisit) -> Point:
    record = results.analysis(order.analyses[0].key) if order.analyses else None
    if record is None:
        return Point(visit, nan)
    lookup, keys = Lookup.of(results, record), {"arm": arm.key, "visit": visit.name}
    mean, low, high = lookup.interval(quantity="ls-mean", **keys)
    return Point(visit, mean, low, high, lookup.count(quantity="count", **keys))


def _summary(order: FigureOrder, results: Results, arm: Named, visit: FigureVisit) -> Point:
    return _observed(order, results, arm, visit, order.observed, order.quantity)


def _observed(
    order: FigureOrder,
    results: Results,
    arm: Named,
    visit: FigureVisit,
    method: str,
    quantity: str,
) -> Point:
    """The mean of what was observed, with the interval of a t distribution."""
    shared = {
        "analysis": "summary",
        "method": method,
        "endpoint": order.endpoint.key,
        "population": order.population.key,
        "quantity": quantity,
        "arm": arm.key,
        "visit": visit.name,
    }
    lookup = Lookup(results, shared)
    n, mean, sd = lookup.count(), lookup.number("mean"), lookup.number("sd")
    if n is None or n < 2:
        return Point(visit, mean, n=n)
    half = float(stdtrit(n - 1, (1 + order.confidence) / 2)) * sd / sqrt(n)
    return Point(visit, mean, mean - half, mean + half, n)


_KINDS: Mapping[Kind, Callable[[FigureOrder, Results, Named, FigureVisit], Point]] = {
    "ls-mean": _ls_mean,
    "observed": _summary,
}
