"""Make the trials, show the report, and write it where asked."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING

from validation.ipf_fvc.report import FOLDER, JSON, PAGE, make_report
from validation.ipf_fvc.trials import trials

if TYPE_CHECKING:
    from collections.abc import Sequence

TRIALS = 1000


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program; 1 where a fact does not hold or a fit did not converge."""
    given = _parser().parse_args(arguments)
    # read by the processes that are started: one BLAS thread each is quickest
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    seeds = range(1, given.trials + 1)
    default = trials("default", seeds, given.workers, unmasked=True)
    report = make_report(default, trials("null", seeds, given.workers))
    if given.write:
        (FOLDER / JSON).write_text(report.to_json(), encoding="utf-8")
        (FOLDER / PAGE).write_text(report.to_page(), encoding="utf-8")
    sys.stdout.write(report.to_page())
    spent = os.times()
    cpu = spent.user + spent.system + spent.children_user + spent.children_system
    sys.stderr.write(f"{cpu:.0f} s of CPU\n")
    return 0 if report.holds else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m validation.ipf_fvc", description=__doc__)
    workers = os.cpu_count() or 1
    parser.add_argument("--trials", type=_enough, default=TRIALS, help="of each scenario (1000)")
    parser.add_argument("--workers", type=int, default=workers, help="processes (%(default)s)")
    parser.add_argument("--write", action="store_true", help="write acceptance.md and .json")
    return parser


def _enough(text: str) -> int:
    """Three trials at least: fewer have no Monte-Carlo error."""
    number = int(text)
    if number < 3:
        raise argparse.ArgumentTypeError(f"found {number}, expected at least 3 trials")
    return number


if __name__ == "__main__":
    sys.exit(main())
