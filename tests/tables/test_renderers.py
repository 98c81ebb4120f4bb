"""RTF and text print the same pages; what stands in a cell can be read back."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rtf_reader import read_cells, read_text

from trialmlm.tables.display import Block, Cell, Column, Display, Furniture, Row
from trialmlm.tables.document import Document
from trialmlm.tables.layout import Layout
from trialmlm.tables.paginate import paginate
from trialmlm.tables.renderers import RENDERERS
from trialmlm.tables.rtf import escape
from trialmlm.tables.wrap import clean

LAYOUTS = (Layout(), Layout(font="Times New Roman"), Layout(paper="a4", landscape=False, size=8))
HOSTILE = r"{\rtf1 \par} t_14_2^1 \u-3913? \'e9 é ≤ 日本 😀 \* }{"


def rendered(kind: str, display: Display, furniture: Furniture, layout: Layout = LAYOUTS[0]):
    return RENDERERS[kind].render(Document.of(display, furniture, layout))


def single(*texts: str) -> Display:
    columns = (Column(("Label",), 1, "left"), *(Column((f"V{k}",)) for k in range(len(texts) - 1)))
    block = Block((Row(tuple(map(Cell, texts))),))
    return Display("Table", "1", ("T",), columns=columns, blocks=(block,))


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_body_cell_of_every_page_reads_back(by_visit, furniture, layout):
    cells = read_cells(rendered("rtf", by_visit, furniture, layout))
    expected = [[cell.text for cell in row.cells] for row in by_visit.rows]
    assert [row for row in cells if row in expected] == expected


@pytest.mark.parametrize("layout", LAYOUTS)
def test_headings_read_back_on_every_page(by_visit, furniture, layout):
    pages = paginate(by_visit, furniture, layout)
    cells = read_cells(rendered("rtf", by_visit, furniture, layout))
    heading = ["Visit", "Placebo (N=86)", "Xanomeline Low Dose (N=84)"]
    assert sum(row[:3] == heading for row in cells) == len(pages)


def test_hostile_text_is_shown_not_obeyed(furniture):
    display = replace(single(HOSTILE, "1"), titles=(HOSTILE,), footnotes=(HOSTILE,))
    content = rendered("rtf", display, furniture)
    assert [HOSTILE, "1"] in read_cells(content)
    assert read_text(content).splitlines().count(HOSTILE) == 2


@given(st.text(max_size=200), st.text(max_size=60))
def test_any_text_reads_back_as_it_prints(label, value):
    content = rendered("rtf", single(label, value, "1"), Furniture("P"))
    read = read_cells(content)[1]
    printed = [" ".join(clean(text).split()) for text in (label, value)]
    assert [" ".join(text.split()) for text in read[:2]] == printed


@given(st.text())
def test_escaped_text_is_ascii_and_its_braces_are_quoted(text):
    escaped = escape(text)
    assert escaped.isascii()
    bare = escaped.replace("\\\\", "").replace("\\{", "").replace("\\}", "")
    assert "{" not in bare
    assert "}" not in bare


def test_characters_beyond_the_first_plane_are_written_as_two_units():
    assert escape("😀") == r"\u-10179?\u-8704?"
    assert escape("a_b^c") == "a_b^c"


def test_a_word_broken_for_its_length_reads_back_whole(furniture):
    word = "x" * 300
    content = rendered("rtf", single(word, "1"), furniture)
    assert [word, "1"] in read_cells(content)


@pytest.mark.parametrize("kind", sorted(RENDERERS))
def test_the_same_display_gives_the_same_bytes(kind, by_visit, furniture):
    assert rendered(kind, by_visit, furniture) == rendered(kind, by_visit, furniture)


def test_both_renderers_number_the_same_pages(by_visit, furniture):
    pages = paginate(by_visit, furniture, LAYOUTS[0])
    counts = [f"Page {k} of {len(pages)}" for k in range(1, len(pages) + 1)]
    text = rendered("txt", by_visit, furniture).decode()
    rtf = read_text(rendered("rtf", by_visit, furniture))
    for content in (text, rtf):
        sheets = content.split("\f")
        assert [count in sheet for count, sheet in zip(counts, sheets, strict=True)]
        assert all("[1] A mixed model" in sheet for sheet in sheets)


def test_text_pages_fill_the_paper_and_no_line_leaves_it(by_visit, furniture):
    layout = LAYOUTS[0]
    for sheet in rendered("txt", by_visit, furniture).decode().split("\f"):
        lines = sheet.splitlines()
        assert len(lines) == layout.lines
        assert max(map(len, lines)) == layout.characters
        assert lines[-2].startswith("Program: protocol.yaml A2")
        assert lines[-2].endswith("Run: 2026-07-01T08:00:00Z")
        assert lines[-1] == "Data cut-off: 2026-06-30"


def test_text_columns_align_by_the_decimal_point(by_visit, furniture):
    lines = rendered("txt", by_visit, furniture).decode().splitlines()
    mean = next(line for line in lines if "-0.5 (0.82)" in line)
    p_value = next(line for line in lines if "<0.001" in line)
    assert mean.index(".5 (0.82)") == p_value.index(".001")


def test_a_decimal_cell_in_a_monospace_font_holds_its_text_and_no_padding(by_visit, furniture):
    assert rb" 79\cell" in rendered("rtf", by_visit, furniture)
    assert rb"\tqdec" not in rendered("rtf", by_visit, furniture)
    assert rb"\tqdec" in rendered("rtf", by_visit, furniture, LAYOUTS[1])


def test_rules_stand_above_and_below_headings_and_below_the_body(by_visit, furniture):
    page = rendered("txt", by_visit, furniture).decode().split("\f")[0]
    rule = "-" * LAYOUTS[0].characters
    assert page.splitlines().count(rule) == 3


def test_five_thousand_rows_render_in_well_under_two_seconds(furniture):
    texts = ("Subject", *["24.1 (12.19)"] * 8)
    block = Block(tuple(Row(tuple(map(Cell, texts))) for _ in range(10)))
    display = replace(single(*texts), blocks=(block,) * 500)
    started = time.process_time()
    rendered("rtf", display, furniture)
    assert time.process_time() - started < 2.0


def test_a_registered_renderer_names_its_suffix():
    assert {key: renderer.suffix for key, renderer in RENDERERS.items()} == {
        "rtf": ".rtf",
        "txt": ".txt",
        "xlsx": ".xlsx",
        "html": ".html",
    }
