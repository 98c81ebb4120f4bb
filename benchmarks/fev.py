"""CPU time from data frame and formula to result: FEV (197 × 4) and BCVA (1,000 × 10).

    python benchmarks/fev.py --data DIR [--runs 50] [--json FILE]

DIR holds fev_data.csv and bcva_data.csv, the example data of the R package mmrm. Without --data,
simulated trials of the same shape take their place.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from clock import measure, print_table, write_json
from simulated import FORMULA, trial

import trialmlm as tm

if TYPE_CHECKING:
    from collections.abc import Callable

FEV = "FEV1 ~ RACE + SEX + ARMCD * AVISIT + us(AVISIT | USUBJID)"
BCVA = "BCVA_CHG ~ BCVA_BL + RACE + ARMCD * AVISIT + us(AVISIT | USUBJID)"


def tasks(formula: str, data: pd.DataFrame) -> dict[str, Callable[[], object]]:
    """What a statistician asks of one model."""

    def ls_means() -> object:
        means = tm.mmrm(formula, data, df="kenward-roger").ls_means("ARMCD", by="AVISIT")
        return means.frame, means.contrasts("pairwise").frame

    return {
        "fit": lambda: tm.mmrm(formula, data),
        "fit, Satterthwaite table": lambda: tm.mmrm(formula, data).coefficients(),
        "fit, Kenward-Roger table": lambda: tm.mmrm(
            formula, data, df="kenward-roger"
        ).coefficients(),
        "fit, Kenward-Roger LS means and differences": ls_means,
        "fit, type III tests": lambda: tm.mmrm(formula, data).anova("III"),
    }


def data_sets(folder: Path | None) -> dict[str, tuple[str, pd.DataFrame]]:
    """Name -> formula and data."""
    if folder is None:
        return {
            "simulated 200 x 4": (FORMULA, trial(200, 4)),
            "simulated 1000 x 10": (FORMULA, trial(1000, 10)),
        }
    fev = pd.read_csv(folder / "fev_data.csv")
    fev["SEX"] = pd.Categorical(fev["SEX"], categories=["Male", "Female"])
    bcva = pd.read_csv(folder / "bcva_data.csv", dtype={"USUBJID": str})
    return {"FEV": (FEV, fev), "BCVA": (BCVA, bcva)}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, help="folder with fev_data.csv and bcva_data.csv")
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--json", type=Path, help="file for the same numbers")
    given = parser.parse_args()
    rows = []
    for name, (formula, data) in data_sets(given.data).items():
        for task, call in tasks(formula, data).items():
            rows.append({"data": name, "task": task, **measure(call, given.runs)})
        fit = tm.mmrm(formula, data)
        print(f"{name}: -2 REML log-likelihood {fit.minus2_loglik:.6f}; {fit.convergence}")
    print_table(rows)
    write_json(given.json, rows)


if __name__ == "__main__":
    main()
