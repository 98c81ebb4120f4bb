"""Tasks that are finished, kept in a file from which an interrupted command goes on."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trialmlm.errors import UsageError
from trialmlm.files import write_file

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

#: seconds between two writings of the file
INTERVAL = 10.0


@dataclass(slots=True)
class Finished:
    """What tasks have found, by their names; written to the file whole or not at all.

    Attributes
    ----------
    path : Path
    made_for : mapping of str to str
        What the tasks are of: a file made for something else is refused.
    found : dict
        Task -> what it found, as JSON holds it.
    """

    path: Path
    made_for: Mapping[str, str]
    found: dict[str, Any] = field(default_factory=dict)
    _written: float = 0.0

    def add(self, task: str, result: Any) -> None:
        """Keep what a task found; the file follows within `INTERVAL` seconds, or by `write`."""
        self.found[task] = result
        now = time.monotonic()
        if now - self._written > INTERVAL:
            self._written = now
            self.write()

    def write(self) -> None:
        """Write the file; its bytes do not depend on the order in which tasks were finished."""
        plain = {"made_for": dict(self.made_for), "found": dict(sorted(self.found.items()))}
        write_file(self.path, (json.dumps(plain, indent=0) + "\n").encode())


def take_up(path: Path, made_for: Mapping[str, str]) -> Finished:
    """Take up the tasks that a file holds; none where there is no file.

    Raises
    ------
    UsageError
        The file cannot be read, or was made for something else.
    """
    if not path.exists():
        return Finished(path, made_for)
    try:
        held = json.loads(path.read_text(encoding="utf-8"))
        stands_for, found = dict(held["made_for"]), dict(held["found"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(
            f"{path} cannot be taken up ({error}); remove it, or name another folder with --out"
        ) from error
    other = [name for name in made_for if stands_for.get(name) != made_for[name]]
    if other:
        told = "; ".join(
            f"{name} was {stands_for.get(name, 'not stated')}, now {made_for[name]}"
            for name in other
        )
        raise UsageError(
            f"{path} holds what was found for something else: {told}. Remove it to begin anew, or "
            "name another folder with --out"
        )
    return Finished(path, made_for, found)
