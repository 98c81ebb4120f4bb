"""Imputed values against those of R's rbmi on the antidepressant trial."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

from trialmlm.missing.impute import impute

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.missing.imputed import Imputed

MODEL = "CHANGE ~ THERAPY * VISIT + BASVAL * VISIT + us(VISIT | PATIENT)"
STRATEGIES = {
    "MAR": "mar",
    "JR": "jump-to-reference",
    "CR": "copy-reference",
    "CIR": "copy-increments",
    "LMCF": "last-mean-carried-forward",
}
#: rbmi's fits were refined to |gradient| < 1e-6 only; README of the reference says 1e-6
TOLERANCE = 1e-6


def facts(reference: Path, name: str) -> Any:
    return json.loads((reference / "rbmi" / f"quickstart_{name}.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def trial(study_data: Path) -> pd.DataFrame:
    data = pd.read_csv(study_data / "antidepressant_data.csv")
    return data.assign(VISIT=data["VISIT"].astype("category"))


@pytest.fixture(scope="module")
def stopped(reference: Path) -> pd.DataFrame:
    listed = facts(reference, "condmean_jackknife")["ice"]
    rows = [(int(e["subject"]), int(e["first_visit_affected"])) for e in listed]
    return pd.DataFrame(rows, columns=["subject", "visit"])


def imputed(trial: pd.DataFrame, stopped: pd.DataFrame, strategy: str, **more: Any) -> Imputed:
    events = stopped.assign(strategy=strategy)
    more = {"reference": {"DRUG": "PLACEBO"}, **more}
    return impute(trial, model=MODEL, arm="THERAPY", events=events, **more)


def test_the_imputation_model_is_that_of_the_reference(
    trial: pd.DataFrame, stopped: pd.DataFrame, reference: Path
) -> None:
    known = facts(reference, "mmrm_fit")["at_reml_optimum"]
    fit = imputed(trial, stopped, "mar").fit
    np.testing.assert_allclose(fit.covariance, known["sigma"], rtol=TOLERANCE)
    wanted = {frozenset(name.split(":")): value for name, value in known["beta"].items()}
    found = fit.coefficients().set_index("term")["estimate"]
    for term, estimate in found.items():
        assert estimate == pytest.approx(wanted[frozenset(str(term).split(":"))], abs=TOLERANCE)


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_fills_what_rbmi_fills(
    trial: pd.DataFrame, stopped: pd.DataFrame, reference: Path, name: str
) -> None:
    known = facts(reference, "imputed_values")["completed"][name]
    completed = imputed(trial, stopped, STRATEGIES[name]).completed()
    found = completed.pivot_table(index="PATIENT", columns="VISIT", values="CHANGE", observed=False)
    for subject, values in known.items():
        np.testing.assert_allclose(found.loc[int(subject)], values, rtol=0, atol=TOLERANCE)
