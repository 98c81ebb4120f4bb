"""The commands of the command line: each prints what it has to say and returns an exit code."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm.adam.read import READERS
from trialmlm.batch.check import described_data, described_plan
from trialmlm.batch.performance import performances
from trialmlm.batch.plan import make_plan
from trialmlm.batch.power import count_tasks, left_out, main_analyses, setting_of, try_out
from trialmlm.batch.power_report import page, write_report
from trialmlm.batch.progress import PlainReporter, Tenths, TerminalReporter
from trialmlm.batch.run import Run
from trialmlm.batch.run import run as carry_out
from trialmlm.batch.shipped import find
from trialmlm.batch.shipped import names as shipped_names
from trialmlm.batch.starter import MARK, start
from trialmlm.covariance.register import FAMILIES
from trialmlm.errors import UsageError
from trialmlm.inference.register import REPEATED_DF_METHODS, SANDWICHES
from trialmlm.protocol import json_schema
from trialmlm.protocol.load import FILE_NAME, load_protocol
from trialmlm.qualification.validate import PAGE, RECORD
from trialmlm.qualification.validate import validate as qualify
from trialmlm.simulate.designs import DESIGNS
from trialmlm.simulate.from_protocol import simulate_protocol
from trialmlm.tables.renderers import RENDERERS
from trialmlm.tables.shells import SHELLS

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Callable, Mapping

    from trialmlm.protocol.schema import Protocol

#: exit code of a run that is complete but for warnings, under --strict
WARNED = 4


def run(options: Namespace) -> int:
    """Carry a protocol out."""
    protocol = load_protocol(find(options.protocol))
    plan = make_plan(protocol, options.only)
    folder = _data_folder(protocol, options.data)
    if sys.stderr.isatty():
        with TerminalReporter(len(plan.analyses) + len(plan.outputs)) as reporter:
            made = carry_out(
                protocol,
                folder,
                options.out,
                only=options.only,
                run_time=options.run_time,
                reporter=reporter,
            )
    else:
        made = carry_out(
            protocol,
            folder,
            options.out,
            only=options.only,
            run_time=options.run_time,
            reporter=PlainReporter(),
        )
    return _told(made, strict=options.strict)


def _told(made: Run, *, strict: bool) -> int:
    """Say how it went; the exit code."""
    for output in made.outputs:
        files = ", ".join(output.files)
        reason = f"  {output.reason}" if output.reason else ""
        print(f"{output.status:<14} {output.number:<12} {files}{reason}")  # noqa: T201
    print(f"{made.folder}")  # noqa: T201
    if made.exit_code == 0 and strict and made.warnings:
        print(f"{len(made.warnings)} warnings (--strict)", file=sys.stderr)  # noqa: T201
        return WARNED
    return made.exit_code


def check(options: Namespace) -> int:
    """Say what would run, and on which rows."""
    if options.schema:
        print(json.dumps(json_schema(), ensure_ascii=False, indent=1))  # noqa: T201
        return 0
    if options.protocol is None:
        raise UsageError("check: name a protocol, or ask for --schema")
    plan = make_plan(load_protocol(find(options.protocol)))
    for line in described_plan(plan):
        print(line)  # noqa: T201
    plan.check_unblinded()
    if options.data is not None:
        for line in described_data(plan, Path(options.data)):
            print(line)  # noqa: T201
    return int(bool(plan.refusals))


def list_(options: Namespace) -> int:
    """List a protocol's analyses and outputs, or what this version builds."""
    if options.protocol is not None:
        for line in described_plan(make_plan(load_protocol(find(options.protocol)))):
            print(line)  # noqa: T201
        return 0
    for title, names in _BUILT.items():
        print(f"{title}: {', '.join(names)}")  # noqa: T201
    return 0


def simulate(options: Namespace) -> int:
    """Write the simulated data of a protocol."""
    sizes = options.n[0] if options.n is not None and len(options.n) == 1 else options.n
    trial = simulate_protocol(
        load_protocol(find(options.protocol)),
        out=options.out,
        scenario=options.scenario,
        seed=options.seed,
        sizes=sizes,
    )
    for name, frame in trial.datasets.items():
        print(f"{name:<8} {len(frame):>7,} records")  # noqa: T201
    print(f"{options.out}: SIMULATED, scenario {trial.scenario}, seed {trial.seed}")  # noqa: T201
    return 0


def power(options: Namespace) -> int:
    """Try the methods of a protocol out on simulated trials, and write how they did."""
    protocol = load_protocol(find(options.protocol))
    only = options.only or (() if options.compare_methods else main_analyses(protocol))
    settings = [
        setting_of(
            protocol,
            scenario,
            only,
            options.seed,
            imputations=options.imputations,
            replicates=options.replicates,
        )
        for scenario in options.scenario or [None]
    ]
    for name, reason in ({} if only else left_out(protocol)).items():
        print(f"not tried out: {name}: {reason}", file=sys.stderr)  # noqa: T201
    steps = sum(count_tasks(setting, options.trials) for setting in settings)
    with TerminalReporter(steps) if sys.stderr.isatty() else Tenths(steps) as reporter:
        tried = [
            try_out(
                setting, options.trials, options.out, workers=options.workers, reporter=reporter
            )
            for setting in settings
        ]
    rows = [row for one in tried for row in performances(one)]
    files = write_report(rows, tried, options.out)
    print(page(rows, tried))  # noqa: T201
    print(", ".join(map(str, files)))  # noqa: T201
    return 0


def init(options: Namespace) -> int:
    """Make a start for a protocol of one's own."""
    folder = start(options.name, options.origin, options.out)
    print(f"{folder}")  # noqa: T201
    print(f"what is yours to decide is marked {MARK!r} in {folder / FILE_NAME}")  # noqa: T201
    return 0


def validate(options: Namespace) -> int:
    """Check the installation and its numbers; 1 if anything is not as expected."""
    report = qualify(
        options.out, only=options.only, run_time=options.run_time, material=options.material
    )
    for check in report.installation.checks:
        print(f"{check.status:<14} {check.id:<24} {check.title}: {check.obtained}")  # noqa: T201
    for outcome in report.outcomes:
        status = "pass" if outcome.passed else "fail"
        print(f"{status:<14} {outcome.case.id:<24} {outcome.case.title}")  # noqa: T201
    print(f"{report.verdict}  {Path(options.out) / PAGE}, {RECORD}")  # noqa: T201
    for text in report.reservations:
        print(text)  # noqa: T201
    for failed in report.failures:
        print(f"trialmlm: not as expected: {failed}", file=sys.stderr)  # noqa: T201
    return 0 if report.passed else 1


def _data_folder(protocol: Protocol, named: str | None) -> Path:
    """The folder named, else `data` beside the protocol."""
    if named is not None:
        return Path(named)
    beside = (protocol.path or Path()).parent / "data"
    if not beside.is_dir():
        msg = f"name the folder with the data sets (--data DIR); there is no {beside}"
        raise UsageError(msg)
    return beside


_BUILT: Mapping[str, tuple[str, ...]] = {
    "protocols": shipped_names(),
    "simulated designs": tuple(DESIGNS),
    "tables": tuple(SHELLS),
    "file kinds of tables": tuple(RENDERERS),
    "data files": tuple(READERS),
    "covariance structures": tuple(FAMILIES),
    "degrees of freedom": tuple(REPEATED_DF_METHODS),
    "sandwich covariances": tuple(SANDWICHES),
}

COMMANDS: Mapping[str, Callable[[Namespace], int]] = {
    "run": run,
    "check": check,
    "list": list_,
    "simulate": simulate,
    "power": power,
    "init": init,
    "validate": validate,
}
