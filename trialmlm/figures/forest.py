"""A forest of estimates: what each analysis says of the same question, under one another."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, nan
from typing import TYPE_CHECKING, Any, Final

from trialmlm.errors import UsageError
from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.note import note
from trialmlm.figures.numbers import p_value, with_interval
from trialmlm.figures.style import BODY, SMALL, axes_or_new, in_house_style
from trialmlm.figures.text import clipped, shown, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

#: room of the texts beside the axes in points: label, n; estimate, p
LEFT, RIGHT = 236.0, 178.0
_N, _ESTIMATE, _P = -22.0, 66.0, 158.0
_LABEL_ROOM: Final = 190.0
_LEADING: Final = 12.5
_GREY: Final = "#505050"


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One estimate.

    Attributes
    ----------
    label : str
    detail : str
        In small print under the label, such as role and method.
    estimate, low, high, p_value : float
        NaN where it cannot be estimated.
    n : int or None
        Subjects analysed.
    decided : bool
        Drawn full; a comparator is drawn hollow.
    """

    label: str
    detail: str = ""
    estimate: float = nan
    low: float = nan
    high: float = nan
    p_value: float = nan
    n: int | None = None
    decided: bool = True


@in_house_style
def forest(
    rows: Sequence[ForestRow],
    *,
    measure: str = "",
    interval: str = "95% CI",
    favours: tuple[str, str] = ("", ""),
    null: float = 0.0,
    decimals: int = 1,
    p_decimals: int = 3,
    ax: Axes | None = None,
) -> Axes:
    """Draw estimates with their intervals, and say each in words and numbers beside it.

    Parameters
    ----------
    rows : sequence of ForestRow
        From the top.
    measure : str
        Title of the axis.
    interval : str
    favours : (str, str)
        Whom values left and right of the null line favour; empty draws no arrow.
    null : float
        Value of no difference.
    decimals, p_decimals : int
        Of the printed estimates and p-values.
    ax : Axes, optional
        Drawn into, with texts left and right of it; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there are more rows than fit.
    """
    ax = axes_or_new(ax)
    lines = _lines(ax, len(rows))
    ax.axvline(null, color="#606060", linewidth=0.9, linestyle=(0, (4, 3)), zorder=1)
    for y, row in enumerate(rows):
        _draw(ax, y, row)
        _say(ax, y, row, lines, decimals, p_decimals)
    _heads(ax, interval)
    ax.set_ylim(len(rows) - 0.4, -0.6)
    ax.margins(x=0.08)
    ax.set_yticks([])
    ax.spines["left"].set_visible(False)
    axis_titles(ax, measure, down=24 if any(favours) else 4)
    _arrows(ax, favours, null)
    return ax


def _draw(ax: Axes, y: int, row: ForestRow) -> None:
    if not isfinite(row.estimate):
        return
    ax.errorbar(
        [row.estimate],
        [y],
        xerr=[[row.estimate - row.low], [row.high - row.estimate]],
        label=row.label,
        color="black",
        linestyle="none",
        marker="s",
        markersize=7,
        markerfacecolor="black" if row.decided else "white",
        markeredgewidth=1.2,
        elinewidth=1.3,
        capsize=3,
    )


def _beside(
    ax: Axes, y: float, side: int, offset: tuple[float, float], text: str, **how: Any
) -> None:
    """Text at the height of a row, so many points from the left (0) or right (1) edge."""
    note(ax, text, (side, y), offset, scales=("frame", "data"), **{"size": BODY, **how})


def _say(ax: Axes, y: int, row: ForestRow, lines: int, decimals: int, p_decimals: int) -> None:
    texts = [
        (line, BODY, "black")
        for line in wrapped(row.label, _LABEL_ROOM, BODY, max(1, min(2, lines - 1)))
    ]
    if row.detail and lines > 1:
        texts.append((clipped(row.detail, _LABEL_ROOM, SMALL), SMALL, _GREY))
    for k, (text, size, colour) in enumerate(texts):
        up = _LEADING * ((len(texts) - 1) / 2 - k)
        _beside(ax, y, 0, (-LEFT, up), text, size=size, color=colour)
    _beside(ax, y, 0, (_N, 0), "" if row.n is None else str(row.n), ha="right")
    numbers = with_interval(row.estimate, row.low, row.high, decimals)
    _beside(ax, y, 1, (_ESTIMATE, 0), numbers, ha="center")
    _beside(ax, y, 1, (_P, 0), p_value(row.p_value, p_decimals), ha="center")


def _lines(ax: Axes, rows: int) -> int:
    """Lines of text that a row has room for.

    Raises
    ------
    UsageError
        If it has not even room for one.
    """
    _, points = frame_size(ax)
    lines = int(points / rows / _LEADING) if rows else 1
    if lines < 1:
        most = int(points / _LEADING)
        msg = f"forest: found {rows} rows, expected at most {most}; order them as several figures"
        raise UsageError(msg)
    return lines


def _heads(ax: Axes, interval: str) -> None:
    heads = (
        (0, -LEFT, "Analysis", "left"),
        (0, _N, "n", "right"),
        (1, _ESTIMATE, f"Estimate ({interval})", "center"),
        (1, _P, "p-value", "center"),
    )
    for side, x, text, ha in heads:
        note(ax, text, (side, 1), (x, 12), ha=ha, size=BODY, weight="bold")


def _arrows(ax: Axes, favours: tuple[str, str], null: float) -> None:
    """Under the axis: an arrow to each side, and whom it favours."""
    for sign, ha, label in ((-1, "right", favours[0]), (1, "left", favours[1])):
        if not label:
            continue
        text = clipped(f"Favours {shown(label)}", 130, SMALL)
        words = f"← {text}" if sign < 0 else f"{text} →"
        how = {"ha": ha, "size": SMALL}
        note(ax, words, (null, 0), (8 * sign, -26), scales=("data", "frame"), **how)
