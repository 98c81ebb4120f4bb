"""Means by visit with their confidence intervals, visits at their true distance in time."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from matplotlib.lines import Line2D

from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.note import note
from trialmlm.figures.style import BODY, DOTS, SMALL, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from matplotlib.axes import Axes

    from trialmlm.figures.order import FigureVisit
    from trialmlm.figures.series import Kind, Series

#: points between the axis and the numbers under it, and from one line of them to the next
_BELOW, _STEP = 42.0, 12.5
_LABEL_ROOM: Final = 112.0
_KIND_WORDS: Final[Mapping[Kind, str]] = {"ls-mean": "LS mean", "observed": "observed mean"}


@in_house_style
def means_by_visit(
    series: Sequence[Series],
    *,
    measure: str = "",
    time_label: str = "",
    interval: str = "95% CI",
    reference: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw means with their confidence intervals, and the numbers of subjects under the axis.

    Parameters
    ----------
    series : sequence of Series
        One line each; they stand beside each other at a visit, so that intervals do not hide.
        Observed means behind LS means come without intervals.
    measure, time_label : str
        Titles of the axes.
    interval : str
        What the bars are, in the legend.
    reference : float, optional
        Where a level line is drawn, such as 0 for no change.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    visits = _visits(series)
    if reference is not None:
        ax.axhline(reference, color="#909090", linewidth=0.8, zorder=1)
    bars = [one.kind in {"ls-mean", series[0].kind} for one in series]
    for one, shift, barred in zip(series, _shifts(len(series), visits), bars, strict=True):
        _draw(ax, one, shift, bars=barred)
    _ticks(ax, visits)
    axis_titles(ax, time_label, measure)
    handles = [
        _handle(one, interval, bars=barred) for one, barred in zip(series, bars, strict=True)
    ]
    ax.legend(handles=handles, loc="best")
    _numbers(ax, series, visits)
    return ax


def _visits(series: Sequence[Series]) -> tuple[FigureVisit, ...]:
    found = {point.visit: None for one in series for point in one.points}
    return tuple(sorted(found, key=lambda visit: visit.time))


def _shifts(count: int, visits: Sequence[FigureVisit]) -> list[float]:
    """How far each series stands from the visits' times, in units of the axis."""
    if count < 2:
        return [0.0] * count
    times = [visit.time for visit in visits]
    gaps = [later - earlier for earlier, later in pairwise(times) if later > earlier]
    spread = min(0.4 * min(gaps), 0.02 * (times[-1] - times[0])) if gaps else 0.2
    return [spread * (k / (count - 1) - 0.5) for k in range(count)]


def _ticks(ax: Axes, visits: Sequence[FigureVisit]) -> None:
    """Each label has the room up to its nearest neighbours."""
    times = [visit.time for visit in visits]
    low, high = ax.get_xlim()
    unit = frame_size(ax)[0] / (high - low)
    gaps = [unit * (later - earlier) for earlier, later in pairwise(times)]
    rooms = [max(12.0, min(pair)) for pair in zip([99.0, *gaps], [*gaps, 99.0], strict=True)]
    labels = [clipped(v.tick, room, BODY) for v, room in zip(visits, rooms, strict=True)]
    ax.set_xticks(times, labels)


def _look(one: Series) -> dict[str, Any]:
    """LS means stand full before observed means."""
    observed = one.kind == "observed"
    return {
        "color": one.style.colour,
        "linestyle": DOTS if observed else one.style.line,
        "linewidth": 0.9 if observed else 1.5,
        "marker": one.style.marker,
        "markersize": 5.5,
        "markerfacecolor": "white" if observed else one.style.colour,
        "markeredgewidth": 1.1,
    }


def _draw(ax: Axes, one: Series, shift: float, *, bars: bool) -> None:
    times = [point.visit.time + shift for point in one.points]
    means = [point.mean for point in one.points]
    spread = (
        [point.mean - point.low for point in one.points],
        [point.high - point.mean for point in one.points],
    )
    ax.errorbar(
        times,
        means,
        yerr=spread if bars else None,
        label=f"{one.arm}, {_KIND_WORDS[one.kind]}",
        elinewidth=1.1,
        capsize=2.5,
        zorder=2 if one.kind == "observed" else 3,
        **_look(one),
    )


def _handle(one: Series, interval: str, *, bars: bool) -> Line2D:
    words = f"{_KIND_WORDS[one.kind]}{f' ({interval})' if bars else ''}"
    return Line2D([], [], label=f"{clipped(one.arm, 200, SMALL)}, {words}", **_look(one))


def rows_below(series: Sequence[Series]) -> float:
    """Points that the numbers under the axis take, the axis' own labels included."""
    return _BELOW + _STEP * (len(list(_counted(series))) + 1)


def _counted(series: Sequence[Series]) -> Iterator[tuple[str, Series]]:
    """Lines of numbers: one per arm, and one more for its observed means if they count others."""
    told = dict[str, list[dict[str, int | None]]]()
    for one in series:
        counts = {point.visit.name: point.n for point in one.points}
        if any(n is not None for n in counts.values()) and counts not in told.get(one.arm, []):
            yield one.arm if one.arm not in told else f"{one.arm}, {one.kind}", one
            told.setdefault(one.arm, []).append(counts)


def _numbers(ax: Axes, series: Sequence[Series], visits: Sequence[FigureVisit]) -> None:
    rows = list(_counted(series))
    if not rows:
        return
    note(ax, "Number of subjects", (0, 0), (-10, -_BELOW), ha="right", size=SMALL)
    for k, (label, one) in enumerate(rows, start=1):
        down = -_BELOW - _STEP * k
        note(ax, clipped(label, _LABEL_ROOM, SMALL), (0, 0), (-10, down), ha="right", size=SMALL)
        counts = {point.visit: point.n for point in one.points}
        for visit in visits:
            n = counts.get(visit)
            if n is not None:
                how: dict[str, Any] = {"ha": "center", "size": SMALL}
                note(ax, str(n), (visit.time, 0), (0, down), scales=("data", "frame"), **how)
