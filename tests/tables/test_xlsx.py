"""Workbooks: numbers are numbers that print as the table does, and their values stand beside."""

from __future__ import annotations

import io
import zipfile
from dataclasses import replace

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.tables.display import Block, Cell, Column, Display, Row
from trialmlm.tables.document import Document
from trialmlm.tables.layout import Layout
from trialmlm.tables.numbers import NumberFormat
from trialmlm.tables.xlsx import xlsx
from trialmlm.tables.xlsx_cells import LONGEST, number_of, sheet_name
from trialmlm.tables.zip_file import normal_zip


def single(*cells: Cell, number: str = "14.2.1") -> Display:
    columns = (Column(("Label",), 1, "left"), *(Column((f"V{k}",)) for k in range(len(cells))))
    block = Block((Row((Cell("Mean"), *cells)),))
    return Display("Table", number, ("T",), columns=columns, blocks=(block,))


@pytest.fixture
def book(furniture):
    def written(display: Display) -> openpyxl.Workbook:
        content = xlsx(Document.of(display, furniture, Layout()))
        return openpyxl.load_workbook(io.BytesIO(content))

    return written


def body(book: openpyxl.Workbook) -> list[openpyxl.cell.Cell]:
    """Cells of the row labelled Mean."""
    rows = book.worksheets[0].iter_rows()
    return next(list(row[1:]) for row in rows if row[0].value == "Mean")


def test_a_single_number_is_a_number_cell_of_all_its_digits(book):
    value = 0.1 + 0.2
    (cell,) = body(book(single(Cell("0.30", (value,)))))
    assert (cell.data_type, cell.value, cell.number_format) == ("n", value, "0.00")


@pytest.mark.parametrize(
    "cell",
    [
        Cell("24.1 (12.19)", (24.12, 12.19)),
        Cell("<0.001", (1e-5,)),
        Cell("(-2.1;1.1)", (-2.1, 1.1)),
        Cell("NE", (float("nan"),)),
        Cell("7", ()),
        Cell("8", (7.0,)),
        Cell("79", (79.0, 80.0)),
        Cell("٣", (3.0,)),
    ],
)
def test_what_is_not_one_number_is_text(book, cell):
    (found,) = body(book(single(cell)))
    assert (found.data_type, found.value) == ("s", cell.text)


@given(st.floats(-1e9, 1e9), st.integers(0, 4), st.sampled_from(["keep", "drop"]))
def test_the_format_of_a_number_prints_what_the_table_prints(value, decimals, zero):
    text = NumberFormat(negative_zero=zero).number(value, decimals)
    number = number_of(Cell(text, (value,)))
    assert number.value == value
    positive, _, negative = number.number_format.partition(";")
    assert len(positive.partition(".")[2]) == decimals
    assert bool(negative) == (value < 0 and not text.startswith("-"))


def test_the_values_of_every_cell_stand_on_the_second_sheet(book):
    values = (24.123456789012345, 12.1)
    display = single(
        Cell("24.1 (12.10)", values, "mean, sd"), Cell(""), Cell("NE", (float("nan"),))
    )
    found = list(book(display)["values"].iter_rows(values_only=True))
    address = body(book(display))[0].coordinate
    assert found[0] == ("cell", "row", "column", "text", "item", "value", "source")
    assert found[1] == (address, "Mean", "V0", "24.1 (12.10)", 1, values[0], "mean, sd")
    assert found[2][4:6] == (2, values[1])
    assert found[3][3:6] == ("NE", 1, None)
    assert len(found) == 4


def test_rows_and_columns_of_the_values_are_named_from_the_outside_in(book, by_visit):
    blocks = tuple(
        replace(block, rows=tuple(_valued(row) for row in block.rows), page_by="Site 1")
        for block in by_visit.blocks
    )
    found = list(book(replace(by_visit, blocks=blocks))["values"].iter_rows(values_only=True))
    assert found[1][1:3] == ("Site 1 / Week 0 / n", "Placebo (N=86)")
    assert found[2][2] == "Xanomeline / Xanomeline Low Dose (N=84)"


def _valued(row: Row) -> Row:
    cells = (replace(cell, values=(1.0,)) if cell.text else cell for cell in row.cells[1:])
    return replace(row, cells=(row.cells[0], *cells))


def test_the_sheet_has_all_that_the_table_has_and_its_headings_stay(book, by_visit):
    made = book(by_visit)
    sheet = made["14.2.1.1"]
    texts = [cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None]
    for text in ("Protocol: TMLM-01", "Population: Efficacy", "SIMULATED DATA", "DRAFT", "Note."):
        assert text in texts
    heading = next(row[0].row for row in sheet.iter_rows() if row[0].value == "Visit")
    assert sheet.freeze_panes == f"A{heading + 1}"
    assert sheet.print_title_rows == f"${heading - 1}:${heading}"
    assert f"C{heading - 1}:D{heading - 1}" in {str(merged) for merged in sheet.merged_cells.ranges}
    assert texts.count("Visit") == 1


def test_a_message_takes_the_place_of_the_table(book):
    made = book(Display("Table", "1", ("T",), message="The analysis failed."))
    texts = [row[0].value for row in made.worksheets[0].iter_rows()]
    assert "The analysis failed." in texts
    assert made["values"].max_row == 1


def test_a_text_longer_than_a_cell_is_cut_and_the_sheet_says_so(book):
    made = book(single(Cell("😀" * 20_000)))
    (cell,) = body(made)
    assert cell.value.endswith("…")
    assert len(cell.value.encode("utf-16-le")) // 2 <= LONGEST
    texts = [str(row[0].value) for row in made.worksheets[0].iter_rows()]
    assert any("are cut and end with an ellipsis" in text for text in texts)


@pytest.mark.parametrize(
    ("number", "name"),
    [
        ("14.2.1", "14.2.1"),
        ("../[x]:*?", ".._[x]___".replace("[", "_").replace("]", "_")),
        ("values", "values_"),
        ("History", "History_"),
        ("", "_"),
        ("'quoted'", "quoted"),
        ("9" * 40, "9" * 31),
    ],
)
def test_a_sheet_is_named_by_its_number_as_a_spreadsheet_allows(number, name):
    assert sheet_name(number, "values") == name


def test_entries_are_sorted_stored_and_undated(by_visit, furniture):
    content = xlsx(Document.of(by_visit, furniture, Layout()))
    entries = zipfile.ZipFile(io.BytesIO(content)).infolist()
    assert [entry.filename for entry in entries] == sorted(entry.filename for entry in entries)
    assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
    assert {entry.compress_type for entry in entries} == {zipfile.ZIP_STORED}
    core = zipfile.ZipFile(io.BytesIO(content)).read("docProps/core.xml")
    assert core.count(b"1980-01-01T00:00:00Z") == 2
    assert normal_zip(content) == content
