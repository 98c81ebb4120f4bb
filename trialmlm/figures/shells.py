"""The one table of figures by their name in a protocol, each a page made of results."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from trialmlm.figures.diagnostics import by_arm, by_visit, residual_records
from trialmlm.figures.estimates import forest_rows, slopes_alone
from trialmlm.figures.forest import LEFT, RIGHT, forest
from trialmlm.figures.individual_slopes import individual_slopes, shared_bins, slopes_of
from trialmlm.figures.means_by_visit import means_by_visit, rows_below
from trialmlm.figures.missing_patterns import columns_beside, pattern_bars, pattern_matrix
from trialmlm.figures.missing_patterns import legend_of as patterns_legend
from trialmlm.figures.page import compose, message_page
from trialmlm.figures.panels import panels_of
from trialmlm.figures.patterns import patterns_of, pooled
from trialmlm.figures.profiles import legend_of as profiles_legend
from trialmlm.figures.profiles import profiles
from trialmlm.figures.residuals import (
    normal_quantiles,
    residual_histogram,
    residuals_by_fitted,
    residuals_by_visit,
)
from trialmlm.figures.series import series_of
from trialmlm.figures.style import arm_style, in_house_style
from trialmlm.figures.tipping import tipping_curve, tipping_heat_map
from trialmlm.figures.tipping_cells import tipping_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.figure import Figure

    from trialmlm.figures.order import FigureOrder
    from trialmlm.results.results import Results

#: points kept for the labels of an axis: of its numbers and title, or its title alone
_AXIS: Final = 40.0
_SIDE: Final = 62.0
#: a line of a legend under the axes
_LEGEND: Final = 20.0
#: room for the names of arms left of the numbers of subjects
_NAMES: Final = 124.0
#: points that a row of a forest or of a matrix takes at most
_ROW: Final = 52.0
_PATTERN: Final = 28.0
_MOST_PATTERNS: Final = 22
#: the two lines over a panel of slopes
_SLOPES: Final = 34.0


@in_house_style
def means_page(order: FigureOrder, results: Results) -> Figure:
    """Means by visit with numbers of subjects under the axis."""
    series = series_of(order, results)
    if not series:
        return message_page(order)
    page = compose(order)
    ax = page.axes(page.body.inside(left=_NAMES, bottom=rows_below(series), right=8, top=12))
    means_by_visit(
        series,
        measure=order.measure,
        time_label=order.time_label,
        interval=order.interval,
        reference=0.0 if order.quantity == "change" else None,
        ax=ax,
    )
    return page.figure


@in_house_style
def profiles_page(order: FigureOrder, results: Results) -> Figure:
    """Individual profiles, one panel per arm on the same axes."""
    panels = panels_of(order, results)
    if not panels:
        return message_page(order)
    page = compose(order)
    boxes = page.body.inside(left=_SIDE, bottom=_AXIS + _LEGEND, top=30).columns(
        [1] * len(panels), 28
    )
    axes = [page.axes(box) for box in boxes]
    for panel, ax in zip(panels, axes, strict=True):
        measure = order.measure if ax is axes[0] else ""
        profiles(panel, measure=measure, time_label=order.time_label, ax=ax)
    low = min(ax.get_ylim()[0] for ax in axes)
    high = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(low, high + 0.06 * (high - low))
        if ax is not axes[0]:
            ax.tick_params(labelleft=False)
    page.legend(profiles_legend(panels))
    return page.figure


@in_house_style
def forest_page(order: FigureOrder, results: Results) -> Figure:
    """What each analysis says of the difference between arms."""
    rows = forest_rows(order, results)
    if not any(row.estimate == row.estimate for row in rows):
        return message_page(order)
    page = compose(order)
    box = page.body.inside(left=LEFT, right=RIGHT, top=28, bottom=_AXIS + 22)
    spare = max(0.0, box.height - _ROW * len(rows))
    forest(
        rows,
        measure=_difference(order, rate=slopes_alone(order, results)),
        interval=order.interval,
        favours=_favours(order),
        decimals=order.decimals + 1,
        p_decimals=order.p_decimals,
        ax=page.axes(box.inside(bottom=spare)),
    )
    return page.figure


def _difference(order: FigureOrder, *, rate: bool = False) -> str:
    measured = order.slope_unit if rate else order.unit
    pair = [order.arm_label(key) for key in order.pairs[0]] if len(order.pairs) == 1 else []
    unit = f" ({measured})" if measured else ""
    return f"Difference {' minus '.join(pair)}".rstrip() + unit


def _favours(order: FigureOrder) -> tuple[str, str]:
    """Whom values below and above no difference favour."""
    if len({b for _, b in order.pairs}) != 1 or not order.better:
        return ("", "")
    first = order.arm_label(order.pairs[0][0]) if len(order.pairs) == 1 else "the other arm"
    versus = order.arm_label(order.pairs[0][1])
    return (versus, first) if order.better == "higher" else (first, versus)


@in_house_style
def patterns_page(order: FigureOrder, results: Results) -> Figure:
    """Patterns of missing data as a matrix beside bars."""
    found = patterns_of(order, results)
    if not found:
        return message_page(order)
    shown = pooled(found, _MOST_PATTERNS)
    page = compose(order)
    legend = _LEGEND * -(-(len(order.arms) + 2) // 4)
    box = page.body.inside(left=28, bottom=_AXIS + legend)
    spare = max(0.0, box.height - _PATTERN * max(4, len(shown)))
    beside = columns_beside(len(order.arms))
    left, right = box.inside(bottom=spare, right=beside, top=30).columns((1.2, 1), 10)
    visits = [visit.tick for visit in order.visits]
    pattern_matrix(shown, visits, time_label=order.time_label, ax=page.axes(left))
    arms = [(arm.label, arm_style(k)) for k, arm in enumerate(order.arms)]
    pattern_bars(shown, arms, ax=page.axes(right))
    page.legend(patterns_legend(arms))
    return page.figure


@in_house_style
def residuals_page(order: FigureOrder, results: Results) -> Figure:
    """Four views of the normalized residuals."""
    records = residual_records(order, results)
    if not records:
        return message_page(order)
    page = compose(order)
    arms = by_arm(order, records)
    top, bottom = page.body.inside(bottom=_AXIS, left=_AXIS + 8, top=6).rows((1, 1), _AXIS + 6)
    (a, b), (c, d) = (row.columns((1, 1), _SIDE) for row in (top, bottom))
    residuals_by_fitted(arms, measure=order.measure, ax=page.axes(a))
    residuals_by_visit(by_visit(order, records), time_label=order.time_label, ax=page.axes(b))
    normal_quantiles([row.residual for row in records], ax=page.axes(c))
    residual_histogram(arms, ax=page.axes(d))
    return page.figure


@in_house_style
def tipping_page(order: FigureOrder, results: Results) -> Figure:
    """The difference over the deltas of two arms as a heat map; over those of one as a curve."""
    found = tipping_of(order, results)
    if found is None:
        return message_page(order)
    page = compose(order)
    ax = page.axes(page.body.inside(left=_SIDE + 12, bottom=_AXIS, top=46, right=12))
    measure = _difference(order, rate=slopes_alone(order, results))
    if found.cells is not None:
        tipping_heat_map(found.cells, measure=measure, interval=order.interval,
                         decimals=order.decimals, ax=ax)  # fmt: skip
    else:
        tipping_curve(found.curve, measure=measure, interval=order.interval, ax=ax)
    return page.figure


@in_house_style
def slopes_page(order: FigureOrder, results: Results) -> Figure:
    """The subjects' predicted slopes, one panel per arm over the same axis."""
    arms = slopes_of(order, results)
    if not arms:
        return message_page(order)
    page = compose(order)
    box = page.body.inside(left=_SIDE, bottom=_AXIS, top=_SLOPES, right=8)
    panels = box.rows([1] * len(arms), _SLOPES)
    axes = [page.axes(panel) for panel in panels]
    bins = shared_bins(arms)
    for arm, ax in zip(arms, axes, strict=True):
        last = ax is axes[-1]
        measure = f"Slope of {order.endpoint.label} ({order.slope_unit})" if last else ""
        individual_slopes(arm, bins=bins, measure=measure, ax=ax)
        ax.tick_params(labelbottom=last)
    highest = max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(0.0, highest)
    return page.figure


FIGURES: Final[Mapping[str, Callable[[FigureOrder, Results], Figure]]] = {
    "means-by-visit": means_page,
    "profiles": profiles_page,
    "forest": forest_page,
    "missing-patterns": patterns_page,
    "residuals": residuals_page,
    "tipping-point": tipping_page,
    "individual-slopes": slopes_page,
}
