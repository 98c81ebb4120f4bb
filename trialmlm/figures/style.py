"""How an arm looks in every figure, and the settings that all figures are drawn under."""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar

from matplotlib import rc_context, rcParamsDefault
from matplotlib.figure import Figure

from trialmlm.figures.text import FONT

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from matplotlib.axes import Axes

_P = ParamSpec("_P")
_R = TypeVar("_R")

LineStyle = Literal["solid"] | tuple[float, tuple[float, ...]]


@dataclass(frozen=True, slots=True)
class ArmStyle:
    """Colour, marker and line of an arm; any one of the last two tells arms apart in grey.

    Attributes
    ----------
    colour : str
        Of Okabe and Ito's palette, distinct to the colour-blind.
    marker : str
    line : str or (offset, dashes)
    """

    colour: str
    marker: str
    line: LineStyle


#: by the order of the arms, the first being the control as a rule
_COLOURS: Final = ("#000000", "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00")
_MARKERS: Final = ("o", "s", "^", "D", "v", "P", "X", "p")
_LINES: Final[tuple[LineStyle, ...]] = (
    (0, (5, 2)),
    "solid",
    (0, (7, 2, 1.5, 2)),
    (0, (1.5, 1.5)),
    (0, (9, 3)),
    (0, (3, 1.5, 1, 1.5, 1, 1.5)),
)

#: of what stands behind: observed means behind LS means
DOTS: Final[LineStyle] = (0, (1, 2))

#: sizes of text in points
TITLE, BODY, SMALL, NOTE = 11.0, 9.5, 8.5, 8.0

#: a session's own affair, which no figure depends on
_SESSION: Final = {"backend", "backend_fallback", "interactive", "toolbar", "timezone"}

#: what the house changes of matplotlib's defaults
SETTINGS: Final[Mapping[str, Any]] = {
    "font.family": [FONT],
    "font.size": BODY,
    "text.hinting": "none",
    "text.parse_math": False,
    "text.usetex": False,
    "text.color": "black",
    "axes.edgecolor": "#404040",
    "axes.facecolor": "white",
    "axes.formatter.use_mathtext": False,
    "axes.formatter.useoffset": False,
    "axes.formatter.limits": (-6, 7),
    "axes.labelsize": BODY,
    "axes.linewidth": 0.8,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "axes.titlesize": BODY,
    "axes.unicode_minus": False,
    "figure.facecolor": "white",
    "legend.fontsize": BODY,
    "legend.frameon": False,
    "legend.handlelength": 3.2,
    "path.simplify": False,
    "pdf.compression": 6,
    "pdf.fonttype": 42,
    "savefig.bbox": None,
    "savefig.facecolor": "white",
    "xtick.labelsize": BODY,
    "ytick.labelsize": BODY,
}

#: drawn under these settings, whatever the caller's own are
_SETTINGS: Final[dict[Any, Any]] = {
    **{name: value for name, value in rcParamsDefault.items() if name not in _SESSION},
    **SETTINGS,
}


def arm_style(position: int) -> ArmStyle:
    """The style of the arm at this position of the order, counted from 0."""
    return ArmStyle(
        _COLOURS[position % len(_COLOURS)],
        _MARKERS[position % len(_MARKERS)],
        _LINES[position % len(_LINES)],
    )


def in_house_style(draw: Callable[_P, _R]) -> Callable[_P, _R]:
    """Run a function under the house's settings and put the caller's back."""

    @wraps(draw)
    def drawn(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        with rc_context(_SETTINGS):
            return draw(*args, **kwargs)

    return drawn


def axes_or_new(ax: Axes | None) -> Axes:
    """The caller's axes, or those of a new figure that no window shows."""
    return Figure(figsize=(9.0, 5.5), layout="constrained").add_subplot() if ax is None else ax
