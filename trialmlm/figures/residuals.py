"""Residual diagnostics: four views of the normalized residuals of a model.

A normalized residual is L⁻¹(y - Xβ̂) with LLᵀ the covariance of the subject's records: if the
model holds, all are independent standard normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import numpy as np
from matplotlib.lines import Line2D
from scipy.special import betaincinv, ndtri

from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.style import BODY, SMALL, ArmStyle, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    from matplotlib.axes import Axes

    FloatArray = npt.NDArray[np.float64]

#: points above which a cloud is stored as pixels in a PDF
_CLOUD: Final = 5000
_RULE: Final = "#606060"
_TITLE: Final = "Normalized residual"


@dataclass(frozen=True, slots=True)
class ArmResiduals:
    """The residuals of an arm, one per record; finite.

    Attributes
    ----------
    arm : str
        As readers call it.
    style : ArmStyle
    fitted, residuals : tuple of float
        Equally long.
    """

    arm: str
    style: ArmStyle
    fitted: tuple[float, ...]
    residuals: tuple[float, ...]


@in_house_style
def residuals_by_fitted(
    arms: Sequence[ArmResiduals], *, measure: str = "", ax: Axes | None = None
) -> Axes:
    """Residuals against fitted values; 95% are expected between the dotted lines.

    Parameters
    ----------
    arms : sequence of ArmResiduals
    measure : str
        What is fitted.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    ax = axes_or_new(ax)
    for one in arms:
        ax.plot(
            one.fitted,
            one.residuals,
            label=clipped(one.arm, 150, SMALL),
            linestyle="none",
            marker=one.style.marker,
            markersize=2.6,
            markeredgewidth=0.6,
            markeredgecolor=one.style.colour,
            markerfacecolor="none",
            rasterized=len(one.fitted) > _CLOUD,
        )
    ax.axhline(0, color=_RULE, linewidth=0.9)
    for limit in (-1.96, 1.96):
        ax.axhline(limit, color=_RULE, linewidth=0.8, linestyle=(0, (1, 2)))
    axis_titles(ax, f"Fitted {measure}", _TITLE)
    return ax


@in_house_style
def residuals_by_visit(
    groups: Mapping[str, Sequence[float]], *, time_label: str = "", ax: Axes | None = None
) -> Axes:
    """Boxes of the residuals at each visit: median, quartiles, and 1.5 interquartile ranges.

    Parameters
    ----------
    groups : mapping of str to sequence of float
        Label of the visit -> residuals, in schedule order.
    time_label : str
        Title of the axis.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    ax = axes_or_new(ax)
    room = frame_size(ax)[0] / max(1, len(groups)) - 3
    line = {"color": "black", "linewidth": 0.9}
    ax.boxplot(
        list(groups.values()),
        tick_labels=[clipped(label, room, BODY) for label in groups],
        widths=0.55,
        flierprops={"marker": "o", "markersize": 2.5, "markeredgecolor": "#404040"},
        medianprops={"color": "black", "linewidth": 2},
        boxprops=line,
        whiskerprops=line,
        capprops=line,
    )
    ax.axhline(0, color=_RULE, linewidth=0.9, zorder=0)
    axis_titles(ax, time_label, _TITLE)
    return ax


@in_house_style
def normal_quantiles(
    residuals: Sequence[float], *, confidence: float = 0.95, ax: Axes | None = None
) -> Axes:
    """Ordered residuals against normal quantiles, with the pointwise envelope.

    The k-th smallest of n independent standard normal values lies, with the given confidence,
    between Φ⁻¹ of the quantiles of a beta distribution with parameters k and n + 1 - k.

    Parameters
    ----------
    residuals : sequence of float
    confidence : float
        Of the envelope, at each point.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    ax = axes_or_new(ax)
    ordered = np.sort(np.asarray(residuals, dtype=np.float64))
    expected, low, high = _order_statistics(ordered.size, confidence)
    ax.fill_between(expected, low, high, color="#d9d9d9", linewidth=0, zorder=1)
    ax.plot(expected, expected, color=_RULE, linewidth=0.9, zorder=2)
    ax.plot(
        expected,
        ordered,
        label="residuals",
        linestyle="none",
        marker="o",
        markersize=2.6,
        markeredgewidth=0.6,
        markeredgecolor="black",
        markerfacecolor="none",
        rasterized=ordered.size > _CLOUD,
        zorder=3,
    )
    axis_titles(ax, "Normal quantile", _TITLE)
    return ax


def _order_statistics(n: int, confidence: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Median and limits of each order statistic of n standard normal values."""
    k = np.arange(1, n + 1, dtype=np.float64)
    tail = (1 - confidence) / 2
    median, low, high = (
        np.asarray(ndtri(betaincinv(k, n + 1 - k, p)), dtype=np.float64)
        for p in (0.5, tail, 1 - tail)
    )
    return median, low, high


@in_house_style
def residual_histogram(arms: Sequence[ArmResiduals], *, ax: Axes | None = None) -> Axes:
    """Densities of the residuals by arm over the standard normal density.

    Parameters
    ----------
    arms : sequence of ArmResiduals
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.
    """
    ax = axes_or_new(ax)
    most = max((abs(r) for one in arms for r in one.residuals), default=1.0)
    bins = np.arange(-np.ceil(2 * most), np.ceil(2 * most) + 1) / 2
    for one in arms:
        ax.hist(
            one.residuals,
            bins=bins.tolist(),
            density=True,
            histtype="step",
            label=clipped(one.arm, 150, SMALL),
            color=one.style.colour,
            linestyle=one.style.line,
            linewidth=1.3,
        )
    x = np.linspace(bins[0], bins[-1], 201)
    density = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
    ax.plot(x, density, color=_RULE, linewidth=0.9, label="standard normal")
    axis_titles(ax, _TITLE, "Density")
    ax.set_ylim(top=1.4 * ax.get_ylim()[1])
    handles = [
        Line2D(
            [],
            [],
            label=clipped(one.arm, 150, SMALL),
            color=one.style.colour,
            linestyle=one.style.line,
            marker=one.style.marker,
            markersize=4,
            markerfacecolor="none",
        )
        for one in arms
    ]
    normal = Line2D([], [], color=_RULE, linewidth=0.9, label="standard normal")
    ax.legend(handles=[*handles, normal], loc="upper right", fontsize=SMALL)
    return ax
