"""The acceptance facts of the shipped trial over 1,000 trials of each scenario.

One test, for the trials are made once: two to three minutes of CPU.
"""

from __future__ import annotations

import os

import pytest
from pandas.testing import assert_frame_equal

from validation.ipf_fvc.__main__ import TRIALS
from validation.ipf_fvc.report import FOLDER, PAGE, make_report
from validation.ipf_fvc.trials import trials

SEEDS = range(1, TRIALS + 1)


@pytest.mark.slow
def test_the_facts_hold_and_the_committed_table_says_so() -> None:
    workers = os.cpu_count() or 1
    default = trials("default", SEEDS, workers, unmasked=True)
    null = trials("null", SEEDS, workers)
    report = make_report(default, null)
    lines = "\n".join(map(str, report.facts))
    assert all(fact.holds for fact in report.facts), f"\n{lines}"
    assert [made.unconverged for made in report.performances] == [0] * len(report.performances)
    written = (FOLDER / PAGE).read_text(encoding="utf-8")
    assert report.to_page() == written, "`python -m validation.ipf_fvc --write` writes it again"
    # other processes, other neighbours in the queue: the same numbers
    assert_frame_equal(trials("null", SEEDS[:3]), null.iloc[:3], check_exact=True)
