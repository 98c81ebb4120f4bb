"""Patterns of missing data: a matrix of visits, and how many subjects of each arm show each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.note import note
from trialmlm.figures.style import BODY, SMALL, ArmStyle, axes_or_new, in_house_style
from trialmlm.figures.text import clipped, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from trialmlm.figures.patterns import Pattern

_LEGEND_ROOM: Final = 110.0
_SEEN, _EDGE, _UNSEEN = "#303030", "#8a8a8a", "#d4d4d4"
#: how the bars of the arms differ in grey
_HATCHES: Final = ("", "////", "....", "xxxx", "\\\\\\\\", "++++")


@in_house_style
def pattern_matrix(
    patterns: Sequence[Pattern],
    visits: Sequence[str],
    *,
    time_label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw which visits were observed, a row per pattern from the top.

    Parameters
    ----------
    patterns : sequence of Pattern
    visits : sequence of str
        Labels of the visits, in schedule order and evenly spaced.
    time_label : str
        Title of the axis.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    for seen, label in ((True, "observed"), (False, "missing")):
        places = [
            (x, y)
            for y, pattern in enumerate(patterns)
            for x, here in enumerate(pattern.observed)
            if here is seen
        ]
        ax.plot(
            [x for x, _ in places],
            [y for _, y in places],
            label=label,
            linestyle="none",
            marker="o",
            markersize=7.5,
            markerfacecolor=_SEEN if seen else "white",
            markeredgecolor=_SEEN if seen else _EDGE,
        )
    for y, pattern in enumerate(patterns):
        _join(ax, y, pattern, len(visits))
    _separate(ax, patterns)
    room = frame_size(ax)[0] / max(1, len(visits)) - 3
    ax.set_xticks(range(len(visits)), [clipped(visit, room, BODY) for visit in visits])
    axis_titles(ax, time_label)
    ax.set_xlim(-0.6, len(visits) - 0.4)
    _rows(ax, patterns)
    return ax


def _join(ax: Axes, y: int, pattern: Pattern, visits: int) -> None:
    """A line through the visits attended, or the words for patterns pooled."""
    if pattern.pooled:
        words = f"{pattern.pooled} other patterns"
        note(ax, words, ((visits - 1) / 2, y), scales=("data", "data"), ha="center", size=BODY)
        return
    seen = [x for x, here in enumerate(pattern.observed) if here]
    if len(seen) > 1:
        ax.plot([seen[0], seen[-1]], [y, y], color=_UNSEEN, linewidth=2.2, zorder=1)


def _separate(ax: Axes, patterns: Sequence[Pattern]) -> None:
    """A rule between the monotone patterns and the others, and what they are."""
    first = sum(pattern.monotone and not pattern.pooled for pattern in patterns)
    spans = ((0, first, "Monotone"), (first, len(patterns), "Intermittent"))
    for start, stop, label in spans:
        if stop > start:
            how = {"rotation": 90, "ha": "center", "size": BODY}
            middle = (start + stop - 1) / 2
            text = label if stop - start > 2 else f"{label[:4]}."
            note(ax, text, (0, middle), (-14, 0), scales=("frame", "data"), **how)
    if 0 < first < len(patterns):
        ax.axhline(first - 0.5, color="#606060", linewidth=0.8)


@in_house_style
def pattern_bars(
    patterns: Sequence[Pattern],
    arms: Sequence[tuple[str, ArmStyle]],
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many subjects of each arm show each pattern, beside a matrix.

    Parameters
    ----------
    patterns : sequence of Pattern
        As in the matrix.
    arms : sequence of (str, ArmStyle)
        As readers call them, in the order of the patterns' counts.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
    """
    ax = axes_or_new(ax)
    height = 0.76 / max(1, len(arms))
    for k, (arm, style) in enumerate(arms):
        counts = [pattern.counts[k] for pattern in patterns]
        places = [y - 0.38 + height * (k + 0.5) for y in range(len(patterns))]
        ax.barh(
            [y for y, count in zip(places, counts, strict=True) if count],
            [count for count in counts if count],
            height=0.94 * height,
            **_bar(k, arm, style),
        )
    count_columns(ax, patterns, [arm for arm, _ in arms])
    axis_titles(ax, "Subjects")
    ax.xaxis.set_major_locator(MaxNLocator(nbins=6, integer=True, steps=[1, 2, 5, 10]))
    ax.set_xlim(left=0)
    _rows(ax, patterns)
    return ax


def legend_of(arms: Sequence[tuple[str, ArmStyle]]) -> list[Artist]:
    """What the dots of the matrix and the bars of each arm are."""
    dots = [
        Line2D(
            [],
            [],
            label=label,
            linestyle="none",
            marker="o",
            markersize=7.5,
            markerfacecolor=_SEEN if label == "observed" else "white",
            markeredgecolor=_SEEN if label == "observed" else _EDGE,
        )
        for label in ("observed", "missing")
    ]
    return [*dots, *(Patch(**_bar(k, arm, style)) for k, (arm, style) in enumerate(arms))]


def _bar(k: int, arm: str, style: ArmStyle) -> dict[str, Any]:
    """The look of an arm's bars: the first is full, the others differ in their hatching."""
    return {
        "label": clipped(arm, _LEGEND_ROOM, BODY),
        "facecolor": "white" if k else style.colour,
        "edgecolor": style.colour,
        "hatch": _HATCHES[k % len(_HATCHES)],
        "linewidth": 0.8,
    }


def count_columns(ax: Axes, patterns: Sequence[Pattern], arms: Sequence[str]) -> None:
    """Write the counts of each arm right of the frame, in the order of the patterns' counts."""
    for k, arm in enumerate(arms):
        _counts(ax, k, len(arms), arm, [pattern.counts[k] for pattern in patterns])


def columns_beside(arms: int) -> float:
    """Points that the columns of counts take right of the bars."""
    return arms * _column(arms) + 6


def _column(arms: int) -> float:
    return min(76.0, 300.0 / max(1, arms))


def _counts(ax: Axes, k: int, arms: int, arm: str, counts: Sequence[int]) -> None:
    """The column of an arm right of the bars: n (%), under the arm and its subjects."""
    room, total = _column(arms), sum(counts)
    x = 6 + room * (k + 0.5)
    how: dict[str, Any] = {"ha": "center", "size": SMALL}
    heads = (*wrapped(arm, room - 6, SMALL, 2), f"(N={total})")
    for up, line in enumerate(reversed(heads)):
        note(ax, line, (1, 1), (x, 6 + 11 * up), **how)
    for y, count in enumerate(counts):
        percent = f" ({_share(count, total)}%)" if count and room > 44 else ""
        note(ax, f"{count}{percent}", (1, y), (x, 0), scales=("frame", "data"), **how)


def _rows(ax: Axes, patterns: Sequence[Pattern]) -> None:
    ax.set_yticks([])
    ax.set_ylim(len(patterns) - 0.4, -0.6)
    ax.spines["left"].set_visible(False)


def _share(count: int, total: int) -> str:
    """A percentage as the tables print it: never 0 of some, never 100 of fewer than all."""
    share = 100 * count / total
    if share < 1:
        return "<1"
    return ">99" if count < total and share > 99 else f"{share:.0f}"
