"""Patterns of missing data drawn from the frame that counts them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.figures.missing_patterns import count_columns, pattern_matrix
from trialmlm.figures.patterns import Pattern, pooled
from trialmlm.figures.style import axes_or_new, in_house_style

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes


@in_house_style
def missing_patterns_plot(
    frame: Any,
    visits: Sequence[Any],
    *,
    across: str = "",
    most: int = 20,
    ax: Axes | None = None,
) -> Axes:
    """Draw which visits were observed, a row per pattern, and how many subjects show each.

    Parameters
    ----------
    frame : DataFrame
        As of ``tm.missing_patterns(...).frame``: pattern, arm, n.
    visits : sequence
        Labels of the visits, as of ``tm.missing_patterns(...).visits``.
    across : str
        Title of the axis.
    most : int
        The most rows; the rarest patterns that are not monotone are pooled beyond them.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes
        The counts stand right of the frame, n (%) under the arm and its subjects.
    """
    arms = [str(arm) for arm in dict.fromkeys(frame["arm"])]
    counts = frame.groupby("pattern", sort=False)["n"].agg(tuple)
    found = [Pattern(tuple(c == "O" for c in text), ns) for text, ns in counts.items()]
    kept = pooled(sorted(found, key=lambda pattern: not pattern.monotone), most)
    labels = [str(visit) for visit in visits]
    ax = pattern_matrix(kept, labels, time_label=across, ax=axes_or_new(ax))
    count_columns(ax, kept, arms)
    return ax
