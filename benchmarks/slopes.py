"""CPU time of `tm.lmm` with random intercepts and slopes on actual times.

    python benchmarks/slopes.py [--runs 30] [--json FILE] [--csv FILE] [SUBJECTSxTIMES ...]

`--csv` writes the data of the last size, for `peers_slopes.R`.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from clock import measure, print_table, write_json

import trialmlm as tm

FORMULA = "FVC ~ ARM * YEARS + (1 + YEARS | USUBJID)"
SIZES = ("500x5", "5000x5", "50000x5")


def trial(subjects: int, times: int, seed: int = 20260) -> pd.DataFrame:
    """FVC in mL at quarterly visits, each a few days off its target; nobody is missing."""
    rng = np.random.default_rng(seed)
    subject = np.repeat(np.arange(subjects), times)
    years = np.tile(np.arange(times) / 4.0, subjects) + rng.normal(0.0, 0.02, subjects * times)
    treated = subject % 2 == 1
    own = rng.normal(0.0, (600.0, 150.0), (subjects, 2))
    slope = np.where(treated, -100.0, -220.0) + own[subject, 1]
    fvc = 2700.0 + own[subject, 0] + slope * years + rng.normal(0.0, 90.0, subject.size)
    arms = np.where(treated, "ACTIVE", "PLACEBO")
    return pd.DataFrame({"USUBJID": subject, "ARM": arms, "YEARS": years, "FVC": fvc})


def rows_of(size: str, runs: int, csv: Path | None) -> list[dict[str, object]]:
    data = trial(*map(int, size.split("x")))
    if csv is not None:
        data.to_csv(csv, index=False)
    fit = tm.lmm(FORMULA, data)
    print(f"{size}: -2 REML log-likelihood {fit.minus2_loglik:.6f}")
    tasks = {
        "fit": lambda: tm.lmm(FORMULA, data),
        "fit, Satterthwaite table": lambda: tm.lmm(FORMULA, data).coefficients(),
        "fit, Kenward-Roger table": lambda: tm.lmm(
            FORMULA, data, df="kenward-roger"
        ).coefficients(),
    }
    return [
        {"size": size, "rows": len(data), "task": task, **measure(call, runs)}
        for task, call in tasks.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", default=SIZES, metavar="SUBJECTSxTIMES")
    parser.add_argument("--runs", type=int, default=30)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    rows = [row for size in options.sizes for row in rows_of(size, options.runs, options.csv)]
    print_table(rows)
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
