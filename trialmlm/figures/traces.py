"""Traces of Markov chains: whether sampling had settled when its draws were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.figures.axis_titles import axis_titles
from trialmlm.figures.note import note
from trialmlm.figures.style import SMALL, axes_or_new, in_house_style
from trialmlm.figures.text import clipped

if TYPE_CHECKING:
    from matplotlib.axes import Axes

#: alternating, so that chains that cross are told apart; none is the mean's
_CHAINS = ("#56B4E9", "#009E73", "#E69F00", "#CC79A7", "#0072B2", "#D55E00")
_SET_ASIDE = "#ececec"


@in_house_style
def trace_plot(
    trace: Any, diagnostics: Any = None, *, quantity: str | None = None, ax: Axes | None = None
) -> Axes:
    """Draw every chain of one quantity, sweep by sweep, and their mean.

    Parameters
    ----------
    trace : DataFrame
        Columns quantity, sweep, chain, value, burn_in: as of ``Posterior.trace_frame()``.
    diagnostics : DataFrame, optional
        Columns quantity, mean, r_hat, effective_size: as of ``Posterior.diagnostics()``; said
        above the axes.
    quantity : str, optional
        By default the last, as a rule the variance at the last visit: where most is missing.
    ax : Axes, optional
        Drawn into; by default the axes of a new figure.

    Returns
    -------
    Axes

    Raises
    ------
    UsageError
        If there is no such quantity.
    """
    ax = axes_or_new(ax)
    name = str(trace["quantity"].iloc[-1]) if quantity is None else quantity
    rows = trace[trace["quantity"] == name]
    if not len(rows):
        known = ", ".join(map(str, trace["quantity"].unique()))
        msg = f"trace_plot: found no quantity {name!r}; they are {known}"
        raise UsageError(msg)
    table = rows.pivot_table(index="sweep", columns="chain", values="value")
    aside = int(rows.loc[rows["burn_in"], "sweep"].nunique())
    for k, chain in enumerate(table.columns):
        ax.plot(table.index, table[chain], color=_CHAINS[k % len(_CHAINS)], linewidth=0.5,
                alpha=0.6, label=f"chain {chain}")  # fmt: skip
    ax.plot(table.index, table.mean(axis=1), color="black", linewidth=1.2, label="mean of chains")
    _set_aside(ax, aside)
    ax.set_xlim(0, len(table))
    said = "" if diagnostics is None else _diagnosed(diagnostics, name)
    ax.set_title(f"{clipped(name, 300, SMALL)}, {table.shape[1]} chains{said}")
    axis_titles(ax, "Sweep", name)
    ax.legend(handles=[ax.lines[table.shape[1]]], loc="upper right", fontsize=SMALL)
    return ax


def _set_aside(ax: Axes, sweeps: int) -> None:
    if sweeps:
        ax.axvspan(0, sweeps, color=_SET_ASIDE, zorder=0)
        words = f"set aside: {sweeps} sweeps"
        note(ax, words, (0, 0), (6, 10), scales=("data", "frame"), size=SMALL)


def _diagnosed(diagnostics: Any, name: str) -> str:
    row = diagnostics[diagnostics["quantity"] == name].iloc[0]
    return f": R-hat {row['r_hat']:.3f}, effective size {row['effective_size']:.0f}"
