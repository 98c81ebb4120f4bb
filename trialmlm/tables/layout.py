"""The page of a house: paper, margins and font, and what fits on it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Literal

from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

TWIPS_PER_INCH: Final = 1440
TWIPS_PER_POINT: Final = 20

#: paper in twips, upright: width, height
PAPERS: Final = {"letter": (12240, 15840), "a4": (11906, 16838)}

#: a share this little below its minimum is equal to it
_HAIR: Final = 1e-9

#: positions left free between two columns
GAP: Final = 2

#: line height over font size; lines are set to this exactly, so that a page holds what we count
_LEADING: Final = 1.15


@dataclass(frozen=True, slots=True)
class Font:
    """A font's family word in RTF, the width of a position in ems, and whether it is monospace.

    The width is a hair above that of Courier New (0.6001 em), or a line filled to its last
    position would wrap. A proportional font is set on the same grid: its prose is narrower.
    """

    family: str
    advance: float
    monospace: bool


FONTS: Final = {
    "Courier New": Font("modern", 0.601, monospace=True),
    "Times New Roman": Font("roman", 0.601, monospace=False),
}


@dataclass(frozen=True, slots=True)
class Margins:
    """Margins of a page in inches."""

    top: float = 1.0
    right: float = 1.0
    bottom: float = 1.0
    left: float = 1.0


@dataclass(frozen=True, slots=True)
class Layout:
    """The page every table of a house is printed on.

    Parameters
    ----------
    paper : {'letter', 'a4'}
        Paper size.
    landscape : bool
        Long side across.
    margins : Margins
        In inches.
    font : str
        A key of `FONTS`.
    size : float
        Font size in points, in halves.

    Raises
    ------
    UsageError
        An unknown paper or font, a size outside 6 to 14 points, or margins that leave no page.
    """

    paper: Literal["letter", "a4"] = "letter"
    landscape: bool = True
    margins: Margins = field(default_factory=Margins)
    font: str = "Courier New"
    size: float = 9.0

    def __post_init__(self) -> None:
        _among("paper", self.paper, PAPERS)
        _among("font", self.font, FONTS)
        if not (6 <= self.size <= 14 and self.size * 2 == int(self.size * 2)):
            raise UsageError(f"font size: found {self.size}, expected 6 to 14 points, in halves")
        if self.characters < 40 or self.lines < 20:
            raise UsageError(
                f"found a page of {self.characters} characters by {self.lines} lines, expected at "
                "least 40 by 20: reduce the margins or the font size"
            )

    @property
    def paper_size(self) -> tuple[int, int]:
        """Width and height of the sheet as it is read, in twips."""
        width, height = PAPERS[self.paper]
        return (height, width) if self.landscape else (width, height)

    @property
    def text_width(self) -> int:
        """Width between the margins, in twips."""
        return self.paper_size[0] - _twips(self.margins.left) - _twips(self.margins.right)

    @property
    def text_height(self) -> int:
        """Height between the margins, in twips."""
        return self.paper_size[1] - _twips(self.margins.top) - _twips(self.margins.bottom)

    @property
    def line(self) -> int:
        """Height of a line, in twips."""
        return math.ceil(self.size * TWIPS_PER_POINT * _LEADING)

    @property
    def position(self) -> float:
        """Width of one character position, in twips."""
        return self.size * TWIPS_PER_POINT * FONTS[self.font].advance

    @property
    def characters(self) -> int:
        """Character positions of a line."""
        return int(self.text_width / self.position)

    @property
    def lines(self) -> int:
        """Lines of a page."""
        return self.text_height // self.line

    def twips(self, positions: float) -> int:
        """Give the width of so many character positions, in twips."""
        return round(positions * self.position)

    def widths(
        self, weights: Sequence[float], minima: Sequence[int], gap: int = GAP
    ) -> tuple[int, ...]:
        """Share the line among columns.

        Parameters
        ----------
        weights : sequence of float
            Relative widths, positive.
        minima : sequence of int
            Positions each column needs lest its words be broken; a column whose share is less
            gets this much, as long as all of them fit the line.
        gap : int
            Positions between two columns.

        Returns
        -------
        tuple of int
            Positions of each column, the gaps between them not counted.

        Raises
        ------
        UsageError
            A weight is not positive, or there are more columns than fit.
        """
        total = self.characters - gap * (len(weights) - 1)
        if total < 2 * len(weights) or min(weights) <= 0:
            raise UsageError(
                f"found {len(weights)} columns of widths {tuple(weights)}, expected positive "
                f"widths and at most {(self.characters + gap) // (2 + gap)} columns on this page"
            )
        return _shared(total, weights, minima if sum(minima) <= total else [2] * len(minima))


def _shared(total: int, weights: Sequence[float], minima: Sequence[int]) -> tuple[int, ...]:
    """Share by weight, raising to its minimum every column that would get less."""
    raised: set[int] = set()
    while True:
        free = [k for k in range(len(weights)) if k not in raised]
        room = total - sum(minima[k] for k in raised)
        scale = room / sum(weights[k] for k in free)
        short = {k for k in free if weights[k] * scale < minima[k] - _HAIR}
        if not short:
            break
        raised |= short
    return _whole(total, [minima[k] if k in raised else w * scale for k, w in enumerate(weights)])


def _whole(total: int, shares: Sequence[float]) -> tuple[int, ...]:
    """Round shares to integers of the same sum, the largest remainders up."""
    whole = [int(share) for share in shares]
    by_remainder = sorted(range(len(shares)), key=lambda k: (whole[k] - shares[k], k))
    for k in by_remainder[: total - sum(whole)]:
        whole[k] += 1
    return tuple(whole)


def _twips(inches: float) -> int:
    return round(inches * TWIPS_PER_INCH)


def _among(what: str, found: str, known: Iterable[str]) -> None:
    """Refuse a name that is no key of a register."""
    if found not in known:
        names = ", ".join(sorted(known))
        raise UsageError(f"{what}: found {found!r}, expected one of {names}")
