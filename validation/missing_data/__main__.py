"""Try every method out in every scenario, show the table, and write it where asked."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm.batch.performance import performances
from trialmlm.batch.power import count_tasks, setting_of, try_out
from trialmlm.batch.progress import Tenths
from validation.missing_data.assembled import DESIGNS, HERE, assembled
from validation.missing_data.report import page, to_json
from validation.missing_data.scenarios import SCENARIOS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from trialmlm.batch.performance import Performance
    from trialmlm.batch.power import Tried

TRIALS, SEED = 2000, 20261123
#: enough for bias, spread and coverage of a pooled estimate; a report would draw more
IMPUTATIONS, REPLICATES = 10, 25
PAGE, JSON = "truth_table.md", "truth_table.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the program."""
    given = _parser().parse_args(arguments)
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    made = {design: _design(design, given) for design in given.design}
    if given.write:
        (HERE / PAGE).write_text(page(made), encoding="utf-8")
        (HERE / JSON).write_text(to_json(made), encoding="utf-8")
    sys.stdout.write(page(made))
    spent = os.times()
    cpu = spent.user + spent.system + spent.children_user + spent.children_system
    sys.stderr.write(f"{cpu:.0f} s of CPU\n")
    return 0


def _design(
    design: str, given: argparse.Namespace
) -> tuple[Sequence[Tried], Sequence[Performance]]:
    folder = Path(given.out) / design
    protocol = assembled(design, folder)
    chosen = [name for name in SCENARIOS[design] if name in (given.scenario or SCENARIOS[design])]
    settings = [
        setting_of(protocol, name, seed=SEED, imputations=IMPUTATIONS, replicates=REPLICATES)
        for name in chosen
    ]
    reporter = Tenths(sum(count_tasks(setting, given.trials) for setting in settings))
    tried = [
        try_out(setting, given.trials, folder, workers=given.workers, reporter=reporter)
        for setting in settings
    ]
    return tried, [row for one in tried for row in performances(one)]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m validation.missing_data", description=__doc__)
    workers = os.cpu_count() or 1
    parser.add_argument("--trials", type=int, default=TRIALS, help="of each scenario (2000)")
    parser.add_argument("--workers", type=int, default=workers, help="processes (%(default)s)")
    parser.add_argument("--design", nargs="+", default=DESIGNS, choices=DESIGNS)
    parser.add_argument("--scenario", nargs="+", help="by default all")
    parser.add_argument(
        "--out",
        default="truth_table",
        help="folder of what is finished, from which an interrupted call goes on (truth_table)",
    )
    parser.add_argument("--write", action="store_true", help=f"write {PAGE} and {JSON}")
    return parser


if __name__ == "__main__":
    sys.exit(main())
