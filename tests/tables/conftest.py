"""Displays that the tests of this room share."""

from __future__ import annotations

import pytest

from trialmlm.tables.display import Block, Cell, Column, Display, Furniture, Row, Spanner


def row(*texts: str, indent: int = 0, bold: bool = False) -> Row:
    return Row(tuple(map(Cell, texts)), indent, bold)


@pytest.fixture(name="row")
def _row():
    return row


@pytest.fixture
def furniture() -> Furniture:
    return Furniture(
        protocol="TMLM-01",
        program="protocol.yaml A2",
        data_cut="2026-06-30",
        run_time="2026-07-01T08:00:00Z",
        status="DRAFT",
        stamps=("SIMULATED DATA",),
    )


@pytest.fixture
def columns() -> tuple[Column, ...]:
    return (
        Column(("Visit",), 2.0, "left"),
        Column(("Placebo", "(N=86)")),
        Column(("Xanomeline Low Dose", "(N=84)")),
        Column(("Xanomeline High Dose", "(N=84)")),
    )


def _visit(week: int) -> Block:
    value = f"{week}.{week % 10} (12.19)"
    return Block(
        (
            row(f"Week {week}", "", "", "", bold=True),
            row("n", "79", "8", "174", indent=1),
            row("Mean (SD)", value, "-0.5 (0.82)", "NE", indent=1),
            row("p-value", "", "<0.001", "0.569", indent=1),
        )
    )


@pytest.fixture
def by_visit(columns: tuple[Column, ...]) -> Display:
    """A table of 20 blocks, several pages long, with a spanner and marked footnotes."""
    return Display(
        kind="Table",
        number="14.2.1.1",
        titles=("ADAS-Cog (11) by visit",),
        population="Efficacy",
        columns=columns,
        spanners=(Spanner("Xanomeline", 2, 3),),
        blocks=tuple(_visit(week) for week in range(20)),
        footnotes=(
            "[1] " + "A mixed model for repeated measures, treatment by visit. " * 4,
            "Note.",
        ),
    )
