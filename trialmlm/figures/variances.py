"""Variance components, shares of variance, and intraclass correlations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.dots import draw_dots
from trialmlm.figures.style import BODY, SMALL, arm_style, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@in_house_style
def precision_plot(frame: Any, *, unit: str = "", cv: bool = False, ax: Axes | None = None) -> Axes:
    """Draw the standard deviation of every component of precision, with its interval.

    Parameters
    ----------
    frame : DataFrame
        As of ``tm.precision(...)``.
    unit : str
        Of the measurement.
    cv : bool
        Coefficients of variation, in percent of the mean, instead.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    name = "cv" if cv else "sd"
    values = [frame[column].to_numpy(dtype=float).tolist() for column in _columns(name)]
    draw_dots(ax, [str(meaning) for meaning in frame["meaning"]], *values)
    ax.set_xlim(left=0.0)
    title = "Coefficient of variation (%)" if cv else "Standard deviation"
    axis_titles(ax, f"{title} ({unit})" if unit and not cv else title)
    return ax


@in_house_style
def agreement_plot(frame: Any, *, ax: Axes | None = None) -> Axes:
    """Draw intraclass correlations with their intervals.

    Parameters
    ----------
    frame : DataFrame
        As of ``tm.agreement(...)``: form, icc, ci_low, ci_high.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    values = [frame[name].to_numpy(dtype=float).tolist() for name in ("icc", "ci_low", "ci_high")]
    draw_dots(ax, [str(form) for form in frame["form"]], *values, null=0.0)
    ax.set_xlim(right=1.0)
    axis_titles(ax, "Intraclass correlation")
    return ax


@in_house_style
def variance_plot(frame: Any, *, ax: Axes | None = None) -> Axes:
    """Draw the shares of the variance as parts of one bar.

    Parameters
    ----------
    frame : DataFrame
        As of ``fit.icc()``: group, share.
    ax : Axes, optional

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    left = 0.0
    for k, (group, share) in enumerate(zip(frame["group"], frame["share"], strict=True)):
        part = 100.0 * float(share)
        colour = "#c8c8c8" if str(group) == "Residual" else arm_style(k + 1).colour
        label = clipped(f"{group}, {part:.1f}%", 180, SMALL)
        ax.barh([0], [part], left=left, color=colour, edgecolor="white", label=label)
        left += part
    ax.set_xlim(0.0, 100.0)
    ax.set_ylim(-0.9, 0.9)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    ax.legend(loc="upper center", ncols=3, fontsize=BODY)
    axis_titles(ax, "Share of the variance (%)")
    return ax


def _columns(name: str) -> tuple[str, str, str]:
    return name, f"{name}_low", f"{name}_high"
