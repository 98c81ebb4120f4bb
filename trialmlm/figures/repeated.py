"""Subjects over occasions, with the means of their groups, and effects by several analyses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.dots import draw_dots, name_of
from trialmlm.figures.style import SMALL, arm_style, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Collection

    from matplotlib.axes import Axes


@in_house_style
def rm_anova_plot(
    long: Any,
    dropped: Collection[Any] = (),
    *,
    across: str = "",
    up: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw every subject over the occasions, those dropped apart, and the means of the groups.

    Parameters
    ----------
    long : DataFrame
        As of ``tm.rm_anova(...).long``: y, subject, occasion, group.
    dropped : collection
        The subjects left out.
    across, up : str
        Titles of the axes.
    ax : Axes, optional

    Returns
    -------
    Axes
        Means are of every value at the occasion, those of dropped subjects included.
    """
    ax = axes_or_new(ax)
    names = list(long["occasion"].cat.categories)
    groups = list(long["group"].cat.categories)
    missing = set(dropped)
    table = long.assign(at=long["occasion"].cat.codes).sort_values("at", kind="stable")
    for subject, rows in table.groupby("subject", observed=True):
        lost = subject in missing
        ax.plot(rows["at"], rows["y"], color="#D55E00" if lost else "#c4c4c4", linewidth=0.8,
                linestyle=(0, (3, 2)) if lost else "solid", marker="." if lost else None,
                zorder=1)  # fmt: skip
    for k, group in enumerate(groups):
        means = table[table["group"] == group].groupby("at")["y"].mean()
        style = arm_style(k)
        label = clipped(name_of(group), 140, SMALL) if len(groups) > 1 else "mean"
        ax.plot(means.index, means.to_numpy(), color=style.colour, marker=style.marker,
                linestyle=style.line, linewidth=1.8, label=label, zorder=2)  # fmt: skip
    if missing:
        ax.plot([], [], color="#D55E00", linestyle=(0, (3, 2)), marker=".", label="dropped")
    ax.set_xticks(range(len(names)), [clipped(name_of(name), 60, SMALL) for name in names])
    ax.legend(loc="best", fontsize=SMALL)
    axis_titles(ax, across, up)
    return ax


@in_house_style
def pseudobulk_plot(frame: Any, term: str, *, ax: Axes | None = None) -> Axes:
    """Draw one effect by each analysis, with its interval.

    Parameters
    ----------
    frame : DataFrame
        As of ``tm.pseudobulk(...)``: term, analysis, n, estimate, ci_low, ci_high.
    term : str
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there is no such term.
    """
    rows = frame[frame["term"] == term]
    if not len(rows):
        msg = f"term: found {term!r}, expected one of {', '.join(dict.fromkeys(frame['term']))}"
        raise UsageError(msg)
    ax = axes_or_new(ax)
    labels = [f"{name} (n = {n:,})" for name, n in zip(rows["analysis"], rows["n"], strict=True)]
    columns = ("estimate", "ci_low", "ci_high")
    values = [rows[column].to_numpy(dtype=float).tolist() for column in columns]
    draw_dots(ax, labels, *values, null=0.0)
    axis_titles(ax, f"Effect ({term}) with its interval")
    return ax
