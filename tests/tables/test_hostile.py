"""Hostile text, in any place of any output, is shown as text and obeyed by no renderer."""

from __future__ import annotations

import io
import re
import zipfile
from html.parser import HTMLParser

import openpyxl
import pytest
from rtf_reader import read_text

from trialmlm.tables.display import Block, Cell, Column, Display, Furniture, Row, Spanner
from trialmlm.tables.document import Document
from trialmlm.tables.layout import Layout
from trialmlm.tables.renderers import RENDERERS

HOSTILE = {
    "rtf": r"{\rtf1\par\field{\*\fldinst INCLUDETEXT c:\\x} } \'e9 \u-3913?",
    "formula": '=cmd|"/c calc"!A1',
    "plus": "+1+1",
    "minus": "-2+3",
    "at": "@SUM(A1)",
    "script": "<script>alert(1)</script>",
    "attribute": "\" onload=alert(1) x='",
    "entity": "&lt;b&gt; &amp; ]]> <!-- x -->",
    "template": "{{ 7*7 }} {% raw %} {#x#}",
    "right to left": "שלום עולם",
    "emoji": "😀👩‍🔬",
    "escape of a sheet": "_x0041_ #N/A",
    "path": "../../etc/passwd",
}
KINDS = sorted(RENDERERS)


class _Page(HTMLParser):
    """Collects the tags, the attributes and the text of a page, style sheets apart."""

    def __init__(self, content: bytes) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []
        self._style = False
        self.feed(content.decode())

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self._style = tag == "style"

    def handle_endtag(self, tag):
        self._style = False

    def handle_data(self, data):
        if not self._style:
            self.texts.append(data)


def _book(content: bytes) -> openpyxl.Workbook:
    return openpyxl.load_workbook(io.BytesIO(content))


def _of_book(content: bytes) -> str:
    cells = (cell for sheet in _book(content) for row in sheet.iter_rows() for cell in row)
    return "\n".join(str(cell.value) for cell in cells if cell.value is not None)


TEXTS = {
    "rtf": read_text,
    "txt": bytes.decode,
    "xlsx": _of_book,
    "html": lambda content: "".join(_Page(content).texts),
}


def everywhere(text: str) -> Document:
    """A table with a text in every place that has one."""
    columns = (Column((text,), 1, "left"), Column((text,)), Column(("V",), 1, "left"))
    rows = (Row((Cell(text),)), Row((Cell(text), Cell(text, (1.0,), text), Cell(text)), indent=1))
    display = Display(
        "Table",
        text,
        (text,),
        text,
        columns,
        (Spanner(text, 1, 2),),
        (Block(rows, page_by=text),),
        (text,),
    )
    furniture = Furniture(text, text, text, text, text, (text,))
    return Document.of(display, furniture, Layout())


def squeezed(text: str) -> str:
    """The text without its white space: pages break lines, even inside words."""
    return "".join(text.split())


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("kind", KINDS)
def test_hostile_text_is_shown_as_it_is(kind, text):
    shown = squeezed(TEXTS[kind](RENDERERS[kind].render(everywhere(text))))
    assert shown.count(squeezed(text)) > 10


@pytest.mark.parametrize("kind", KINDS)
def test_ten_thousand_characters_are_shown_to_the_last(kind):
    text = "word " * 2000
    columns = (Column(("A",), 1, "left"), Column(("B",)))
    rows = (Row((Cell(text),)), Row((Cell(text), Cell(text))))
    display = Display("Table", "1", ("T",), columns=columns, blocks=(Block(rows),))
    content = RENDERERS[kind].render(Document.of(display, Furniture("P"), Layout()))
    assert squeezed(TEXTS[kind](content)).count("word") == 3 * 2000


@pytest.mark.parametrize("kind", KINDS)
def test_a_renderer_that_is_registered_has_a_reader_here(kind):
    assert kind in TEXTS


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_no_cell_of_a_workbook_is_a_formula_or_an_error(text):
    content = RENDERERS["xlsx"].render(everywhere(text))
    cells = [cell for sheet in _book(content) for row in sheet.iter_rows() for cell in row]
    assert {cell.data_type for cell in cells} <= {"s", "n"}
    starts = [cell for cell in cells if str(cell.value or "")[:1] in set("=+-@")]
    assert all(cell.quotePrefix for cell in starts)
    entries = zipfile.ZipFile(io.BytesIO(content))
    sheets = [name for name in entries.namelist() if name.startswith("xl/worksheets/sheet")]
    assert not any(re.search(rb"<f[ >/]", entries.read(name)) for name in sheets)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_page_has_no_tag_or_attribute_that_is_not_ours(text):
    page = _Page(RENDERERS["html"].render(everywhere(text)))
    plain = _Page(RENDERERS["html"].render(everywhere("plain")))
    assert page.tags <= plain.tags
    assert page.attributes <= plain.attributes
    assert "script" not in plain.tags


@pytest.mark.parametrize("kind", KINDS)
def test_control_characters_and_half_surrogates_break_nothing(kind):
    text = "a\x00b\x07c\x1bd\ud800e\ufffef\u202eg"
    shown = squeezed(TEXTS[kind](RENDERERS[kind].render(everywhere(text))))
    assert "abcd\ufffde" in shown
    assert "\u202e" not in shown
