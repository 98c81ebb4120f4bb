"""The antidepressant trial and its reference numbers, as the tests of imputation use them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from trialmlm.missing.impute import impute

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.missing.imputed import Imputed

MODEL = "CHANGE ~ THERAPY * VISIT + BASVAL * VISIT + us(VISIT | PATIENT)"
ANALYSIS = "CHANGE ~ BASVAL + THERAPY"
CONTRAST = "DRUG - PLACEBO"
STRATEGIES = {
    "MAR": "mar",
    "JR": "jump-to-reference",
    "CR": "copy-reference",
    "CIR": "copy-increments",
    "LMCF": "last-mean-carried-forward",
}
#: our names -> those of the reference
NUMBERS = {
    "estimate": "est",
    "std_error": "se",
    "ci_low": "lower",
    "ci_high": "upper",
    "p_value": "p",
}


def facts(reference: Path, name: str, study: str = "rbmi") -> Any:
    """A file of reference numbers."""
    return json.loads((reference / study / f"{name}.json").read_text(encoding="utf-8"))


def trial_of(study_data: Path) -> pd.DataFrame:
    """The data; visits are a factor."""
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    return data.assign(VISIT=data["VISIT"].astype("category"))


def events_of(reference: Path, strategy: str) -> pd.DataFrame:
    """The first visit affected of each subject who left, under one strategy."""
    listed = facts(reference, "quickstart_condmean_jackknife")["ice"]
    rows = [(int(e["subject"]), int(e["first_visit_affected"]), strategy) for e in listed]
    return pd.DataFrame(rows, columns=["subject", "visit", "strategy"])


def imputed(study_data: Path, reference: Path, strategy: str, **more: Any) -> Imputed:
    """The trial imputed as the reference was."""
    asked = {"model": MODEL, "arm": "THERAPY", "reference": {"DRUG": "PLACEBO"}, **more}
    return impute(trial_of(study_data), events=events_of(reference, strategy), **asked)


def rows_of(frame: pd.DataFrame, variance: str | None = None) -> dict[tuple[str, str], pd.Series]:
    """The rows of a result by visit and the reference's name of the quantity."""
    if variance is not None:
        frame = frame[frame["variance"] == variance]
    named = {CONTRAST: "difference", "DRUG": "lsmean_DRUG", "PLACEBO": "lsmean_PLACEBO"}
    return {(str(row["visit"]), named[row["arms"]]): row for _, row in frame.iterrows()}
