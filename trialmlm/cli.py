"""The command line: ``trialmlm run | check | list | simulate | power | init | validate``."""

from __future__ import annotations

import argparse
import sys
from importlib import import_module
from typing import TYPE_CHECKING

from trialmlm._version import __version__
from trialmlm.errors import TrialmlmError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

_CODES = """exit codes:
  0  done
  1  an analysis or output could not be made; the others are delivered, its page says why
  2  bad usage, or a protocol that does not validate
  3  the data contradict the protocol; nothing is written
  4  done, with warnings, under --strict
"""
_CODES_OF_VALIDATE = """exit codes:
  0  every check passed; with reservations for a partial run or a development installation
  1  a check failed, the report says which
  2  bad usage, or material that cannot be read
"""
_PROTOCOL = "protocol file, its folder, or the name of a shipped one"
#: exit code after an interrupt, as shells have it
INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        By default those of the process.

    Returns
    -------
    int
        The exit code.
    """
    options = _parser().parse_args(arguments)
    # the numerical packages are loaded only once a command needs them: --help stays light
    commands: Mapping[str, Callable[[argparse.Namespace], int]] = import_module(
        "trialmlm.batch.commands"
    ).COMMANDS
    try:
        return commands[options.command](options)
    except TrialmlmError as error:
        print(f"trialmlm: {error}", file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("trialmlm: interrupted; every file that was written is complete", file=sys.stderr)
        return INTERRUPTED
    except BrokenPipeError:
        # the reader of our output has gone; there is nobody to tell
        sys.stderr.close()
        return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="trialmlm",
        description="Longitudinal analysis of clinical trials: protocol in, tables out.",
        epilog=_CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"trialmlm {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_run(commands)
    _add_check(commands)
    _add_list(commands)
    _add_init(commands)
    _add_simulate(commands)
    _add_power(commands)
    _add_validate(commands)
    return parser


def _command(
    commands: _Commands, name: str, does: str, example: str, codes: str = _CODES
) -> argparse.ArgumentParser:
    return commands.add_parser(
        name,
        help=does,
        description=does[0].upper() + does[1:] + ".",
        epilog=f"example:\n  {example}\n\n{codes}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def _add_run(commands: _Commands) -> None:
    example = "trialmlm run protocols/cdisc_pilot_adas --data adam/ --out results/"
    parser = _command(commands, "run", "carry out a protocol and write its outputs", example)
    parser.add_argument("protocol", metavar="PROTOCOL", help=_PROTOCOL)
    parser.add_argument("--data", metavar="DIR", help="folder with the data sets")
    parser.add_argument("--out", metavar="DIR", default="results", help="output folder (results)")
    parser.add_argument(
        "--only",
        metavar="ID",
        nargs="+",
        default=(),
        help="numbers of outputs and names of analyses to make",
    )
    parser.add_argument("--strict", action="store_true", help="warnings give exit code 4")
    parser.add_argument("--run-time", metavar="TEXT", help="what outputs print as time of the run")


def _add_check(commands: _Commands) -> None:
    example = "trialmlm check protocols/cdisc_pilot_adas --data adam/"
    does = "say what would run, and on which rows"
    parser = _command(commands, "check", does, example)
    parser.add_argument("protocol", metavar="PROTOCOL", nargs="?", help=_PROTOCOL)
    parser.add_argument("--data", metavar="DIR", help="folder with the data sets")
    parser.add_argument(
        "--schema", action="store_true", help="write the protocol's JSON Schema, for editors"
    )


def _add_list(commands: _Commands) -> None:
    example = "trialmlm list protocols/cdisc_pilot_adas"
    does = "list a protocol's analyses and outputs, or what this version builds"
    parser = _command(commands, "list", does, example)
    parser.add_argument("protocol", metavar="PROTOCOL", nargs="?", help=_PROTOCOL)


def _add_simulate(commands: _Commands) -> None:
    example = "trialmlm simulate protocols/ipf_fvc --seed 1 --out adam/"
    does = "simulate the data of a protocol that says how"
    parser = _command(commands, "simulate", does, example)
    parser.add_argument("protocol", metavar="PROTOCOL", help=_PROTOCOL)
    parser.add_argument("--scenario", metavar="S", help="by default the protocol's")
    parser.add_argument("--seed", metavar="N", type=int, help="by default the protocol's")
    parser.add_argument(
        "--n",
        metavar="N",
        type=int,
        nargs="+",
        help="subjects in all, or those of each arm; by default the scenario's",
    )
    parser.add_argument("--out", metavar="DIR", default="adam", help="folder for the data (adam)")


def _add_power(commands: _Commands) -> None:
    example = "trialmlm power protocols/mdd_madrs --compare-methods --trials 500 --workers 2"
    does = "try a protocol's methods out on simulated trials whose truth is known"
    parser = _command(commands, "power", does, example)
    parser.add_argument("protocol", metavar="PROTOCOL", help=_PROTOCOL)
    parser.add_argument(
        "--compare-methods",
        action="store_true",
        help="every analysis of the protocol; by default the main ones",
    )
    parser.add_argument("--only", metavar="ID", nargs="+", default=(), help="names of analyses")
    parser.add_argument(
        "--scenario", metavar="S", nargs="+", help="one or more; by default the protocol's"
    )
    parser.add_argument("--trials", metavar="N", type=int, default=1000, help="of each (1000)")
    parser.add_argument("--seed", metavar="N", type=int, help="by default the protocol's")
    parser.add_argument(
        "--imputations", metavar="N", type=int, help="per analysis; by default the protocol's"
    )
    parser.add_argument(
        "--replicates", metavar="N", type=int, help="of a bootstrap; by default the protocol's"
    )
    parser.add_argument("--workers", metavar="N", type=int, default=1, help="processes (1)")
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="power",
        help="folder (power); an interrupted command goes on from what it holds",
    )


def _add_init(commands: _Commands) -> None:
    example = "trialmlm init MY-TRIAL --from ipf_fvc"
    does = "copy a shipped protocol as a commented start for your own"
    parser = _command(commands, "init", does, example)
    parser.add_argument("name", metavar="NAME", help="the new folder, and the trial's id")
    parser.add_argument(
        "--from",
        dest="origin",
        metavar="PROTOCOL",
        default="ipf_fvc",
        help="the shipped protocol that is copied (ipf_fvc); `trialmlm list` names them",
    )
    parser.add_argument("--out", metavar="DIR", default=".", help="where NAME is made (here)")


def _add_validate(commands: _Commands) -> None:
    example = "trialmlm validate --out validation_report/"
    does = "check the installation and its numbers, and write the report"
    parser = _command(commands, "validate", does, example, _CODES_OF_VALIDATE)
    parser.add_argument(
        "--out",
        metavar="DIR",
        default="validation_report",
        help="folder of the report (validation_report)",
    )
    parser.add_argument(
        "--only",
        metavar="ID",
        nargs="+",
        default=(),
        help="cases whose identifiers begin so; the report says that it is partial",
    )
    parser.add_argument(
        "--material",
        metavar="DIR",
        help="cases, data and reference numbers of your own, in place of those shipped",
    )
    parser.add_argument(
        "--run-time", metavar="TEXT", help="what the report says of when it was made"
    )


if TYPE_CHECKING:
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

if __name__ == "__main__":
    sys.exit(main())
