"""The same slope within groups, between them and over all rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.style import SMALL, axes_or_new, in_house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_WITHIN, _BETWEEN, _POOLED = "#0072B2", "#D55E00", "#606060"


@in_house_style
def within_between_plot(
    points: Any, frame: Any, *, across: str = "", up: str = "", ax: Axes | None = None
) -> Axes:
    """Draw rows, the common slope within groups through each group's mean, and the other slopes.

    Parameters
    ----------
    points, frame : DataFrame
        As of ``tm.within_between(...)``: group, x, y, x_mean, y_mean; slope, estimate.
    across, up : str
        Titles of the axes.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    slopes = frame.set_index("slope")["estimate"]
    many = len(points) > 1500
    ax.plot(points["x"], points["y"], linestyle="none", marker=".", markersize=2 if many else 5,
            color="#b0b0b0", zorder=1)  # fmt: skip
    groups = points.groupby("group", observed=True)
    within, label = float(slopes["within"]), "within groups"
    for _, rows in groups:
        ends = [float(rows["x"].min()), float(rows["x"].max())]
        x0, y0 = float(rows["x_mean"].iloc[0]), float(rows["y_mean"].iloc[0])
        line = [y0 + within * (x - x0) for x in ends]
        ax.plot(ends, line, color=_WITHIN, linewidth=1.0, alpha=0.35 if many else 0.9, label=label)
        label = "_"  # the legend says it once
    means = groups[["x_mean", "y_mean"]].first()
    ax.plot(means["x_mean"], means["y_mean"], linestyle="none", marker="s", markersize=5,
            color=_BETWEEN, zorder=3)  # fmt: skip
    _line(
        ax,
        means["x_mean"],
        means["y_mean"],
        float(slopes["ecological"]),
        "means of groups",
        _BETWEEN,
    )
    _line(ax, points["x"], points["y"], float(slopes["pooled"]), "all rows", _POOLED)
    ax.legend(loc="best", fontsize=SMALL)
    axis_titles(ax, across, up)
    return ax


def _line(ax: Axes, x: Any, y: Any, slope: float, label: str, colour: str) -> None:
    """A least-squares line through the mean of its points."""
    ends = [float(x.min()), float(x.max())]
    centre = (float(x.mean()), float(y.mean()))
    values = [centre[1] + slope * (end - centre[0]) for end in ends]
    dashes = "solid" if colour == _BETWEEN else (0, (5, 2))
    ax.plot(ends, values, color=colour, linewidth=2.0, linestyle=dashes, label=label, zorder=4)
