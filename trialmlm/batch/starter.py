"""A start for a protocol of one's own: a shipped one, renamed, with the lines to change marked."""

from __future__ import annotations

import re
from itertools import dropwhile
from pathlib import Path
from typing import Final

from trialmlm.batch.shipped import shipped
from trialmlm.errors import UsageError
from trialmlm.files import write_file
from trialmlm.protocol.load import FILE_NAME

#: what stands before every line that is the user's to decide
MARK: Final = "# CHANGE:"
_NAME: Final = re.compile(r"\w[\w.-]{0,62}\w|\w")
_SECTION: Final = re.compile(r"([a-z]+):")
_PLAN: Final = re.compile(r'^  sap: \{version: "[^"]*", status: \w+')
_DRAFT: Final = '  sap: {version: "0.1", status: draft'

#: section of a protocol -> what its owner decides there
_DECISIONS: Final = {
    "protocol": "title, dates; a real trial's data_origin is collected, and unblinded as it is",
    "arms": "value is what the arm's column holds, label what tables print; one is the control",
    "data": "your data sets (file names without .xpt, .csv, …) and, on the right, your columns",
    "strata": "factors of the randomisation, under the names that the models use; or leave out",
    "sites": "your columns of the site and the pooled site; or leave out",
    "schedule": "visits, target days and windows; `values: read` takes AVISIT, BASE, CHG as given",
    "populations": "where-clauses on the columns of the subjects' data set",
    "endpoints": "parameter is a value of the parameter's column; decimals are the collected ones",
    "estimands": "the questions, in words; what is done about intercurrent events",
    "analyses": "model formulas: columns of your data, strata, AVISIT, BASE, CHG, the time's name",
    "outputs": "numbers, titles and footnotes of the tables and figures",
    "house": "paper, font, decimals of p-values",
    "simulation": "for `trialmlm simulate`; leave out once there are data of a real trial",
}
_HEADER: Final = """\
# {name}: a start, copied from the protocol {origin} that is shipped with trialmlm.
# Lines marked CHANGE say what is yours to decide. After each change:
#     trialmlm check {name} --data DIR      every fault by line; what would run, on which records
# The keys are described in docs/protocol.md; `trialmlm check --schema` writes a JSON Schema, with
# which editors complete and explain them."""
_README: Final = """\
# {name}

A start, copied from the protocol `{origin}` that is shipped with trialmlm. What is yours to decide
is marked `{mark}` in `protocol.yaml`. From the folder above:

{commands}

`run` looks for the data sets in `{name}/data`; `--data DIR` names another folder.
"""
_SIMULATE: Final = "trialmlm simulate {name} --out {name}/data"
#: command -> what it is for
_COMMANDS: Final = {
    "trialmlm check {name}": "every fault by line; what would run",
    _SIMULATE: "simulated data, to try it out",
    "trialmlm check {name} --data {name}/data": "on which records",
    "trialmlm run {name} --out {name}/results": "the tables and figures",
}


def start(name: str, origin: str, out: str | Path = ".") -> Path:
    """Make a folder with a protocol to begin from.

    Parameters
    ----------
    name : str
        Of the folder, and the protocol's id: letters, digits, ``-``, ``_`` and ``.``.
    origin : str
        Name of the shipped protocol that is copied.
    out : str or Path
        Where the folder is made.

    Returns
    -------
    Path
        The new folder, with ``protocol.yaml`` and ``README.md``.

    Raises
    ------
    UsageError
        The name is none, no such protocol is shipped, or the folder is there already or cannot be
        made.
    """
    if not _NAME.fullmatch(name):
        msg = (
            f"init: found the name {name!r}, expected letters, digits, '-', '_' or '.', beginning "
            "and ending with a letter or digit; --out DIR says where the folder is made"
        )
        raise UsageError(msg)
    text = (shipped(origin) / FILE_NAME).read_text(encoding="utf-8")
    files = {
        FILE_NAME: commented(text, name, origin),
        "README.md": _readme(text, name, origin),
    }
    folder = _new_folder(Path(out) / name)
    for file, content in files.items():
        write_file(folder / file, content.encode())
    return folder


def commented(text: str, name: str, origin: str) -> str:
    """The text of a protocol under another name, its decisions marked.

    A start from simulated data keeps the treatment codes of collected ones closed.
    """
    lines = list(dropwhile(lambda line: line.startswith("#"), text.splitlines()))
    made = [_HEADER.format(name=name, origin=origin)]
    for line in lines:
        section = _SECTION.match(line)
        if section and section[1] in _DECISIONS:
            made.append(f"{MARK} {_DECISIONS[section[1]]}")
        made.append(_renamed(line, name))
    whole = "\n".join(made) + "\n"
    simulated = "  data_origin: simulated\n" in whole
    return whole.replace("  unblinded: true\n", "  unblinded: false\n") if simulated else whole


def _renamed(line: str, name: str) -> str:
    """The trial's own lines: another id and title, and a plan that nobody has approved."""
    if re.match(r"  (id|title): ", line):
        return f'{line.split(":")[0]}: "{name}"'
    return _PLAN.sub(_DRAFT, line)


def _readme(text: str, name: str, origin: str) -> str:
    told = {
        command.format(name=name): purpose
        for command, purpose in _COMMANDS.items()
        if command != _SIMULATE or re.search(r"^simulation:", text, re.MULTILINE)
    }
    width = max(map(len, told))
    commands = "\n".join(f"    {command:<{width}}   # {told[command]}" for command in told)
    return _README.format(name=name, origin=origin, mark=MARK.rstrip(":"), commands=commands)


def _new_folder(folder: Path) -> Path:
    try:
        folder.mkdir(parents=True)
    except FileExistsError:
        msg = f"init: {folder} is there already; choose another name, or another folder with --out"
        raise UsageError(msg) from None
    except OSError as error:
        msg = f"init: {folder} cannot be made ({error.strerror or error}); name another with --out"
        raise UsageError(msg) from error
    return folder
