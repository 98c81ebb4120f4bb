"""One paginator cuts a display into pages that hold together."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trialmlm.errors import UsageError
from trialmlm.tables.display import NO_DATA, Block, Cell, Column, Display, Furniture, Row, Spanner
from trialmlm.tables.document import Document
from trialmlm.tables.layout import Layout
from trialmlm.tables.page import BLANK
from trialmlm.tables.paginate import paginate
from trialmlm.tables.renderers import RENDERERS

LAYOUT = Layout()


def labels(page):
    return [body.label for body in page.body]


def listing(*blocks: Block, **others) -> Display:
    columns = (Column(("Label",), 1, "left"), Column(("Value",)))
    return Display("Listing", "16.2.1", ("Values",), columns=columns, blocks=blocks, **others)


def lines_of(page) -> int:
    document = Document(listing(), Furniture("P"), LAYOUT, (page,))
    return RENDERERS["txt"].render(document).decode().count("\n")


def test_every_page_repeats_titles_headings_and_footnotes(by_visit, furniture):
    pages = paginate(by_visit, furniture, LAYOUT)
    assert len(pages) > 2
    assert len({(p.titles, p.headings, p.spanners, p.footnotes, p.grid) for p in pages}) == 1
    assert [p.head[0].right for p in pages][:2] == [f"Page {k} of {len(pages)}" for k in (1, 2)]


def test_the_head_says_what_a_reader_must_not_overlook(by_visit, furniture):
    head = paginate(by_visit, furniture, LAYOUT)[0].head
    assert (head[0].left, head[1].left) == ("Protocol: TMLM-01", "Population: Efficacy")
    assert head[1].right == "DRAFT / SIMULATED DATA"


def test_blocks_are_not_split_and_pages_end_without_a_blank_line(by_visit, furniture):
    pages = paginate(by_visit, furniture, LAYOUT)
    assert all(labels(page)[0].startswith("Week") for page in pages)
    assert all(page.body[-1] is not BLANK for page in pages)


def test_all_rows_are_printed_once_in_order(by_visit, furniture):
    printed = [label for page in paginate(by_visit, furniture, LAYOUT) for label in labels(page)]
    expected = [row.cells[0].text for row in by_visit.rows]
    assert [label for label in printed if label] == expected


def test_a_block_longer_than_a_page_repeats_its_label(row, furniture):
    rows = (row("Reason", "", bold=True), *(row(f"r{k}", "1", indent=1) for k in range(90)))
    first, *others = paginate(listing(Block(rows)), furniture, LAYOUT)
    assert labels(first)[0] == "Reason"
    assert {labels(page)[0] for page in others} == {"Reason (continued)"}
    assert others[0].body[0].bold


def test_a_label_does_not_stand_alone_at_the_foot_of_a_page(row, furniture):
    filler = Block(tuple(row(f"f{k}", "1") for k in range(30)), gap=False)
    split = Block((row("Label", ""), row("under", "1", indent=1)), keep_together=False)
    for count in range(25, 31):
        display = listing(replace(filler, rows=filler.rows[:count]), split)
        assert all(labels(page)[-1] != "Label" for page in paginate(display, furniture, LAYOUT))


def test_a_new_group_starts_a_new_page_and_is_named(row, furniture):
    blocks = [Block((row("s", "1"),), page_by=group) for group in ("Men", "Men", "Women")]
    assert [p.group for p in paginate(listing(*blocks), furniture, LAYOUT)] == ["Men", "Women"]


def test_a_table_without_rows_says_so(columns, furniture):
    display = Display("Table", "14.3.1", ("Deaths",), columns=columns)
    (page,) = paginate(display, furniture, LAYOUT)
    assert page.titles == ("Table 14.3.1", "Deaths")
    assert page.headings
    assert labels(page) == [NO_DATA]


def test_a_failed_analysis_prints_a_page_that_says_so(furniture):
    display = Display("Table", "14.2", ("MMRM",), message="The model did not converge.\nSee log.")
    (page,) = paginate(display, furniture, LAYOUT)
    assert labels(page) == ["The model did not converge.", "See log."]
    assert not page.headings


def test_a_row_taller_than_a_page_is_cut_and_nothing_is_lost(row, furniture):
    text = "word " * 800
    pages = paginate(listing(Block((row(text, "1"),))), furniture, LAYOUT)
    assert len(pages) > 1
    assert "".join(label for page in pages for label in labels(page)).split() == text.split()


def test_footnotes_that_leave_no_room_are_refused(row, furniture):
    display = listing(Block((row("a", "1"),)), footnotes=("long " * 900,))
    with pytest.raises(UsageError, match="shorten the footnotes"):
        paginate(display, furniture, LAYOUT)


def test_wider_spanners_stand_above_narrower_ones(by_visit, furniture):
    both = (Spanner("Active", 2, 3), Spanner("All", 1, 3))
    page = paginate(replace(by_visit, spanners=both), furniture, LAYOUT)[0]
    assert [[span.lines for span in spans] for spans in page.spanners] == [
        [("All",)],
        [("Active",)],
    ]


def test_later_lines_of_a_footnote_hang_under_its_text(by_visit, furniture):
    marked, plain = paginate(by_visit, furniture, LAYOUT)[0].footnotes
    assert (marked.hang, plain.hang) == (4, 0)
    assert len(marked.lines) > 1


ROWS = st.builds(
    lambda label, value, indent: Row((Cell(label), Cell(value)), indent),
    st.text(max_size=90),
    st.from_regex(r"-?\d{1,3}\.\d( \(\d\.\d\d\))?", fullmatch=True),
    st.integers(0, 2),
)
BLOCKS = st.builds(
    Block, st.lists(ROWS, min_size=1, max_size=50).map(tuple), st.booleans(), st.booleans()
)


@given(st.lists(BLOCKS, max_size=5))
def test_no_page_is_longer_than_its_paper(blocks):
    pages = paginate(listing(*blocks), Furniture("P", "p", "c", "t"), LAYOUT)
    assert all(lines_of(page) <= LAYOUT.lines for page in pages)


@pytest.mark.parametrize("cells", [(), ("a", "b", "c")])
def test_a_row_that_does_not_fit_the_columns_is_refused(cells):
    with pytest.raises(UsageError, match=f"row 1: found {len(cells)} cells, expected 2"):
        listing(Block((Row(tuple(map(Cell, cells))),)))


def test_a_spanner_beyond_the_columns_is_refused():
    with pytest.raises(UsageError, match="found columns 1 to 4"):
        listing(spanners=(Spanner("x", 1, 4),))


def test_a_table_without_columns_is_refused():
    with pytest.raises(UsageError, match="found no columns"):
        Display("Table", "1", ())
