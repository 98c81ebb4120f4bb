"""Estimates with their intervals, one under another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.figures.style import SMALL
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: of labels left of the axes, in points
_LABEL_ROOM = 170.0
#: labels that are still apart on the axes
_MOST_LABELS = 45
#: of what is not the estimate: lines of no effect, of everyone
GREY = "#707070"


def draw_dots(
    ax: Axes,
    labels: Sequence[str],
    estimates: Sequence[float],
    lows: Sequence[float],
    highs: Sequence[float],
    *,
    null: float | None = None,
) -> None:
    """Draw from the top; more labels than have room are left out."""
    y = list(range(len(labels)))
    if null is not None:
        ax.axvline(null, color=GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    size = 5.0 if len(y) <= _MOST_LABELS else 2.5
    ax.hlines(y, lows, highs, color="black", linewidth=1.1 if size > 3 else 0.6)
    ax.plot(estimates, y, linestyle="none", marker="o", color="black", markersize=size)
    ax.set_ylim(len(y) - 0.4, -0.6)
    label_rows(ax, labels)


def name_of(level: Any) -> str:
    """A level as it is written: a number that is whole without its decimals."""
    return f"{level:g}" if isinstance(level, float) else str(level)


def label_rows(ax: Axes, labels: Sequence[str]) -> None:
    """Name the rows 0, 1, … of the axes, unless they are too many."""
    if len(labels) > _MOST_LABELS:
        ax.set_yticks([])
        return
    texts = [clipped(label, _LABEL_ROOM, SMALL) for label in labels]
    ax.set_yticks(range(len(labels)), texts, fontsize=SMALL, parse_math=False)
