"""What a table or listing is before it stands on pages: cells, rows, blocks, titles.

A cell is text already formatted, beside the values it was printed from, so that every renderer
prints the same characters and a second program's numbers compare with numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from trialmlm.errors import UsageError

Alignment = Literal["left", "center", "right", "decimal"]

#: the one line of a table whose analysis found no rows; such a table is never skipped
NO_DATA: Final = "No data to report"


@dataclass(frozen=True, slots=True)
class Cell:
    """One printed cell.

    Parameters
    ----------
    text : str
        As printed; a newline starts a new line, blanks around it are not kept.
    values : tuple of float
        What the text was made from, at full precision.
    source : str
        The statistic's key in the results, for tracing.
    """

    text: str
    values: tuple[float, ...] = ()
    source: str = ""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading lines, its share of the page width, and how its cells stand.

    The first column holds the rows' labels and always stands left.
    """

    heading: tuple[str, ...]
    width: float = 1.0
    align: Alignment = "decimal"


@dataclass(frozen=True, slots=True)
class Spanner:
    """A heading over the columns `first` to `last` (counted from 0, both included).

    Spanners that overlap are stacked, the wider above.
    """

    text: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Row:
    """A row: one cell per column, or a single cell that runs over the whole width.

    `indent` counts steps of two characters, of the first cell.
    """

    cells: tuple[Cell, ...]
    indent: int = 0
    bold: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Rows that belong together.

    Parameters
    ----------
    rows : tuple of Row
        A first row indented less than the others is their label: where the block must be split,
        it is repeated with «(continued)».
    keep_together : bool
        Not split over pages, unless it is longer than a page.
    gap : bool
        A blank line follows.
    page_by : str
        The group the block belongs to, printed under the titles; where it changes, a new page
        starts.
    """

    rows: tuple[Row, ...]
    keep_together: bool = True
    gap: bool = True
    page_by: str = ""


@dataclass(frozen=True, slots=True)
class Display:
    """A whole table or listing.

    Parameters
    ----------
    kind : {'Table', 'Listing'}
        First word of the title.
    number : str
        As the SAP's list of outputs has it, such as ``14.2.1.1``.
    titles : tuple of str
        Lines under the number.
    population : str
        Label of the analysis set; empty prints no population line.
    columns, spanners, blocks
        The table itself. Without rows one line says that there are no data.
    footnotes : tuple of str
        Printed on every page, in this order.
    message : str
        What is printed instead of the table, where its analysis failed.

    Raises
    ------
    UsageError
        A row or spanner does not fit the columns.
    """

    kind: Literal["Table", "Listing"]
    number: str
    titles: tuple[str, ...]
    population: str = ""
    columns: tuple[Column, ...] = ()
    spanners: tuple[Spanner, ...] = ()
    blocks: tuple[Block, ...] = ()
    footnotes: tuple[str, ...] = ()
    message: str = ""

    def __post_init__(self) -> None:
        if not self.columns and not self.message:
            raise UsageError(f"{self.name}: found no columns, expected at least one or a message")
        self._check_rows()
        self._check_spanners()

    @property
    def name(self) -> str:
        """Kind and number, such as ``Table 14.2.1.1``."""
        return f"{self.kind} {self.number}"

    @property
    def rows(self) -> tuple[Row, ...]:
        """Rows of all blocks, in order."""
        return tuple(row for block in self.blocks for row in block.rows)

    def _check_rows(self) -> None:
        allowed = {1, len(self.columns)}
        for position, row in enumerate(self.rows, start=1):
            if len(row.cells) not in allowed:
                raise UsageError(
                    f"{self.name}, row {position}: found {len(row.cells)} cells, expected "
                    f"{len(self.columns)}, one per column (or 1 for a row over the whole width)"
                )

    def _check_spanners(self) -> None:
        for spanner in self.spanners:
            if not 0 <= spanner.first <= spanner.last < len(self.columns):
                raise UsageError(
                    f"{self.name}, spanner {spanner.text!r}: found columns {spanner.first} to "
                    f"{spanner.last}, expected a range within 0 to {len(self.columns) - 1}"
                )


@dataclass(frozen=True, slots=True)
class Furniture:
    """What stands round every page of every output of a run.

    Parameters
    ----------
    protocol, program, data_cut, run_time : str
        Printed as given; the run time is a text so that a rerun can repeat it.
    status : str
        Such as ``DRAFT``; empty for a final output.
    stamps : tuple of str
        Such as ``SIMULATED DATA``.
    """

    protocol: str
    program: str = ""
    data_cut: str = ""
    run_time: str = ""
    status: str = ""
    stamps: tuple[str, ...] = ()
