"""CPU time and memory of one fit with its Satterthwaite table, as the trial grows.

    python benchmarks/scale.py [--json FILE] [SUBJECTSxVISITS ...]

Every size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

import pandas as pd
from clock import measure, print_table, write_json
from simulated import FORMULA, trial

import trialmlm as tm

SIZES = ("1000x4", "10000x10", "100000x10")


def peak_mb() -> float:
    """Peak resident memory of this process so far, in MB (the system counts KB)."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def one(path: Path, runs: int) -> dict[str, object]:
    """Fit the data in `path` and say what it took."""
    data = pd.read_pickle(path)
    before = peak_mb()
    times = measure(lambda: tm.mmrm(FORMULA, data).coefficients(), runs)
    fit = tm.mmrm(FORMULA, data)
    return {
        "rows": len(data),
        **times,
        "frame_mb": before,
        "peak_mb": peak_mb(),
        "iterations": fit.convergence.iterations,
    }


def apart(size: str, folder: Path, runs: int) -> dict[str, object]:
    """The same in a process of its own."""
    subjects, visits = map(int, size.split("x"))
    path = folder / f"{size}.pkl"
    trial(subjects, visits).to_pickle(path)
    command = [sys.executable, __file__, "--one", str(path), "--runs", str(runs)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"size": size, **json.loads(done.stdout)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("sizes", nargs="*", default=SIZES)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="file for the same numbers")
    parser.add_argument("--one", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one is not None:
        print(json.dumps(one(given.one, given.runs)))
        return
    with tempfile.TemporaryDirectory() as folder:
        rows = [apart(size, Path(folder), given.runs) for size in given.sizes]
    print_table(rows)
    write_json(given.json, rows)


if __name__ == "__main__":
    main()
