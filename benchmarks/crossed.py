"""CPU time and memory of `tm.lmm` with several grouping factors, on simulated data.

    python benchmarks/crossed.py [--runs 10] [--json FILE] [--csv FOLDER] [NAME ...]

`--csv` writes the data of every design, for `peers_crossed.R`.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
import resource
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from clock import measure, print_table, write_json

import trialmlm as tm


@dataclass(frozen=True)
class Design:
    """A model, and how its data come about.

    Attributes
    ----------
    formula : str
    rows : int
    factors : mapping of str to (levels, SD)
        Every row draws a level of each at random.
    nested : bool
        Whether a level of each factor stands within one of the factor before.
    """

    formula: str
    rows: int
    factors: dict[str, tuple[int, float]]
    nested: bool = False

    def data(self, seed: int = 20260) -> pd.DataFrame:
        rng = np.random.default_rng(seed)
        x = rng.normal(size=self.rows)
        columns: dict[str, np.ndarray] = {"x": x}
        y = 0.5 * x + rng.normal(size=self.rows)
        finest = rng.integers(0, max(n for n, _ in self.factors.values()), self.rows)
        for name, (levels, sd) in self.factors.items():
            code = finest % levels if self.nested else rng.integers(0, levels, self.rows)
            columns[name] = code
            y = y + sd * rng.normal(size=levels)[code]
        return pd.DataFrame({**columns, "y": y})


#: shapes: a crossed trial, InstEval's (students, teachers, departments), ScotsSec's (primary by
#: secondary schools), subjects in sites in countries, and one with slopes
DESIGNS = {
    "crossed 1,000 x 100": Design(
        "y ~ x + (1 | subject) + (1 | item)", 50_000, {"subject": (1000, 1.0), "item": (100, 0.5)}
    ),
    "three crossed factors": Design(
        "y ~ x + (1 | s) + (1 | d) + (1 | dept)",
        73_421,
        {"s": (2972, 0.32), "d": (1128, 0.52), "dept": (14, 0.08)},
    ),
    "crossed, unbalanced": Design(
        "y ~ x + (1 | primary) + (1 | second)", 3_435, {"primary": (148, 0.5), "second": (19, 0.3)}
    ),
    "nested, four levels": Design(
        "y ~ x + (1 | country/site/subject)",
        50_000,
        {"country": (20, 0.3), "site": (500, 0.4), "subject": (10_000, 1.0)},
        nested=True,
    ),
    "slopes by two factors": Design(
        "y ~ x + (1 + x | subject) + (1 + x | item)",
        50_000,
        {"subject": (1000, 1.0), "item": (100, 0.5)},
    ),
}


def rows_of(name: str, runs: int, folder: Path | None) -> list[dict[str, object]]:
    design = DESIGNS[name]
    data = design.data()
    if folder is not None:
        data.to_csv(folder / f"{name.replace(' ', '_').replace(',', '')}.csv", index=False)
    fit = tm.lmm(design.formula, data)
    print(f"{name}: -2 REML log-likelihood {fit.minus2_loglik:.6f}; {fit.convergence}")
    tasks = {
        "fit": lambda: tm.lmm(design.formula, data),
        "fit, Satterthwaite table": lambda: tm.lmm(design.formula, data).coefficients(),
        "fit, Kenward-Roger table": lambda: tm.lmm(
            design.formula, data, df="kenward-roger"
        ).coefficients(),
    }
    return [
        {
            "design": name,
            "rows": len(data),
            "task": task,
            **measure(call, runs),
            "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0,
        }
        for task, call in tasks.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=list(DESIGNS), metavar="NAME")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--csv", type=Path)
    options = parser.parse_args()
    rows = [row for name in options.names for row in rows_of(name, options.runs, options.csv)]
    print_table(rows)
    write_json(options.json, rows)


if __name__ == "__main__":
    main()
