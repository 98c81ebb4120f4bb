"""A page round a figure: head, titles, footnotes and foot, as round every table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from trialmlm.figures.style import NOTE, SMALL, TITLE, in_house_style
from trialmlm.figures.text import clipped, shown, width, wrapped

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.artist import Artist
    from matplotlib.axes import Axes

    from trialmlm.figures.order import FigureOrder

#: the one line of a figure whose analysis found no rows; such a figure is never skipped
NO_DATA: Final = "No data to report"

#: Letter, landscape, in points, and the margin that binding needs
_WIDTH, _HEIGHT, _MARGIN = 792.0, 612.0, 54.0
_ROOM: Final = _WIDTH - 2 * _MARGIN
_LEADING: Final = 1.35
_GAP: Final = 8.0
#: bold text is wider by no more than this
_BOLD: Final = 1.2
_MOST_TITLES, _MOST_NOTES = 6, 9


@dataclass(frozen=True, slots=True)
class Box:
    """A part of the page in points, from its lower left corner."""

    left: float
    bottom: float
    width: float
    height: float

    def inside(self, left: float = 0, bottom: float = 0, right: float = 0, top: float = 0) -> Box:
        """The box less a margin on each side, in points."""
        return Box(
            self.left + left,
            self.bottom + bottom,
            self.width - left - right,
            self.height - bottom - top,
        )

    def columns(self, shares: Sequence[float], gap: float = 0) -> tuple[Box, ...]:
        """Side by side, with widths in these shares."""
        unit = (self.width - gap * (len(shares) - 1)) / sum(shares)
        lefts = [self.left + unit * sum(shares[:k]) + gap * k for k in range(len(shares))]
        return tuple(
            Box(left, self.bottom, unit * share, self.height)
            for left, share in zip(lefts, shares, strict=True)
        )

    def rows(self, shares: Sequence[float], gap: float = 0) -> tuple[Box, ...]:
        """One above the other, from the top, with heights in these shares."""
        unit = (self.height - gap * (len(shares) - 1)) / sum(shares)
        bottoms = [
            self.bottom + self.height - unit * sum(shares[: k + 1]) - gap * k
            for k in range(len(shares))
        ]
        return tuple(
            Box(self.left, bottom, self.width, unit * share)
            for bottom, share in zip(bottoms, shares, strict=True)
        )


@dataclass(frozen=True, slots=True)
class Page:
    """A page with its furniture, and the box that is left for the figure."""

    figure: Figure
    body: Box

    def axes(self, box: Box) -> Axes:
        """New axes whose frame fills a box."""
        return self.figure.add_axes(
            (box.left / _WIDTH, box.bottom / _HEIGHT, box.width / _WIDTH, box.height / _HEIGHT)
        )

    def legend(self, handles: Sequence[Artist]) -> None:
        """One legend for all axes of the page, at the bottom of the body."""
        place = (0.5, self.body.bottom / _HEIGHT)
        self.figure.legend(
            handles=list(handles),
            loc="lower center",
            bbox_to_anchor=place,
            ncols=min(4, len(handles)),
            borderaxespad=0,
        )


@in_house_style
def compose(order: FigureOrder) -> Page:
    """The page of a figure, Letter landscape, its body still empty."""
    figure = Figure(figsize=(_WIDTH / 72, _HEIGHT / 72), label=shown(order.name))
    top = _head(figure, order)
    bottom = _foot(figure, order)
    return Page(figure, Box(_MARGIN, bottom + _GAP, _ROOM, top - bottom - 2 * _GAP))


@in_house_style
def message_page(order: FigureOrder, text: str = NO_DATA) -> Figure:
    """The page of a figure that shows nothing, and says why.

    Parameters
    ----------
    order : FigureOrder
    text : str
        Such as the reason that the analysis failed.
    """
    page = compose(order)
    lines = wrapped(text, 0.8 * _ROOM, TITLE, 12)
    middle = page.body.bottom + page.body.height / 2
    _text(page.figure, _WIDTH / 2, middle, "\n".join(lines), TITLE, ha="center", va="center")
    return page.figure


def _head(figure: Figure, order: FigureOrder) -> float:
    """Protocol, population, stamps and titles; the height they leave."""
    furniture = order.furniture
    y = _HEIGHT - _MARGIN
    y = _pair(figure, y, _labelled("Protocol", furniture.protocol), "Page 1 of 1", SMALL)
    stamps = " / ".join(filter(None, (furniture.status, *furniture.stamps)))
    y = _pair(figure, y, _labelled("Population", order.population.label), stamps, SMALL)
    y -= _GAP
    texts = (order.name, *order.titles)
    titles = [line for text in texts for line in wrapped(text, _ROOM / _BOLD, TITLE, 2)]
    for line in titles[:_MOST_TITLES]:
        y -= TITLE * _LEADING
        _text(figure, _WIDTH / 2, y, line, TITLE, ha="center", weight="bold")
    return y


def _foot(figure: Figure, order: FigureOrder) -> float:
    """Footnotes over the line of program and run time; the height of their top."""
    furniture = order.furniture
    notes = [line for text in order.footnotes for line in wrapped(text, _ROOM, NOTE, 4)]
    last = [
        (_labelled("Program", furniture.program), _labelled("Run", furniture.run_time)),
        (_labelled("Data cut-off", furniture.data_cut), ""),
    ]
    pairs = [pair for pair in last if any(pair)]
    kept = notes[:_MOST_NOTES]
    top = _MARGIN + (len(kept) + len(pairs)) * NOTE * _LEADING + _GAP * bool(pairs)
    y = top
    _rule(figure, y)
    for line in kept:
        y -= NOTE * _LEADING
        _text(figure, _MARGIN, y, line, NOTE)
    y -= _GAP
    for left, right in pairs:
        y = _pair(figure, y, left, right, NOTE)
    return top


def _pair(figure: Figure, y: float, left: str, right: str, size: float) -> float:
    """Two texts at the ends of a line; the height under it."""
    y -= size * _LEADING
    most = _ROOM - min(width(shown(left), size), _ROOM * 0.7) - 12
    last = clipped(right, most, size)
    first = clipped(left, _ROOM - width(last, size) - 12, size)
    _text(figure, _MARGIN, y, first, size)
    _text(figure, _WIDTH - _MARGIN, y, last, size, ha="right")
    return y


def _labelled(label: str, text: str) -> str:
    return f"{label}: {text}" if text else ""


def _text(figure: Figure, x: float, y: float, text: str, size: float, **how: Any) -> None:
    if text:
        figure.text(x / _WIDTH, y / _HEIGHT, text, size=size, parse_math=False, **how)


def _rule(figure: Figure, y: float) -> None:
    ends = (_MARGIN / _WIDTH, 1 - _MARGIN / _WIDTH)
    figure.add_artist(Line2D(ends, (y / _HEIGHT, y / _HEIGHT), color="black", linewidth=0.6))
