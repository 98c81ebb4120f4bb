"""The records behind an analysis, as a frame and as CSV."""

from __future__ import annotations

import csv
import io
from math import nan

import pytest

from trialmlm.results.records import RECORD_COLUMNS, Record, records_csv, records_frame

HOSTILE = '=cmd()",\n<script>'
RECORDS = (
    Record("A1", "S-1", "ACT", "Week 4", 0.1, 1 / 3, 2.0, 2.5, -0.0),
    Record("A1", HOSTILE, "PBO", "", nan, nan, 1e300, 1e-300, nan, "LOCF"),
)


def test_csv_reads_back_as_it_was_and_nan_is_empty():
    rows = list(csv.DictReader(io.StringIO(records_csv(RECORDS))))
    assert [row["subject"] for row in rows] == ["S-1", HOSTILE]
    assert float(rows[0]["observed"]) == 1 / 3
    assert float(rows[1]["fitted"]) == 1e300
    assert [rows[1][name] for name in ("time", "observed", "residual")] == ["", "", ""]


def test_the_frame_has_a_row_per_record_and_the_columns_in_order():
    frame = records_frame(RECORDS)
    assert tuple(frame.columns) == RECORD_COLUMNS
    assert frame["derivation"].tolist() == ["", "LOCF"]


@pytest.mark.parametrize("make", [records_frame, lambda records: records_csv(records).splitlines()])
def test_no_records_leave_the_columns(make):
    assert len(make(())) == (0 if make is records_frame else 1)
    assert tuple(records_frame(()).columns) == RECORD_COLUMNS
