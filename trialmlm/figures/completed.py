"""Trajectories of subjects as observed and as imputed, beside the means of their arms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from matplotlib.lines import Line2D

from trialmlm.errors import UsageError
from trialmlm.figures.axis_titles import axis_titles, frame_size
from trialmlm.figures.note import note
from trialmlm.figures.style import BODY, SMALL, ArmStyle, arm_style, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence

    from matplotlib.axes import Axes

    from trialmlm.arrays import Array

_GREY: Final = "#505050"
_DASHES: Final = (0, (2.5, 1.8))
#: more subjects than this are not named at the end of their lines
_NAMED: Final = 12


@in_house_style
def completed_plot(
    completed: Any,
    *,
    subject: str,
    visit: str,
    value: str,
    arm: str,
    subjects: Sequence[Hashable] | None = None,
    times: Mapping[Hashable, float] | None = None,
    measure: str = "",
    time_label: str = "",
    ax: Axes | None = None,
) -> Axes:
    """Draw what was observed, what was imputed after it, and the mean of each arm completed.

    Parameters
    ----------
    completed : DataFrame
        One row per subject and visit, and imputation, with the column ``imputed`` (bool): as of
        ``imputed.completed()``. Of many imputations the mean is drawn, and a bar from the 5th to
        the 95th percentile.
    subject, visit, value, arm : str
        Columns.
    subjects : sequence, optional
        Those drawn, named at their ends where they are few; by default all with a value imputed.
    times : mapping of visit to number, optional
        When visits are due; by default visits that are numbers stand there, others evenly.
    measure, time_label : str
        Titles of the axes.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If a column, a subject or the time of a visit is missing.
    """
    ax = axes_or_new(ax)
    _require(completed, (subject, visit, value, arm, "imputed"))
    visits = _visits(completed[visit])
    at = _times(visits, times)
    styles = {label: arm_style(k) for k, label in enumerate(_levels(completed[arm]))}
    drawn = _chosen(completed, subject, subjects)
    cells = _cells(completed[completed[subject].isin(drawn)], subject, visit, value)
    who = completed.drop_duplicates(subject).set_index(subject)[arm]
    for name in drawn:
        own = cells.xs(name).reindex(visits)
        _trajectory(ax, own, at, styles[who[name]], faint=len(drawn) > _NAMED)
    if len(drawn) <= _NAMED:
        _name_ends(ax, cells, visits, at)
    for label, style in styles.items():
        rows = completed[completed[arm] == label]
        means = rows.groupby(visit, observed=True)[value].mean().reindex(visits)
        ax.plot(at, means, color="white", linewidth=5, zorder=4)
        ax.plot(at, means, color=style.colour, linewidth=3, zorder=5, marker=style.marker,
                label=f"{label}, mean completed")  # fmt: skip
    ax.set_xticks(at, [clipped(str(v), frame_size(ax)[0] / len(visits), BODY) for v in visits])
    axis_titles(ax, time_label, measure)
    ax.legend(handles=_legend(styles), loc="best", fontsize=SMALL)
    ax.set_title(f"{len(drawn)} of {completed[subject].nunique()} subjects")
    return ax


def _require(completed: Any, names: tuple[str, ...]) -> None:
    for name in names:
        if name not in completed.columns:
            listed = ", ".join(map(str, completed.columns))
            msg = f"completed_plot: there is no column {name!r}; found {listed}"
            raise UsageError(msg)


def _levels(column: Any) -> list[Any]:
    """In the order of categories, else of values."""
    if hasattr(column, "cat"):
        return [level for level in column.cat.categories if (column == level).any()]
    return sorted(column.unique())


def _visits(column: Any) -> list[Any]:
    """In the order of categories or numbers, else as they come."""
    if hasattr(column, "cat") or column.dtype.kind in "iuf":
        return _levels(column)
    return list(dict.fromkeys(column))


def _times(visits: Sequence[Any], times: Mapping[Hashable, float] | None) -> Array:
    if times is None:
        numbers = all(isinstance(visit, int | float | np.number) for visit in visits)
        return np.array(visits if numbers else range(len(visits)), dtype=float)
    absent = [visit for visit in visits if visit not in times]
    if absent:
        msg = f"completed_plot: times name no time of visit {absent[0]!r}; give one for each"
        raise UsageError(msg)
    return np.array([float(times[visit]) for visit in visits])


def _chosen(completed: Any, subject: str, subjects: Sequence[Hashable] | None) -> list[Any]:
    if subjects is None:
        return list(dict.fromkeys(completed.loc[completed["imputed"], subject]))
    known = set(completed[subject])
    strange = [one for one in subjects if one not in known]
    if strange:
        msg = f"completed_plot: there is no subject {strange[0]!r} in {subject}"
        raise UsageError(msg)
    return list(subjects)


def _cells(rows: Any, subject: str, visit: str, value: str) -> Any:
    """Per subject and visit: the mean over imputations, percentiles, whether it was imputed."""
    groups = rows.groupby([subject, visit], observed=True)
    cells = groups.agg(value=(value, "mean"), imputed=("imputed", "first"))
    cells["low"] = groups[value].quantile(0.05)
    cells["high"] = groups[value].quantile(0.95)
    return cells


def _trajectory(ax: Axes, cells: Any, at: Array, style: ArmStyle, *, faint: bool) -> None:
    """Solid between values observed, broken to and between values imputed."""
    values = cells["value"].to_numpy(dtype=float)
    imputed = cells["imputed"].eq(True).to_numpy()
    alpha, size = (0.4, 3.0) if faint else (0.8, 4.5)
    for k in range(len(values) - 1):
        broken = imputed[k] or imputed[k + 1]
        ax.plot(at[k : k + 2], values[k : k + 2], color=style.colour, zorder=3,
                linewidth=1.1, linestyle=_DASHES if broken else "solid", alpha=alpha)  # fmt: skip
    look: dict[str, Any] = {"linestyle": "none", "marker": style.marker, "markersize": size,
                            "color": style.colour, "zorder": 3.5}  # fmt: skip
    ax.plot(at[~imputed], values[~imputed], **look)
    ax.plot(at[imputed], values[imputed], **{**look, "markerfacecolor": "white"})
    spread = cells["high"].to_numpy(float) - cells["low"].to_numpy(float) > 0
    ax.vlines(at[spread], cells["low"][spread], cells["high"][spread], color=style.colour,
              linewidth=0.9, zorder=2)  # fmt: skip


def _name_ends(ax: Axes, cells: Any, visits: Sequence[Any], at: Array) -> None:
    last = cells.xs(visits[-1], level=1)["value"].sort_values()
    room = 11 / frame_size(ax)[1] * np.diff(ax.get_ylim())[0]
    height = -np.inf
    for name, value in last.items():
        height = max(height + room, float(value))
        note(ax, clipped(str(name), 90, SMALL), (at[-1], height), (9, 0), scales=("data", "data"),
             size=SMALL)  # fmt: skip


def _legend(styles: Mapping[Any, ArmStyle]) -> list[Line2D]:
    look: dict[str, Any] = {"color": _GREY, "linewidth": 1.1, "marker": "o", "markersize": 4.5}
    arms = [
        Line2D([], [], color=style.colour, linewidth=3, marker=style.marker, markersize=5,
               label=f"{clipped(str(arm), 160, SMALL)}, mean completed")
        for arm, style in styles.items()
    ]  # fmt: skip
    return [
        *arms,
        Line2D([], [], label="observed", **look),
        Line2D([], [], label="imputed", linestyle=_DASHES, markerfacecolor="white", **look),
    ]
