"""How the predicted slopes of an arm's subjects are spread about the arm's own."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

import numpy as np

from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.lookup import Lookup
from trialmlm.figures.numbers import fixed, with_interval
from trialmlm.figures.style import BODY, ArmStyle, arm_style, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from matplotlib.axes import Axes

    from trialmlm.figures.order import FigureOrder, Named
    from trialmlm.results.records import Record
    from trialmlm.results.results import Results

_RULE: Final = "#606060"
_BINS: Final = 30


@dataclass(frozen=True, slots=True)
class ArmSlopes:
    """The predicted slopes of an arm's subjects.

    Attributes
    ----------
    arm : str
        As readers call it.
    style : ArmStyle
    slopes : tuple of float
        Of the subjects with records at two times or more.
    subjects : int
        All there are.
    mean : float
        The arm's slope in the model; NaN where it has none.
    caption : str
        That slope in numbers.
    """

    arm: str
    style: ArmStyle
    slopes: tuple[float, ...]
    subjects: int
    mean: float
    caption: str


def slopes_of(order: FigureOrder, results: Results) -> tuple[ArmSlopes, ...]:
    """Those of the order's first analysis, arm by arm; none without random slopes.

    A subject's predictions lie on its own line (fixed part and random effects), so that any two of
    them give its slope.
    """
    record = results.analysis(order.analyses[0].key) if order.analyses else None
    if record is None:
        return ()
    lookup = Lookup.of(results, record)
    own = [row for row in results.records if row.analysis == record.name and isfinite(row.time)]
    if not any(row.predicted != row.fitted for row in own if isfinite(row.predicted)):
        return ()
    return tuple(
        _arm(order, lookup, arm, position, [row for row in own if row.arm == arm.key])
        for position, arm in enumerate(order.arms)
        if any(row.arm == arm.key for row in own)
    )


def _arm(
    order: FigureOrder, lookup: Lookup, arm: Named, position: int, rows: Sequence[Record]
) -> ArmSlopes:
    mean, low, high = lookup.interval(quantity="slope", arm=arm.key)
    slopes = tuple(_slopes(rows))
    said = f"{len(slopes)} of {len({row.subject for row in rows})} subjects"
    if isfinite(mean):
        numbers = with_interval(mean, low, high, order.decimals + 1)
        said += f"; adjusted slope ({order.interval}) {numbers}"
    if len(slopes) > 1:
        said += f"; SD of the predicted slopes {fixed(float(np.std(slopes, ddof=1)), 1)}"
    subjects = len({row.subject for row in rows})
    return ArmSlopes(arm.label, arm_style(position), slopes, subjects, mean, said)


def _slopes(rows: Iterable[Record]) -> Iterable[float]:
    """Of every subject with predictions at two times, from its first to its last."""
    found: dict[str, list[Record]] = {}
    for row in sorted(rows, key=lambda row: (row.subject, row.time)):
        if isfinite(row.predicted):
            found.setdefault(row.subject, []).append(row)
    for first, *_, last in (own for own in found.values() if len(own) > 1):
        if last.time > first.time:
            yield (last.predicted - first.predicted) / (last.time - first.time)


def shared_bins(arms: Sequence[ArmSlopes]) -> tuple[float, ...]:
    """Edges of bins that hold the slopes of all arms, at round numbers."""
    every = [slope for one in arms for slope in one.slopes]
    if not every:
        return (-1.0, 1.0)
    step = _round((max(every) - min(every)) / _BINS or 1.0)
    low, high = np.floor(min(every) / step), np.ceil(max(every) / step)
    return tuple(float(k * step) for k in np.arange(low, max(high, low + 1) + 1))


def _round(width: float) -> float:
    """The next of 1, 2, 2.5 and 5 times a power of ten."""
    power = 10.0 ** np.floor(np.log10(width))
    return float(next(k * power for k in (1.0, 2.0, 2.5, 5.0, 10.0) if k * power >= width))


@in_house_style
def individual_slopes(
    arm: ArmSlopes,
    *,
    bins: Sequence[float] | None = None,
    measure: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw the share of an arm's subjects by slope, the arm's own slope, and no change.

    Parameters
    ----------
    arm : ArmSlopes
    bins : sequence of float, optional
        Edges; by default those of this arm alone.
    measure : str
        Title of the axis.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    edges = list(shared_bins([arm]) if bins is None else bins)
    shares = np.full(len(arm.slopes), 100.0 / max(1, len(arm.slopes)))
    ax.hist(
        arm.slopes,
        bins=edges,
        weights=shares,
        color=arm.style.colour,
        alpha=0.35,
        edgecolor=arm.style.colour,
        linewidth=0.7,
    )
    ax.axvline(0.0, color=_RULE, linewidth=0.9, linestyle=(0, (1, 2)))
    if isfinite(arm.mean):
        ax.axvline(arm.mean, color=arm.style.colour, linewidth=2.2)
    wide, _ = frame_size(ax)
    ax.set_title(
        "\n".join(clipped(line, wide, BODY) for line in (arm.arm, arm.caption)), fontsize=BODY
    )
    axis_titles(ax, measure, "Subjects (%)")
    return ax
