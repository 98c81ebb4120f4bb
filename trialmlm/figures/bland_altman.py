"""Differences of two methods against their mean, with bias and limits of agreement."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.note import note
from trialmlm.figures.style import SMALL, axes_or_new, in_house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_COLOURS = {"bias": "#0072B2", "lower limit": "#D55E00", "upper limit": "#D55E00"}


@in_house_style
def bland_altman_plot(
    points: Any,
    frame: Any,
    *,
    methods: tuple[str, str] | None = None,
    unit: str = "",
    decimals: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Draw a comparison of two methods.

    Parameters
    ----------
    points, frame : DataFrame
        As of ``tm.bland_altman(...)``: mean and difference; quantity, estimate, ci_low, ci_high.
    methods : tuple of str, optional
        What readers call the first method and the second, which is taken from it.
    unit : str
        Of the measurements.
    decimals : int
        Of the printed bias and limits.
    ax : Axes, optional
        By default those of a new figure.

    Returns
    -------
    Axes
        The shaded bands are the intervals of the bias and of the limits.
    """
    ax = axes_or_new(ax)
    ax.axhline(0.0, color="#909090", linewidth=0.7)
    rows = frame.set_index("quantity")
    for name, colour in _COLOURS.items():
        estimate, low, high = (float(rows.loc[name, c]) for c in ("estimate", "ci_low", "ci_high"))
        ax.axhspan(low, high, color=colour, alpha=0.12, linewidth=0)
        ax.axhline(estimate, color=colour, linewidth=1.2, linestyle=(0, (5, 2)))
        text = f"{name} {estimate:.{decimals}f}"
        note(ax, text, (1, estimate), (-3, 6), scales=("frame", "data"), ha="right", size=SMALL)
    ax.plot(
        points["mean"].to_numpy(),
        points["difference"].to_numpy(),
        linestyle="none",
        marker="o",
        markersize=4.5,
        markerfacecolor="none",
        color="black",
        zorder=3,
    )
    ending = f" ({unit})" if unit else ""
    first, second = methods or ("first method", "second method")
    axis_titles(ax, f"Mean of the two methods{ending}", f"{first} - {second}{ending}")
    return ax
