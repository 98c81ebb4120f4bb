"""HTML: a table a browser, a printer and a screen reader understand, in one file."""

from __future__ import annotations

import re
from dataclasses import replace
from xml.etree import ElementTree

import pytest

from trialmlm.tables.display import NO_DATA, Block, Cell, Column, Display, Row, Spanner
from trialmlm.tables.document import Document
from trialmlm.tables.html import fragment, html
from trialmlm.tables.layout import Layout


@pytest.fixture
def page(furniture):
    def written(display: Display, layout: Layout | None = None) -> str:
        return html(Document.of(display, furniture, layout or Layout())).decode()

    return written


def table(display: Display) -> ElementTree.Element:
    """The table of a display; our HTML of it is XML as well."""
    return ElementTree.fromstring(f"<body>{fragment(display)}</body>")  # noqa: S314


def text(element: ElementTree.Element) -> str:
    return "".join(element.itertext())


def test_a_page_needs_nothing_beside_itself(page, by_visit):
    written = page(by_visit)
    assert not re.findall(r"https?:|src=|<script|<link|@import|url\(", written)
    assert "default-src 'none'" in written


def test_every_cell_of_every_row_stands_in_the_table(by_visit):
    rows = table(by_visit).findall(".//tbody/tr")
    assert [[text(cell) for cell in row] for row in rows] == [
        [cell.text for cell in row.cells] for row in by_visit.rows
    ]


def test_headings_say_what_they_head(by_visit):
    made = table(by_visit)
    assert [h.get("scope") for h in made.findall(".//tr[@class='headings']/th")] == ["col"] * 4
    spanner = made.find(".//th[@scope='colgroup']")
    assert (text(spanner), spanner.get("colspan")) == ("Xanomeline", "2")
    scopes = [row[0].get("scope") for row in made.findall(".//tbody/tr")]
    assert scopes[:4] == ["rowgroup", "row", "row", "row"]


def test_the_caption_names_the_table_and_its_population(by_visit):
    caption = text(table(by_visit).find(".//caption"))
    assert caption == "Table 14.2.1.1ADAS-Cog (11) by visitPopulation: Efficacy"


def test_stamps_and_furniture_are_seen(page, by_visit):
    written = page(by_visit)
    for stamp in ("DRAFT", "SIMULATED DATA"):
        assert f'<p class="stamp">{stamp}</p>' in written
    for told in ("TMLM-01", "protocol.yaml A2", "2026-06-30", "2026-07-01T08:00:00Z"):
        assert f"<bdi>{told}</bdi>" in written


def test_numbers_of_a_column_part_at_the_decimal_point():
    cells = (Cell("-0.5 (0.82)"), Cell("79"), Cell("NE"))
    rows = tuple(Row((Cell("x"), cell)) for cell in cells)
    columns = (Column(("L",), 1, "left"), Column(("V",)))
    made = table(Display("Table", "1", (), columns=columns, blocks=(Block(rows),)))
    parts = [(text(n[0]), text(n[1])) for n in made.findall(".//span[@class='number']")]
    assert parts == [("-0", ".5 (0.82)"), ("79", ""), ("NE", "")]
    widths = {n[0].get("style") for n in made.findall(".//span[@class='number']")}
    assert len(widths) == 1


def test_a_row_of_one_cell_runs_over_the_whole_width(by_visit):
    display = replace(by_visit, blocks=(Block((Row((Cell("All arms"),)),), page_by="Site 1"),))
    group, row = table(display).findall(".//tbody/tr/th")
    assert (text(group), group.get("colspan")) == ("Site 1", "4")
    assert (text(row), row.get("colspan")) == ("All arms", "4")


def test_spanners_that_leave_columns_free_fill_their_row(by_visit):
    spanners = (Spanner("In the middle", 1, 2),)
    cells = table(replace(by_visit, spanners=spanners)).find(".//thead/tr")
    assert [cell.get("colspan") for cell in cells] == ["1", "2", "1"]


def test_a_table_without_rows_and_one_that_failed_say_so(by_visit):
    assert NO_DATA in text(table(replace(by_visit, blocks=())))
    failed = table(replace(by_visit, message="It failed."))
    assert "It failed." in text(failed)
    assert failed.find(".//thead") is None


def test_the_sheet_is_that_of_the_house(page, by_visit):
    assert "size: letter landscape; margin: 1in 1in 1in 1in;" in page(by_visit)
    assert "size: A4 portrait;" in page(by_visit, Layout("a4", landscape=False, size=8))
