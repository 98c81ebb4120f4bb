"""A simulated trial on disk: each file whole or not at all, the same bytes every time."""

from __future__ import annotations

import json
from dataclasses import asdict
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from trialmlm.errors import UsageError
from trialmlm.files import prepare_folder, write_file
from trialmlm.protocol.names import did_you_mean
from trialmlm.simulate.designs import find_design

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import pandas as pd

    from trialmlm.simulate.trial import SimulatedTrial

_STATEMENT = "Simulated data: none of these subjects exists."


def as_csv(frame: pd.DataFrame) -> bytes:
    """UTF-8, a header line, dates as YYYY-MM-DD, empty where there is nothing."""
    text = frame.to_csv(index=False, lineterminator="\n", date_format="%Y-%m-%d")
    return text.encode()


#: format -> how a frame is written; it is the file's suffix too
FORMATS: Mapping[str, Callable[[pd.DataFrame], bytes]] = {"csv": as_csv}


def write_trial(trial: SimulatedTrial, folder: str | Path, kind: str) -> tuple[Path, ...]:
    """Write the data sets, the truth, and how they were made.

    Raises
    ------
    UsageError
        The folder cannot be used, or no such format is written.
    """
    if kind not in FORMATS:
        near = did_you_mean(kind, FORMATS)
        raise UsageError(f"format: found {kind!r}, expected one of {', '.join(FORMATS)}{near}")
    frames = {**trial.datasets, "latent": trial.latent}
    files = {f"{name}.{kind}": FORMATS[kind](frame) for name, frame in frames.items()}
    files["simulation.json"] = _description(trial, files)
    target = Path(folder)
    prepare_folder(target)
    for name, content in files.items():
        write_file(target / name, content)
    return tuple(target / name for name in files)


def _description(trial: SimulatedTrial, files: Mapping[str, bytes]) -> bytes:
    design = find_design(trial.design)
    plain = {
        "origin": "SIMULATED",
        "statement": _STATEMENT,
        "study": design.study,
        "design": design.name,
        "scenario": trial.scenario,
        "seed": trial.seed,
        "parameters": asdict(trial.parameters),
        "files": {name: sha256(content).hexdigest() for name, content in files.items()},
        "datasets": {
            name: {
                "label": design.labels[name],
                "columns": {c: design.columns[c] for c in frame.columns},
            }
            for name, frame in {**trial.datasets, "latent": trial.latent}.items()
        },
    }
    return (json.dumps(plain, ensure_ascii=False, indent=1) + "\n").encode()
