"""The parts of a page that repeat: head, titles, column headings, footnotes, foot."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from trialmlm.tables.page import Note, Page, PageRow, Pair, Span
from trialmlm.tables.stack import stacked
from trialmlm.tables.wrap import breadth, clean, wrap

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from trialmlm.tables.display import Display, Furniture, Spanner
    from trialmlm.tables.grid import Grid

#: what begins a footnote: [1], a), (b), *, †
_MARKER: Final = re.compile(r"(?:\[\w+\]|\(?\w{1,2}\)|[*†‡§#]+) +")

#: the page count is known only once the pages are cut; this much room is kept for it
_WIDEST_COUNT: Final = "Page 9999 of 9999"


@dataclass(frozen=True, slots=True)
class Frame:
    """What is the same on all pages of a display, ready to print."""

    protocol: str
    under: tuple[Pair, ...]
    titles: tuple[str, ...]
    grid: Grid
    spanners: tuple[tuple[Span, ...], ...]
    headings: tuple[tuple[str, ...], ...]
    footnotes: tuple[Note, ...]
    foot: tuple[Pair, ...]

    @classmethod
    def of(cls, display: Display, furniture: Furniture, grid: Grid) -> Frame:
        """Wrap the furniture and the display's own titles to the width of the page."""
        shown = not display.message
        return cls(
            protocol=_labelled("Protocol: ", furniture.protocol),
            under=_under(display, furniture, grid.total),
            titles=_wrapped((display.name, *display.titles), grid.total),
            grid=grid,
            spanners=_stacked(display.spanners, grid) if shown else (),
            headings=_headings(display, grid) if shown else (),
            footnotes=tuple(_note(text, grid.total) for text in display.footnotes),
            foot=_foot(furniture, grid.total),
        )

    @property
    def height(self) -> int:
        """Lines of a page that are not body: blank lines and the rules included."""
        spanners = sum(1 + max(len(span.lines) for span in row) for row in self.spanners)
        headings = 1 + max(map(len, self.headings)) if self.headings else 0
        notes = sum(len(note.lines) for note in self.footnotes)
        foot = 1 + len(self.foot) if self.foot else 0
        head = len(pairs(self.protocol, _WIDEST_COUNT, self.grid.total)) + len(self.under)
        blanks_and_rules = 4
        return head + len(self.titles) + spanners + headings + notes + foot + blanks_and_rules

    def page(self, number: int, of: int, group: str, body: Iterable[PageRow]) -> Page:
        """Put the frame round a body."""
        first = pairs(self.protocol, f"Page {number} of {of}", self.grid.total)
        return Page(
            number=number,
            of=of,
            head=(*first, *self.under),
            titles=self.titles,
            group=group,
            grid=self.grid,
            spanners=self.spanners,
            headings=self.headings,
            body=tuple(body),
            footnotes=self.footnotes,
            foot=self.foot,
        )


def pairs(left: str, right: str, width: int) -> tuple[Pair, ...]:
    """Set two texts at the ends of one line, or of as many lines as they need."""
    if breadth(left) + breadth(right) + 2 <= width:
        return (Pair(left, right),) if left or right else ()
    lefts = (Pair(line.rstrip()) for line in wrap(left, width) if left)
    rights = (Pair("", line.rstrip()) for line in wrap(right, width) if right)
    return (*lefts, *rights)


def _under(display: Display, furniture: Furniture, width: int) -> tuple[Pair, ...]:
    """Set the population, and at the right whatever a reader must not overlook."""
    stamps = " / ".join(filter(None, map(clean, (furniture.status, *furniture.stamps))))
    return pairs(_labelled("Population: ", display.population), stamps, width)


def _foot(furniture: Furniture, width: int) -> tuple[Pair, ...]:
    program = _labelled("Program: ", furniture.program)
    run_time = _labelled("Run: ", furniture.run_time)
    data_cut = _labelled("Data cut-off: ", furniture.data_cut)
    return (*pairs(program, run_time, width), *pairs(data_cut, "", width))


def _labelled(label: str, text: str) -> str:
    return label + clean(text) if text else ""


def _wrapped(texts: Iterable[str], width: int) -> tuple[str, ...]:
    return tuple(line.rstrip() for text in texts for line in wrap(clean(text), width))


def _note(text: str, width: int) -> Note:
    """Wrap a footnote; its later lines stand under the text behind its marker."""
    found = _MARKER.match(clean(text))
    hang = breadth(found.group()) if found else 0
    return Note(wrap(clean(text), width, hang), hang)


def _headings(display: Display, grid: Grid) -> tuple[tuple[str, ...], ...]:
    """Wrap every column's heading lines to the column."""
    return tuple(
        wrap("\n".join(map(clean, column.heading)), place.width)
        for column, place in zip(display.columns, grid.columns, strict=True)
    )


def _stacked(spanners: Sequence[Spanner], grid: Grid) -> tuple[tuple[Span, ...], ...]:
    """Wrap the spanners, row by row."""
    return tuple(tuple(_span(one, grid) for one in row) for row in stacked(spanners))


def _span(spanner: Spanner, grid: Grid) -> Span:
    start, stop = grid.columns[spanner.first].start, grid.columns[spanner.last].stop
    return Span(wrap(clean(spanner.text), stop - start), start, stop)
