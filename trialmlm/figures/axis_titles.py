"""Titles of axes, cut where they are longer than their axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trialmlm.figures.style import BODY
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def axis_titles(ax: Axes, across: str = "", up: str = "", *, down: float = 4) -> None:
    """Name the axes; the title under the first stands `down` points below its numbers."""
    wide, high = frame_size(ax)
    ax.set_xlabel(clipped(across, wide, BODY), labelpad=down)
    ax.set_ylabel(clipped(up, high, BODY))


def frame_size(ax: Axes) -> tuple[float, float]:
    """Width and height of the axes' frame in points."""
    extent = ax.get_window_extent()
    points = 72 / ax.figure.dpi
    return extent.width * points, extent.height * points
