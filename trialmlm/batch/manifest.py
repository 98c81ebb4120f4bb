"""The manifest of a run: what went in, what came out, and with which versions."""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from trialmlm._version import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trialmlm.adam.dataset import Dataset
    from trialmlm.protocol.schema import Protocol

_PACKAGES = ("numpy", "scipy", "pandas", "patsy", "pydantic", "ruamel.yaml")


@dataclass(frozen=True, slots=True)
class Made:
    """One output and how it went.

    Attributes
    ----------
    number, shell : str
    status : str
        ``made``, ``failed`` or ``not available``.
    reason : str
        Why it is not made.
    files : mapping of str to str
        File name -> SHA-256.
    """

    number: str
    shell: str
    status: str
    reason: str
    files: Mapping[str, str]


def manifest(
    protocol: Protocol,
    datasets: Sequence[Dataset],
    outputs: Sequence[Made],
    files: Mapping[str, str],
    run_time: str,
) -> str:
    """The manifest as JSON.

    Parameters
    ----------
    protocol : Protocol
    datasets : sequence of Dataset
        Those read.
    outputs : sequence of Made
    files : mapping of str to str
        Every file written -> its SHA-256.
    run_time : str
    """
    plain: dict[str, Any] = {
        "format": 1,
        "run_time": run_time,
        "protocol": {
            "id": protocol.header.id,
            "file": protocol.path.name if protocol.path else None,
            "sha256": protocol.source_hash,
        },
        "versions": versions(),
        "inputs": [
            {
                "name": dataset.name,
                "file": dataset.path.name,
                "sha256": dataset.sha256,
                "rows": dataset.rows,
                "columns": len(dataset.frame.columns),
            }
            for dataset in datasets
        ],
        "outputs": [
            {
                "number": made.number,
                "shell": made.shell,
                "status": made.status,
                "reason": made.reason,
                "files": dict(made.files),
            }
            for made in outputs
        ],
        "files": dict(files),
    }
    return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"


def versions() -> dict[str, str]:
    """Of this package, of Python, and of the packages that numbers depend on."""
    found = {"trialmlm": __version__, "python": platform.python_version()}
    return found | {name: version(name) for name in _PACKAGES}
