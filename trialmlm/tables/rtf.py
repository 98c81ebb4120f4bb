"""Rich Text Format, version 1.5: the subset that a table on a page needs.

Pages are cut by the paginator, so nothing here depends on how a word processor counts: headings
are repeated as rows, «Page x of y» is plain text, lines have an exact height. Head, titles and
footnotes are paragraphs, headings and body are table rows, the foot is the section's footer. A
decimal column stands by the indentation of its cells, so that a cell copied out of the page is
its text and nothing else; in a proportional font it stands by a decimal tab.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from trialmlm.tables.grid import INDENT, Grid, GridColumn
from trialmlm.tables.layout import FONTS, TWIPS_PER_INCH, Layout

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from trialmlm.tables.document import Document
    from trialmlm.tables.page import Note, Page, PageRow, Pair, Span

_SPECIAL: Final = re.compile(r"[\\{}]|[^ -~]")
_TOP: Final = r"\clbrdrt\brdrs\brdrw10"
_BOTTOM: Final = r"\clbrdrb\brdrs\brdrw10"
_ALIGN: Final = {"left": r"\ql", "center": r"\qc", "right": r"\qr", "decimal": r"\qc"}

#: a line broken inside a word: a break opportunity of no width, so that a reader joins the halves
_INSIDE_WORD: Final = r"\zwbo\line "


def escape(text: str) -> str:
    """Escape a text, so that whatever it holds is shown and nothing is obeyed.

    Backslash and braces are quoted, characters outside ASCII become UTF-16 units, white space a
    blank, other control characters nothing. Underscores and circumflexes stay what they are.
    """
    return _SPECIAL.sub(_escaped, text)


def _escaped(match: re.Match[str]) -> str:
    character = match.group()
    if character in "\\{}":
        return "\\" + character
    if character < "\xa0":
        return " " if character in "\t\n\r\v\f\x85" else ""
    encoded = character.encode("utf-16-le", "surrogatepass")
    units = (encoded[k : k + 2] for k in range(0, len(encoded), 2))
    return "".join(rf"\u{int.from_bytes(unit, 'little', signed=True)}?" for unit in units)


class RtfRenderer:
    """Pages as an RTF file in ASCII, the same bytes for the same pages."""

    suffix = ".rtf"

    def render(self, document: Document) -> bytes:
        """Write the pages as one section."""
        writer = _Writer(document.layout)
        return "".join(writer.document(document.pages)).encode("ascii")


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes the parts of a file for one layout."""

    layout: Layout

    def document(self, pages: Sequence[Page]) -> Iterator[str]:
        """Yield the file: fonts, page set-up, footer, pages."""
        font = self.layout.font
        family = FONTS[font].family
        yield "{\\rtf1\\ansi\\ansicpg1252\\uc1\\deff0\\deflang1033\n"
        yield f"{{\\fonttbl{{\\f0\\f{family}\\fcharset0 {font};}}}}\n"
        yield f"{{\\info{{\\title {escape(' - '.join(pages[0].titles))}}}}}\n"
        yield self._section(len(pages[0].foot))
        yield f"{self._font}\n"
        yield from self._footer(pages[0].foot)
        for page in pages:
            yield from self._page(page)
        yield "}\n"

    def _section(self, foot: int) -> str:
        """Set up paper and margins; the footer stands above the bottom margin, not in it."""
        layout, margins = self.layout, self.layout.margins
        width, height = layout.paper_size
        top, right, bottom, left = (
            round(inches * TWIPS_PER_INCH)
            for inches in (margins.top, margins.right, margins.bottom, margins.left)
        )
        body_end = bottom + layout.line * foot
        paper = f"\\paperw{width}\\paperh{height}" + ("\\landscape" if layout.landscape else "")
        section = f"\\pgwsxn{width}\\pghsxn{height}" + ("\\lndscpsxn" if layout.landscape else "")
        return (
            f"{paper}\\margl{left}\\margr{right}\\margt{top}\\margb{body_end}\n"
            f"\\sectd{section}\\marglsxn{left}\\margrsxn{right}\\margtsxn{top}"
            f"\\margbsxn{body_end}\\headery{top // 2}\\footery{bottom}\n"
        )

    def _footer(self, foot: Sequence[Pair]) -> Iterator[str]:
        if foot:
            yield f"{{\\footer{self._font} "
            yield from map(self._pair, foot)
            yield "}\n"

    def _page(self, page: Page) -> Iterator[str]:
        """Yield one page; every page but the first begins with a page break."""
        first, *others = page.head
        yield self._pair(first, "\\pagebb" if page.number > 1 else "")
        yield from map(self._pair, others)
        yield self._paragraph("")
        for title in page.titles:
            yield self._paragraph(f"{{\\b {escape(title)}}}", "\\qc")
        yield self._paragraph("")
        if page.group:
            yield self._paragraph(escape(page.group))
            yield self._paragraph("")
        yield from self._table(page)
        yield self._space_below()
        yield from map(self._note, page.footnotes)

    def _paragraph(self, text: str, properties: str = "") -> str:
        return f"\\pard{self._line}{properties} {text}\\par\n"

    def _space_below(self) -> str:
        """Half a line between the table and its footnotes, where a listing file has its rule."""
        return f"\\pard\\sl-{self.layout.line // 2}\\slmult0 \\par\n"

    def _note(self, note: Note) -> str:
        """Write a footnote; in a proportional font its lines hold more than were counted."""
        hang = self.layout.twips(note.hang)
        wrapped = self._broken(note.lines) if self._monospace else escape("".join(note.lines))
        return self._paragraph(wrapped, f"\\li{hang}\\fi-{hang}")

    def _pair(self, pair: Pair, properties: str = "") -> str:
        """Set two texts at the ends of the line."""
        right = f"\\tab {escape(pair.right)}" if pair.right else ""
        return self._paragraph(
            escape(pair.left) + right, f"{properties}\\tqr\\tx{self.layout.text_width}"
        )

    def _table(self, page: Page) -> Iterator[str]:
        """Yield spanners, headings and body, ruled above and below headings and below the body."""
        edges = self._edges(page.grid.columns)
        for k, spans in enumerate(page.spanners):
            yield self._spanner_row(spans, page.grid.total, "" if k else _TOP)
        if page.headings:
            yield self._heading_row(page, edges, "" if page.spanners else _TOP)
        last = len(page.body) - 1
        for k, row in enumerate(page.body):
            rules = ("" if k or page.headings else _TOP) + (_BOTTOM if k == last else "")
            air = ("" if k else self._air_above) + (self._air_below if k == last else "")
            yield self._body_row(row, page.grid, edges, rules, air)

    def _edges(self, columns: Sequence[GridColumn]) -> tuple[int, ...]:
        """Give the right edge of every column's cells: each holds the gap after it."""
        starts = [column.start for column in columns[1:]]
        return (*map(self.layout.twips, starts), self.layout.text_width)

    def _spanner_row(self, spans: Sequence[Span], total: int, top: str) -> str:
        """Write spanners over their own rules; cells without text keep the rules apart."""
        stops = [0, *(edge for span in spans for edge in (span.start, span.stop)), total]
        texts = ["", *(text for span in spans for text in (self._broken(span.lines), ""))]
        parts = [
            (right, text, _BOTTOM if k % 2 else "")
            for k, ((left, right), text) in enumerate(zip(pairwise(stops), texts, strict=True))
            if right > left
        ]
        definition = "".join(
            f"\\clvertalb{top}{rule}\\cellx{self._edge(right, total)}" for right, _, rule in parts
        )
        cells = [(f"\\qc{self._air_above}", text) for _, text, _ in parts]
        return self._row(definition, cells, "\\trhdr")

    def _edge(self, position: int, total: int) -> int:
        return self.layout.text_width if position == total else self.layout.twips(position)

    def _heading_row(self, page: Page, edges: Sequence[int], top: str) -> str:
        definition = "".join(f"\\clvertalb{top}{_BOTTOM}\\cellx{edge}" for edge in edges)
        cells = [
            (_ALIGN[column.align] + self._air_above + gap, self._broken(lines))
            for column, gap, lines in zip(
                page.grid.columns, self._gaps(page.grid), page.headings, strict=True
            )
        ]
        return self._row(definition, cells, "\\trhdr")

    def _body_row(
        self, row: PageRow, grid: Grid, edges: Sequence[int], rules: str, air: str
    ) -> str:
        if len(row.cells) == 1:
            edges, gaps = edges[-1:], [""]
        else:
            gaps = self._gaps(grid)
        definition = "".join(f"{rules}\\cellx{edge}" for edge in edges)
        others = zip(grid.columns[1:], row.cells[1:], strict=False)
        stands = [self._stub(row.indent), *(self._stand(*other) for other in others)]
        shown = "{{\\b {}}}" if row.bold else "{}"
        cells = [
            (stand + air + gap, shown.format(self._broken(lines)))
            for stand, gap, lines in zip(stands, gaps, row.cells, strict=True)
        ]
        return self._row(definition, cells)

    def _stub(self, indent: int) -> str:
        """Indent the stub; its lines after the first hang by one step more."""
        step = self.layout.twips(INDENT)
        return f"\\ql\\li{step * (indent + 1)}\\fi-{step}"

    def _stand(self, column: GridColumn, lines: Sequence[str]) -> str:
        """Place a body cell; a wrapped one has no decimal point to stand by."""
        if column.align != "decimal":
            return _ALIGN[column.align]
        if len(lines) > 1:
            return "\\ql"
        if self._monospace:
            return f"\\ql\\li{self.layout.twips(column.pad(lines[0]))}"
        return f"\\ql\\tqdec\\tx{self.layout.twips(column.point)}"

    def _gaps(self, grid: Grid) -> list[str]:
        """Keep each cell off the next; a quarter position less, lest a full line should wrap."""
        return [f"\\ri{self.layout.twips(grid.gap - 0.25)}"] * (len(grid.columns) - 1) + [""]

    @property
    def _air_above(self) -> str:
        """A little space under a rule; a listing file has a line for the rule itself."""
        return f"\\sb{self.layout.line // 5}"

    @property
    def _air_below(self) -> str:
        return f"\\sa{self.layout.line // 5}"

    @property
    def _monospace(self) -> bool:
        return FONTS[self.layout.font].monospace

    @property
    def _font(self) -> str:
        return f"\\plain\\f0\\fs{self.layout.size * 2:.0f}"

    @property
    def _line(self) -> str:
        """The exact height of a line."""
        return f"\\sl-{self.layout.line}\\slmult0"

    def _row(self, definition: str, cells: Iterable[tuple[str, str]], properties: str = "") -> str:
        """Write a row: where its cells end, then each cell's properties and text."""
        start = f"\\pard\\intbl{self._line}"
        body = "".join(f"{start}{stand} {text}\\cell\n" for stand, text in cells)
        return f"\\trowd\\trgaph0\\trleft0\\trkeep{properties}{definition}\n{body}\\row\n"

    def _broken(self, lines: Sequence[str]) -> str:
        """Write a cell's lines, broken where the paginator broke them."""
        if len(lines) == 1:
            return escape(lines[0])
        return "".join(map(self._broken_line, lines[:-1])) + escape(lines[-1].rstrip())

    def _broken_line(self, line: str) -> str:
        blank = line != line.rstrip()
        return escape(line.rstrip()) + ("\\line " if blank else _INSIDE_WORD)
