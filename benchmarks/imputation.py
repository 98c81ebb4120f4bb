"""CPU time of imputation and its analyses, on the antidepressant trial (172 subjects × 4 visits).

    TRIALMLM_STUDY_DATA=DIR python benchmarks/imputation.py [--runs 10] [--json FILE]

DIR holds `antidepressant_data.csv`. Each task begins with the data frame and ends with the pooled
frame of every visit; nothing is kept from one run to the next.
"""

from __future__ import annotations

import os

os.environ["OPENBLAS_NUM_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"

import argparse
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
from clock import measure, print_table, write_json

import trialmlm as tm

MODEL = "CHANGE ~ THERAPY * VISIT + BASVAL * VISIT + us(VISIT | PATIENT)"
ANALYSIS = "CHANGE ~ BASVAL + THERAPY"
SLOPES = "CHANGE ~ BASVAL + THERAPY * WEEK + (1 + WEEK | PATIENT)"


def trial() -> pd.DataFrame:
    data = pd.read_csv(Path(os.environ["TRIALMLM_STUDY_DATA"]) / "antidepressant_data.csv")
    return data.assign(VISIT=data["VISIT"].astype("category"))


def events(data: pd.DataFrame) -> pd.DataFrame:
    """Everyone who left jumps to the reference at the next visit."""
    last = data.assign(VISIT=data["VISIT"].astype(int)).groupby("PATIENT")["VISIT"].max()
    left = last[last < 7]
    return pd.DataFrame({"PATIENT": left.index, "VISIT": left + 1, "strategy": "jump-to-reference"})


def tasks(data: pd.DataFrame) -> dict[str, Any]:
    left = events(data)

    def imputed(**more: Any) -> Any:
        asked = {"model": MODEL, "arm": "THERAPY", "reference": {"DRUG": "PLACEBO"}}
        return tm.impute(data, events=left, **asked, **more)

    drawn = {"method": "approximate-bayes", "seed": 1}
    means, many = imputed(), imputed(imputations=100, **drawn)
    tips = {
        "jackknife": means.tipping_point(ANALYSIS, arms=["DRUG"]),
        "Rubin, 100": many.tipping_point(ANALYSIS, arms=["DRUG"]),
    }
    far = count()

    def deltas() -> list[float]:
        """A hundred that were not asked for before: a point that was is not found again."""
        return [1e-4 * next(far) for _ in range(100)]

    weeks = data.assign(WEEK=data["VISIT"].astype(float))
    slopes = tm.impute(
        weeks, model=MODEL, arm="THERAPY", reference={"DRUG": "PLACEBO"}, events=left,
        imputations=100, **drawn,
    )  # fmt: skip
    level = tm.impute(weeks, model=MODEL, arm="THERAPY")
    return {
        "conditional mean + jackknife": lambda: imputed().analyse(ANALYSIS).frame,
        "conditional mean + 200 bootstraps": lambda: (
            imputed().analyse(ANALYSIS, variance="bootstrap", replicates=200, seed=1).frame
        ),
        "approximate Bayes, 100 imputations": lambda: (
            imputed(imputations=100, **drawn).analyse(ANALYSIS).frame
        ),
        "Bayes, 1,000 imputations": lambda: (
            imputed(method="bayes", imputations=1000, seed=1).analyse(ANALYSIS).frame
        ),
        "100 more cells, jackknife": lambda: tips["jackknife"].curve(deltas()),
        "100 more cells, Rubin of 100": lambda: tips["Rubin, 100"].curve(deltas()),
        "tipping point, jackknife, with its fits": lambda: (
            imputed().tipping_point(ANALYSIS, arms=["DRUG"]).frame
        ),
        "MMRM of each of 100 imputations": lambda: many.analyse(MODEL, at=7).frame,
        "random slopes of each of 100 imputations": lambda: (
            slopes.analyse(SLOPES, slope="WEEK").frame
        ),
        "random slopes, conditional mean + jackknife": lambda: (
            level.analyse(SLOPES, slope="WEEK").frame
        ),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--json", type=Path)
    asked = parser.parse_args()
    rows = [{"task": task, **measure(call, asked.runs)} for task, call in tasks(trial()).items()]
    print_table(rows)
    write_json(asked.json, rows)


if __name__ == "__main__":
    main()
