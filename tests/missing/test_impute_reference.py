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

    from trialmlm.missing.completions import Completions
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


def differences(imp: Imputed, completions: Completions) -> np.ndarray:
    """DRUG - PLACEBO at visit 7 by ANCOVA of each filling, subjects counted as they count."""
    first = imp.layout.frame.iloc[:: len(imp.layout.visits)]
    drug = (first["THERAPY"] == "DRUG").to_numpy(dtype=float)
    X = np.column_stack([np.ones(drug.size), first["BASVAL"].to_numpy(dtype=float), drug])
    y = completions.tables(imp.layout.Y)[:, :, -1]
    counts = np.ones(y.shape) if completions.counts is None else completions.counts
    gram = np.einsum("dn,na,nb->dab", counts, X, X)
    right = np.einsum("dn,na,dn->da", counts, X, y)
    return np.linalg.solve(gram, right[..., None])[:, 2, 0]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_estimate_without_one_subject_is_that_of_the_reference(
    trial: pd.DataFrame, stopped: pd.DataFrame, reference: Path, name: str
) -> None:
    known = facts(reference, "condmean_jackknife")
    base = imputed(trial, stopped, STRATEGIES[name])
    point = known["results"][name]["at_reml_optimum"]["7"]["difference"]
    whole = differences(base, base.completions)
    np.testing.assert_allclose(whole, point["est"], rtol=0, atol=TOLERANCE)
    found = differences(base, base.resampled("jackknife"))
    wanted = known["leave_one_out_difference_visit_7"][name]
    labels = [str(subject) for subject in base.layout.subjects]
    np.testing.assert_allclose(found, [wanted[s] for s in labels], rtol=0, atol=TOLERANCE)
    n = found.size
    error = np.sqrt((n - 1) / n * ((found - found.mean()) ** 2).sum())
    assert error == pytest.approx(point["se"], abs=TOLERANCE)


def test_approximate_bayes_estimates_what_rbmi_estimates(
    trial: pd.DataFrame, stopped: pd.DataFrame, reference: Path
) -> None:
    known = facts(reference, "approxbayes")["results"]
    drawn = imputed(trial, stopped, "mar", method="approximate-bayes", imputations=1000, seed=20)
    for name in known:
        imp = drawn.with_strategies(stopped.assign(strategy=STRATEGIES[name]))
        found = differences(imp, imp.completions)
        wanted = known[name]["7"]["difference"]
        theirs = wanted["monte_carlo_error"]["est"]
        # the README of the reference: 4 combined Monte Carlo errors
        ours = found.std(ddof=1) / np.sqrt(found.size)
        assert abs(found.mean() - wanted["est"]) < 4.0 * np.hypot(ours, theirs)
        # the variance of a thousand normal values has a relative error of sqrt(2/999), both ways
        assert found.var(ddof=1) == pytest.approx(wanted["between"], rel=4.0 * np.sqrt(4.0 / 999))
