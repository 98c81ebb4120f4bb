"""Predicted effects of groups, and how they are shrunk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.dots import GREY, draw_dots, label_rows, name_of
from trialmlm.figures.style import SMALL, axes_or_new, in_house_style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

_OWN, _PARTIAL = "#D55E00", "#0072B2"


@in_house_style
def caterpillar_plot(
    random_effects: Any,
    *,
    group: str | None = None,
    term: str = "(Intercept)",
    width: float = 1.96,
    ax: Axes | None = None,
) -> Axes:
    """Draw the predicted effects of every group, sorted, with their prediction intervals.

    Parameters
    ----------
    random_effects : DataFrame
        As of ``fit.random_effects()``: group, level, term, estimate, std_error.
    group, term : str
        Which; by default the first group's intercepts.
    width : float
        Standard errors to either side.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there are no such effects.
    """
    ax = axes_or_new(ax)
    table, name = _chosen(random_effects, group, term)
    table = table.sort_values("estimate", ascending=False, kind="stable")
    estimate = table["estimate"].to_numpy(dtype=float)
    half = width * table["std_error"].to_numpy(dtype=float)
    labels = [name_of(level) for level in table["level"]]
    draw_dots(ax, labels, estimate.tolist(), (estimate - half).tolist(),
              (estimate + half).tolist(), null=0.0)  # fmt: skip
    axis_titles(ax, f"Predicted effect of {name}: {term}", name)
    return ax


@in_house_style
def shrinkage_plot(
    partial_pooling: Any,
    *,
    group: str | None = None,
    terms: tuple[str, ...] = ("(Intercept)",),
    ax: Axes | None = None,
) -> Axes:
    """Draw how far the model moves each group's own estimate towards everyone's.

    Parameters
    ----------
    partial_pooling : DataFrame
        As of ``fit.partial_pooling()``.
    group : str, optional
        By default the first.
    terms : tuple of str
        One: groups under one another. Two: the first across, the second up.
    ax : Axes, optional

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there are no such effects, or `terms` names neither one nor two.
    """
    if len(terms) not in (1, 2):
        msg = f"terms: found {len(terms)} names, expected one or two"
        raise UsageError(msg)
    ax = axes_or_new(ax)
    tables = [_chosen(partial_pooling, group, term)[0] for term in terms]
    name = _chosen(partial_pooling, group, terms[0])[1]
    if len(terms) == 1:
        _rows(ax, tables[0], f"{name}: {terms[0]}", name)
    else:
        _plane(ax, *tables)
        axis_titles(ax, f"{name}: {terms[0]}", f"{name}: {terms[1]}")
    ax.legend(loc="best", fontsize=SMALL)
    return ax


def _rows(ax: Axes, table: Any, across: str, up: str) -> None:
    table = table.sort_values("partial", ascending=False, kind="stable")
    y = range(len(table))
    own, partial = (table[name].to_numpy(dtype=float) for name in ("own", "partial"))
    pooled = float(table["pooled"].iloc[0])
    ax.axvline(pooled, color=GREY, linewidth=1.0, linestyle=(0, (4, 3)), label="complete pooling")
    ax.hlines(y, own, partial, color="#a0a0a0", linewidth=1.0)
    _points(ax, own, y, partial, y)
    ax.set_ylim(len(table) - 0.4, -0.6)
    label_rows(
        ax, [f"{name_of(level)} ({n})" for level, n in zip(table["level"], table["n"], strict=True)]
    )
    axis_titles(ax, across, f"{up} (rows)")


def _plane(ax: Axes, first: Any, second: Any) -> None:
    both = [table.set_index("level") for table in (first, second)]
    across, up = both[0], both[1].loc[both[0].index]
    own = [table["own"].to_numpy(dtype=float) for table in (across, up)]
    partial = [table["partial"].to_numpy(dtype=float) for table in (across, up)]
    for x0, y0, x1, y1 in zip(*own, *partial, strict=True):
        ax.plot([x0, x1], [y0, y1], color="#a0a0a0", linewidth=0.9, zorder=1)
    _points(ax, own[0], own[1], partial[0], partial[1])
    centre = [float(table["pooled"].iloc[0]) for table in (across, up)]
    ax.plot(*[[value] for value in centre], linestyle="none", marker="+", markersize=14,
            markeredgewidth=1.8, color=GREY, zorder=3, label="complete pooling")  # fmt: skip


def _points(ax: Axes, x0: Any, y0: Any, x1: Any, y1: Any) -> None:
    how: dict[str, Any] = {"linestyle": "none", "markersize": 5, "zorder": 2}
    ax.plot(x0, y0, marker="o", markerfacecolor="none", color=_OWN, label="own rows alone", **how)
    ax.plot(x1, y1, marker="s", color=_PARTIAL, label="partial pooling", **how)


def _chosen(table: Any, group: str | None, term: str) -> tuple[Any, str]:
    """The rows of one group's term, and the group."""
    name = group if group is not None else str(table["group"].iloc[0])
    found = table[(table["group"] == name) & (table["term"] == term)]
    if not len(found):
        known = sorted({f"{g}: {t}" for g, t in zip(table["group"], table["term"], strict=True)})
        msg = f"found no effects {name}: {term}; they are {', '.join(known)}"
        raise UsageError(msg)
    return found, name
