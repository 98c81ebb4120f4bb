"""How far imputed values must be shifted for the conclusion to change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.patheffects import withStroke

from trialmlm.errors import UsageError
from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.note import note
from trialmlm.figures.numbers import fixed, p_value
from trialmlm.figures.style import BODY, SMALL, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

    from trialmlm.arrays import Array

_BLUE, _ORANGE, _GREY = "#0072B2", "#D55E00", "#606060"
#: estimates from nearest to the null value to farthest; light enough for black print
_MAP: Final = LinearSegmentedColormap.from_list("estimate", ["#f7fbff", "#9ecae1", "#5a9fd0"])
#: points a cell needs for two lines of text
_WIDE, _HIGH = 34.0, 24.0


@in_house_style
def tipping_heat_map(
    grid: Any,
    *,
    across: str | None = None,
    up: str | None = None,
    null: float = 0.0,
    measure: str = "",
    interval: str = "95% CI",
    decimals: int = 1,
    ax: Axes | None = None,
) -> Axes:
    """Draw the estimate over the deltas of two arms, and where the conclusion changes.

    Parameters
    ----------
    grid : DataFrame
        A row for each pair of deltas: columns ``delta <arm>`` of two arms, estimate, p_value,
        ci_low, ci_high; as of ``tipping_grid(...).frame``.
    across, up : str, optional
        Which column goes along which axis; by default as they come.
    null : float
        Value of no difference.
    measure : str
        What is estimated, for the legend.
    interval : str
    decimals : int
        Of the printed estimates.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there are not two columns of deltas, or a pair is missing or twice.

    Notes
    -----
    The boundary is where an end of the interval meets the null value; between cells it is
    interpolated, which is all but exact as the ends of the interval are nearly linear in delta.
    Cells whose interval includes the null value are hatched.
    """
    ax = axes_or_new(ax)
    columns = _columns(grid, across, up)
    x, y, tables = _tables(grid, columns)
    margin = np.maximum(tables["ci_low"] - null, null - tables["ci_high"])
    _colour(ax, x, y, np.abs(tables["estimate"] - null))
    _hatch(ax, x, y, margin <= 0)
    crossed = margin.min() < 0 < margin.max()
    if crossed:
        ax.contour(x, y, margin, levels=[0.0], colors="black", linewidths=2.2, zorder=4)
    ax.set_xticks(x, [f"{value:g}" for value in x])
    ax.set_yticks(y, [f"{value:g}" for value in y])
    _print_cells(ax, x, y, tables, decimals)
    _mark_none(ax, x, y)
    ax.spines[["top", "right"]].set_visible(True)
    axis_titles(ax, *(f"{column[len('delta ') :]}: added to imputed values" for column in columns))
    _explain(ax, measure, interval, null, crossed=crossed)
    return ax


def _columns(grid: Any, across: str | None, up: str | None) -> tuple[str, str]:
    found = [str(name) for name in grid.columns if str(name).startswith("delta ")]
    chosen = (across or next((n for n in found if n != up), ""),)
    both = (*chosen, up or next((n for n in found if n != chosen[0]), ""))
    if any(name not in found for name in both) or both[0] == both[1]:
        listed = ", ".join(found) or "none"
        msg = f"tipping_heat_map: found the columns {listed}; expected two, such as 'delta DRUG'"
        raise UsageError(msg)
    return both


def _tables(grid: Any, columns: tuple[str, str]) -> tuple[Array, Array, dict[str, Array]]:
    """The deltas along both axes, and each statistic as up × across."""
    x, y = (np.sort(grid[name].unique()).astype(float) for name in columns)
    if len(grid) != len(x) * len(y) or grid.duplicated(list(columns)).any():
        msg = (
            f"tipping_heat_map: found {len(grid)} rows, expected one for each of "
            f"{len(x)} × {len(y)} pairs of deltas"
        )
        raise UsageError(msg)
    tables = {
        name: grid.pivot_table(index=columns[1], columns=columns[0], values=name).to_numpy(float)
        for name in ("estimate", "p_value", "ci_low", "ci_high")
    }
    return x, y, tables


def _edges(centres: Array) -> Array:
    """Half-way between neighbours, and as far beyond the outermost."""
    if len(centres) == 1:
        return np.array([centres[0] - 0.5, centres[0] + 0.5])
    between = (centres[1:] + centres[:-1]) / 2
    ends = 2 * centres[[0, -1]] - between[[0, -1]]
    edges: Array = np.concatenate([ends[:1], between, ends[1:]])
    return edges


def _colour(ax: Axes, x: Array, y: Array, effect: Array) -> None:
    ax.pcolormesh(_edges(x), _edges(y), effect, cmap=_MAP, edgecolors="white", linewidth=0.8)


def _hatch(ax: Axes, x: Array, y: Array, includes_null: Array) -> None:
    across, up = _edges(x), _edges(y)
    for j, i in np.argwhere(includes_null):
        corner = (across[i], up[j])
        width, height = across[i + 1] - across[i], up[j + 1] - up[j]
        ax.add_patch(Rectangle(corner, width, height, facecolor="white", alpha=0.55, linewidth=0))
        ax.add_patch(
            Rectangle(corner, width, height, fill=False, hatch="////", edgecolor="#c8c8c8",
                       linewidth=0)
        )  # fmt: skip


def _print_cells(ax: Axes, x: Array, y: Array, tables: dict[str, Array], decimals: int) -> None:
    """Estimate and p-value, where cells have room for them."""
    wide, high = frame_size(ax)
    if wide / len(x) < _WIDE or high / len(y) < _HIGH:
        return
    for j, up in enumerate(y):
        for i, across in enumerate(x):
            for line, text in (
                (5.5, fixed(tables["estimate"][j, i], decimals)),
                (-5.5, p_value(tables["p_value"][j, i], 3)),
            ):
                # a light rim, so that the boundary does not strike a number out
                rim = [withStroke(linewidth=2.6, foreground="white", alpha=0.85)]
                how: dict[str, Any] = {"ha": "center", "size": SMALL, "zorder": 5}
                how["path_effects"] = rim
                note(ax, text, (across, up), (0, line), scales=("data", "data"), **how)


def _mark_none(ax: Axes, x: Array, y: Array) -> None:
    """A frame about the cell without deltas."""
    if 0 in x and 0 in y:
        i, j = int(np.flatnonzero(x == 0)[0]), int(np.flatnonzero(y == 0)[0])
        across, up = _edges(x), _edges(y)
        ax.add_patch(
            Rectangle((across[i], up[j]), across[i + 1] - across[i], up[j + 1] - up[j],
                       fill=False, edgecolor=_ORANGE, linewidth=2.2, zorder=4.5)
        )  # fmt: skip


def _explain(ax: Axes, measure: str, interval: str, null: float, *, crossed: bool) -> None:
    handles: list[Any] = [
        Patch(facecolor="#9ecae1", edgecolor="white", label=f"{interval} excludes {null:g}"),
        Patch(facecolor="white", edgecolor="#c8c8c8", hatch="////",
              label=f"{interval} includes {null:g}"),
        Patch(fill=False, edgecolor=_ORANGE, linewidth=2.0, label="no delta"),
    ]  # fmt: skip
    if crossed:
        handles.insert(
            2, Line2D([], [], color="black", linewidth=2.2, label=f"{interval} meets {null:g}")
        )
    ax.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1.01), ncols=len(handles),
              fontsize=SMALL, borderaxespad=0, columnspacing=1.2, handlelength=1.8)  # fmt: skip
    words = f"In each cell: {measure or 'estimate'}, darker the farther from {null:g}; p-value"
    note(ax, clipped(words, frame_size(ax)[0], SMALL), (0, 1), (0, 28), size=SMALL)


@in_house_style
def tipping_curve(
    curve: Any,
    tips: Sequence[float] | None = None,
    *,
    null: float = 0.0,
    measure: str = "",
    across: str = "Delta: added to imputed values",
    interval: str = "95% CI",
    ax: Axes | None = None,
) -> Axes:
    """Draw the estimate and its interval as imputed values are shifted, and where it tips.

    Parameters
    ----------
    curve : DataFrame
        Columns delta, estimate, ci_low, ci_high, p_value; as of ``tipping_point(...).curve``.
    tips : sequence of float, optional
        The deltas at which the conclusion changes; by default where the curve's interval meets
        the null value, interpolated between its points.
    null : float
        Value of no difference.
    measure, across : str
        Titles of the axes.
    interval : str
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If the curve has fewer than 2 points.
    """
    if len(curve) < 2:
        msg = f"tipping_curve: found {len(curve)} points, expected at least 2 deltas"
        raise UsageError(msg)
    ax = axes_or_new(ax)
    ordered = curve.sort_values("delta")
    delta, estimate, low, high = (
        ordered[name].to_numpy(dtype=float) for name in ("delta", "estimate", "ci_low", "ci_high")
    )
    ax.fill_between(delta, low, high, color=_BLUE, alpha=0.18, linewidth=0, label=interval)
    for limit in (low, high):
        ax.plot(delta, limit, color=_BLUE, linewidth=0.8)
    ax.plot(delta, estimate, color=_BLUE, linewidth=2.0, label="estimate")
    ax.axhline(null, color=_GREY, linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    at_none = np.interp(0.0, delta, estimate, left=np.nan, right=np.nan)
    ax.plot([0.0], [at_none], linestyle="none", marker="o", color="black", label="no delta")
    found = _crossings(delta, low, high, null) if tips is None else list(tips)
    for tip in found:
        _mark_tip(ax, float(tip))
    if not found:
        words = "The conclusion is the same at every delta shown"
        note(ax, words, (0.02, 0.03), size=SMALL)
    ax.set_xlim(delta[0], delta[-1])
    axis_titles(ax, across, measure)
    ax.legend(loc="best", fontsize=SMALL)
    return ax


def _crossings(delta: Array, low: Array, high: Array, null: float) -> list[float]:
    margin = np.maximum(low - null, null - high)
    before = np.flatnonzero(np.sign(margin[:-1]) * np.sign(margin[1:]) < 0)
    share = margin[before] / (margin[before] - margin[before + 1])
    found = delta[before] + share * (delta[before + 1] - delta[before])
    return sorted([*found.tolist(), *delta[margin == 0].tolist()])


def _mark_tip(ax: Axes, tip: float) -> None:
    ax.axvline(tip, color=_ORANGE, linewidth=1.6, linestyle=(0, (1.5, 1.5)))
    words = f"tips at {tip:.2f}"
    note(ax, words, (tip, 1), (0, 9), scales=("data", "frame"), ha="center", size=BODY,
         color=_ORANGE)  # fmt: skip
