"""Which values there are at each visit, cell by cell."""

from __future__ import annotations

from hand_made import counted, ordered, results, statistic, texts

from trialmlm.tables.shell_attendance import EXPLAINED, attendance


def _counts(visit: str, **states: tuple[int, int]):
    for state, pair in states.items():
        for arm, n in (*zip(("PBO", "ACT"), pair, strict=True), ("", sum(pair))):
            yield statistic("count", "n", n, analysis="attendance", method="", arm=arm,
                            visit=visit, group=state)  # fmt: skip


def test_observed_and_missing_are_shares_of_all_and_reasons_stand_below_missing():
    found = results(
        counted(PBO=8, ACT=10, total=18),
        _counts(
            "Week 4", observed=(6, 10), missing=(2, 0), died=(1, 0), left=(0, 0), missed=(1, 0)
        ),
    )
    display = attendance(ordered(visits=("Week 4",)), found)
    assert texts(display) == [
        ["Week 4", "", "", ""],
        ["Value observed", "6 (75%)", "10 (100%)", "16 (89%)"],
        ["Value missing", "2 (25%)", "0", "2 (11%)"],
        ["Died before the visit", "1 (13%)", "0", "1 (6%)"],
        ["Left the trial before the visit", "0", "0", "0"],
        ["Missed", "1 (13%)", "0", "1 (6%)"],
    ]
    assert [row.indent for row in display.rows] == [0, 1, 1, 2, 2, 2]
    assert display.footnotes == (EXPLAINED,)


def test_a_visit_that_nobody_counted_reads_zero():
    rows = texts(attendance(ordered(visits=("Week 8",)), results()))
    assert rows[0] == ["Week 8", "", "", ""]
    assert {cell for row in rows[1:] for cell in row[1:]} == {"0"}
