"""Individual profiles of an arm, each with its fitted line, and the line of the population."""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import TYPE_CHECKING, Final

from matplotlib.lines import Line2D

from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.note import note
from trialmlm.figures.style import BODY, ArmStyle, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

_THIN: Final = 0.6
_GREY: Final = "#9a9a9a"


@dataclass(frozen=True, slots=True)
class Curve:
    """Points in the order of time, `times` in the unit of the axis."""

    times: tuple[float, ...]
    values: tuple[float, ...]

    def __bool__(self) -> bool:
        return bool(self.times)


@dataclass(frozen=True, slots=True)
class Profile:
    """A subject: what was observed and what the model predicts for it."""

    subject: str
    observed: Curve
    predicted: Curve = Curve((), ())


@dataclass(frozen=True, slots=True)
class Panel:
    """The profiles of an arm.

    Attributes
    ----------
    arm : str
        As readers call it.
    style : ArmStyle
    profiles : tuple of Profile
        Those drawn.
    subjects : int
        All there are.
    population : Curve
        The line of the mean subject; may be empty.
    caption : str
        What the population's line is.
    """

    arm: str
    style: ArmStyle
    profiles: tuple[Profile, ...]
    subjects: int
    population: Curve = Curve((), ())
    caption: str = ""


@in_house_style
def profiles(
    panel: Panel, *, measure: str = "", time_label: str = "", ax: Axes | None = None
) -> Axes:
    """Draw the profiles of an arm.

    Parameters
    ----------
    panel : Panel
    measure, time_label : str
        Titles of the axes.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    _thin(ax, [one.observed for one in panel.profiles], "observed", _GREY, marker=".")
    _thin(ax, [one.predicted for one in panel.profiles], "predicted", panel.style.colour)
    if panel.population:
        ax.plot(
            panel.population.times,
            panel.population.values,
            color="white",
            linewidth=6,
            zorder=4,
        )
        ax.plot(
            panel.population.times,
            panel.population.values,
            label="population",
            color=panel.style.colour,
            linewidth=3.2,
            zorder=5,
        )
    wide, _ = frame_size(ax)
    drawn = f"{len(panel.profiles)} of {panel.subjects} subjects"
    ax.set_title("\n".join(clipped(line, wide, BODY) for line in (panel.arm, drawn)))
    axis_titles(ax, time_label, measure)
    if panel.caption:
        note(ax, clipped(panel.caption, 0.96 * wide, BODY), (0.98, 0.97), ha="right", size=BODY)
    return ax


def legend_of(panels: Sequence[Panel]) -> list[Line2D]:
    """What the lines of all panels are, in no arm's colour."""
    black = "#303030"
    observed = Line2D([], [], color=_GREY, linewidth=0.8, marker=".", label="observed")
    predicted = Line2D([], [], color=black, linewidth=0.8, label="fitted, each subject")
    population = Line2D([], [], color=black, linewidth=3.2, label="fitted, mean subject")
    there = (
        (observed, True),
        (predicted, any(profile.predicted for one in panels for profile in one.profiles)),
        (population, any(one.population for one in panels)),
    )
    return [handle for handle, drawn in there if drawn]


def _thin(ax: Axes, curves: list[Curve], label: str, colour: str, marker: str = "") -> None:
    """Many curves as one line with gaps, which draws faster and weighs less than many lines."""
    times = [time for curve in curves if curve for time in (*curve.times, nan)]
    values = [value for curve in curves if curve for value in (*curve.values, nan)]
    if times:
        ax.plot(
            times,
            values,
            label=label,
            color=colour,
            linewidth=_THIN if not marker else 0.45,
            marker=marker or None,
            markersize=2.4,
            zorder=2 if marker else 3,
        )
