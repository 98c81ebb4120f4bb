"""Kaplan-Meier curves, with the numbers at risk under the axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.ticker import MaxNLocator

from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.note import note
from trialmlm.figures.style import BODY, SMALL, arm_style, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: points between the axis and the numbers under it, and from one line of them to the next
_BELOW, _STEP = 42.0, 12.5
_LABEL_ROOM: Final = 100.0


@in_house_style
def kaplan_meier_plot(
    frame: Any,
    *,
    at: Sequence[float] = (),
    interval: bool = True,
    across: str = "",
    up: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw survival over time as steps, a tick where a subject was censored.

    Parameters
    ----------
    frame : DataFrame
        As of ``tm.kaplan_meier(...).frame``: arm, time, n_at_risk, n_censored, survival, ci_low,
        ci_high.
    at : sequence of float
        Where the axis is marked and subjects at risk are counted; by default round times.
    interval : bool
        Whether the pointwise confidence intervals are shaded.
    across, up : str
        Titles of the axes.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    curves = list(frame.groupby("arm", sort=False, observed=True))
    last = float(frame["time"].max())
    for k, (arm, curve) in enumerate(curves):
        _draw(ax, k, str(arm), curve, interval=interval)
    ax.set_ylim(0.0, 1.03)
    ax.set_xlim(0.0, 1.02 * last)
    marks = list(at) or [mark for mark in MaxNLocator(7).tick_values(0.0, last) if mark <= last]
    ax.set_xticks(marks, [f"{mark:g}" for mark in marks])
    _numbers(ax, curves, marks)
    ax.legend(loc="best", fontsize=BODY)
    axis_titles(ax, across, up)
    return ax


def _draw(ax: Axes, k: int, arm: str, curve: Any, *, interval: bool) -> None:
    style = arm_style(k)
    times = [0.0, *curve["time"]]
    heights = [1.0, *curve["survival"]]
    ax.plot(times, heights, drawstyle="steps-post", color=style.colour, linestyle=style.line,
            linewidth=1.5, label=clipped(arm, 200, SMALL))  # fmt: skip
    gone = curve[curve["n_censored"] > 0]
    ax.plot(gone["time"], gone["survival"], linestyle="none", marker="|", markersize=7,
            color=style.colour)  # fmt: skip
    if interval:
        low, high = (
            [1.0, *curve[name].fillna(curve["survival"])] for name in ("ci_low", "ci_high")
        )
        ax.fill_between(times, low, high, step="post", color=style.colour, alpha=0.12, linewidth=0)


def _numbers(ax: Axes, curves: Sequence[tuple[Any, Any]], marks: Sequence[float]) -> None:
    """Who is at risk just before each mark, a line per arm."""
    note(ax, "Number at risk", (0, 0), (-10, -_BELOW), ha="right", size=SMALL)
    for k, (arm, curve) in enumerate(curves, start=1):
        down = -_BELOW - _STEP * k
        label = clipped(str(arm), _LABEL_ROOM, SMALL)
        note(ax, label, (0, 0), (-10, down), ha="right", size=SMALL)
        for mark in marks:
            ahead = curve.loc[curve["time"] >= mark, "n_at_risk"]
            how: dict[str, Any] = {"ha": "center", "size": SMALL, "scales": ("data", "frame")}
            note(ax, str(0 if ahead.empty else ahead.iloc[0]), (mark, 0), (0, down), **how)
