"""Text that stands so many points from a place of the axes, inside or outside their frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from matplotlib.axes import Axes

Scale = Literal["frame", "data"]


def note(
    ax: Axes,
    text: str,
    at: tuple[float, float],
    offset: tuple[float, float] = (0, 0),
    *,
    scales: tuple[Scale, Scale] = ("frame", "frame"),
    **how: Any,
) -> None:
    """Set a text that is already fit to be drawn.

    Parameters
    ----------
    ax : Axes
    text : str
    at : (float, float)
        The place, across and up.
    offset : (float, float)
        In points from there.
    scales : ({"frame", "data"}, {"frame", "data"})
        What the place is measured on: the axes' frame from 0 to 1, or the data.
    **how
        What matplotlib's `annotate` takes of alignment, size, colour, weight.
    """
    coordinates = {
        ("frame", "frame"): ax.transAxes,
        ("data", "frame"): ax.get_xaxis_transform(),
        ("frame", "data"): ax.get_yaxis_transform(),
        ("data", "data"): ax.transData,
    }
    ax.annotate(
        text,
        xy=at,
        xycoords=coordinates[scales],
        xytext=offset,
        textcoords="offset points",
        annotation_clip=False,
        parse_math=False,
        **{"va": "center", **how},
    )
