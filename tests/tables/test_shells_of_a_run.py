"""Every number that a table shows can be walked back to the results."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from trialmlm.batch.orders import order_of
from trialmlm.batch.plan import make_plan
from trialmlm.protocol.load import load_protocol
from trialmlm.tables.shells import SHELLS

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.results.results import Results

_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")


@pytest.mark.parametrize("number", ["1", "2", "3", "4"])
def test_every_number_of_a_cell_stands_on_values_of_the_results(
    number: str, small_run: Path, small_results: Results
) -> None:
    protocol = load_protocol(small_run / "protocol.yaml")
    (planned,) = make_plan(protocol, [number]).outputs
    display = SHELLS[planned.output.shell](order_of(protocol, planned), small_results)
    known = {statistic.value for statistic in small_results.statistics}
    cells = [cell for row in display.rows for cell in row.cells[1:]]
    shown = [cell for cell in cells if _NUMBER.search(cell.text)]
    assert len(shown) >= 4
    for cell in shown:
        assert len(cell.values) == len(_NUMBER.findall(cell.text)), cell
        assert set(cell.values) <= known, cell
