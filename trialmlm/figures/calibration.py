"""Clusters as observed against as predicted from the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.style import SMALL, axes_or_new, in_house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_INSIDE, _OUTSIDE = "#0072B2", "#D55E00"


@in_house_style
def calibration_plot(frame: Any, *, measure: str = "", ax: Axes | None = None) -> Axes:
    """Draw the observed means against the predicted, with the intervals of the predictions.

    Parameters
    ----------
    frame : DataFrame
        As of ``tm.calibration(fit)``: observed, predicted, pi_low, pi_high, inside.
    measure : str
        What was measured.
    ax : Axes, optional

    Returns
    -------
    Axes
        Clusters stand in the order of their observed means.
    """
    ax = axes_or_new(ax)
    table = frame.dropna(subset="predicted").sort_values("observed", kind="stable")
    x = range(len(table))
    low, high, predicted, observed = (
        table[name].to_numpy(dtype=float) for name in ("pi_low", "pi_high", "predicted", "observed")
    )
    ax.vlines(x, low, high, color="#b0b0b0", linewidth=1.6, label="prediction interval")
    ax.plot(x, predicted, color="black", linewidth=1.0, label="predicted")
    inside = table["inside"].to_numpy(dtype=bool)
    shown = ((inside, _INSIDE, "o", "observed, inside"), (~inside, _OUTSIDE, "D", "outside"))
    for chosen, colour, marker, label in shown:
        if chosen.any():
            at = [k for k, one in zip(x, chosen, strict=True) if one]
            ax.plot(at, observed[chosen], linestyle="none", marker=marker, markersize=5,
                    color=colour, label=label)  # fmt: skip
    ax.set_xticks([])
    bottom, top = ax.get_ylim()
    ax.set_ylim(bottom, top + 0.12 * (top - bottom))  # intervals reach everywhere but there
    ax.legend(loc="upper center", fontsize=SMALL, ncols=4)
    first = str(frame.columns[0])
    axis_titles(ax, f"{first}, left out one at a time", measure or "Mean")
    return ax
