"""Methods beside each other, on the antidepressant trial against R."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from antidepressant import ANALYSIS, MODEL, NUMBERS, facts, imputed, trial_of
from dropout_trial import MODEL as SMALL_MODEL
from dropout_trial import dropout_trial

from trialmlm.errors import UsageError
from trialmlm.missing.carry_forward import carry_forward
from trialmlm.missing.compare_methods import ComparedMethod, compare_methods
from trialmlm.missing.completers import completers
from trialmlm.missing.impute import impute
from trialmlm.models.ancova import ancova
from trialmlm.models.mmrm import mmrm

if TYPE_CHECKING:
    from pathlib import Path

    import pandas as pd

KEYS = {"subject": "PATIENT", "visit": "VISIT", "value": "CHANGE"}
#: one least-squares problem by two programs, numbers of the size of 1 to 10
EXACT = 1e-9


def _worst(data: pd.DataFrame, *, with_baseline: bool) -> pd.DataFrame:
    """Gaps of the grid filled with the subject's worst change at any visit."""
    grid = carry_forward(data, **KEYS, method="locf", visits=[4, 5, 6, 7])
    worst = data.groupby("PATIENT")["CHANGE"].max()
    worst = worst.clip(lower=0.0) if with_baseline else worst
    filled = grid["DTYPE"] != ""
    return grid.assign(CHANGE=grid["CHANGE"].where(~filled, grid["PATIENT"].map(worst)))


FILLED = {
    "locf": lambda d: carry_forward(d, **KEYS, method="locf", visits=[4, 5, 6, 7]),
    "bocf": lambda d: carry_forward(d, **KEYS, method="bocf", baseline=0.0, visits=[4, 5, 6, 7]),
    "wocf": lambda d: _worst(d, with_baseline=False),
    "wocf_incl_baseline": lambda d: _worst(d, with_baseline=True),
    "complete_case": lambda d: completers(d, **KEYS, at="all"),
    "available_case": lambda d: d,
}


@pytest.mark.parametrize("name", FILLED)
def test_single_imputation_and_completers_are_those_of_r(
    study_data: Path, reference: Path, name: str
) -> None:
    known = facts(reference, "plain_ancova")["results"][name]
    data = trial_of(study_data).assign(VISIT=lambda d: d["VISIT"].astype(int))
    rows = FILLED[name](data)
    for visit, numbers in known.items():
        fit = ancova(ANALYSIS, rows[rows["VISIT"] == int(visit)])
        means = fit.ls_means("THERAPY")
        row = means.contrasts([("DRUG", "PLACEBO")]).frame.iloc[0]
        wanted = _difference(numbers)
        assert fit.n_obs == numbers["n"]
        for ours, theirs in NUMBERS.items():
            assert row[ours] == pytest.approx(wanted[theirs], abs=EXACT)


@pytest.mark.parametrize("name", ["complete_case", "all_observed"])
def test_mixed_models_of_completers_and_of_everyone_are_those_of_r(
    study_data: Path, reference: Path, name: str
) -> None:
    known = facts(reference, "plain_mmrm")["results"][name]["by_visit"]
    data = trial_of(study_data)
    rows = completers(data, **KEYS, at="all") if name == "complete_case" else data
    means = mmrm(MODEL, rows).ls_means("THERAPY", by="VISIT")
    found = means.contrasts([("DRUG", "PLACEBO")]).frame.set_index("VISIT")
    for visit, quantities in known.items():
        wanted = quantities["difference"]
        row = found.loc[int(visit)]
        # the reference's own accuracy, its file: 1e-7 in both, four digits in the df
        assert row["estimate"] == pytest.approx(wanted["est"], abs=1e-6)
        assert row["std_error"] == pytest.approx(wanted["se"], abs=1e-6)
        assert row["df"] == pytest.approx(wanted["satterthwaite_df"], rel=1e-3)


def _difference(numbers: dict[str, Any]) -> dict[str, float]:
    return next(v for k, v in numbers.items() if "difference" in k)


def test_the_table_of_methods_holds_the_numbers_of_each(study_data: Path, reference: Path) -> None:
    data = trial_of(study_data)
    whole = data.assign(VISIT=data["VISIT"].astype(int))
    locf = FILLED["locf"](whole)
    both = {"decide": "rubin", "show": ["jackknife"]}
    jump = imputed(
        study_data, reference, "jump-to-reference",
        method="approximate-bayes", imputations=50, seed=1,
    )  # fmt: skip
    table = compare_methods(
        {
            "MMRM": ComparedMethod(mmrm(MODEL, data), "missing at random", "main"),
            "Jump to reference": ComparedMethod(
                jump.analyse(ANALYSIS, variance=both), "as placebo once withdrawn", "sensitivity"
            ),
            "LOCF": ComparedMethod(
                ancova(ANALYSIS, locf[locf["VISIT"] == 7]), "stays as last seen", "comparator"
            ),
        },
        arm="THERAPY",
        contrast=("DRUG", "PLACEBO"),
        at=7,
    )
    assert table["method"].tolist() == ["MMRM", "Jump to reference", "Jump to reference", "LOCF"]
    assert table["variance"].tolist() == ["model-based", "rubin", "jackknife", "model-based"]
    assert table["decides"].tolist() == [True, True, False, True]
    assert table["n"].tolist() == [172] * 4
    assert table["n_imputed"].tolist() == [0, 43, 43, 0]
    # R's mmrm, and lm after LOCF: rbmi.md, six decimals
    assert table["estimate"][0] == pytest.approx(-2.801834, abs=1e-6)
    assert table["std_error"][0] == pytest.approx(1.114031, abs=1e-6)
    assert table["estimate"][3] == pytest.approx(-2.513887, abs=1e-6)


def small() -> Any:
    return impute(dropout_trial(), model=SMALL_MODEL, arm="ARM").analyse("CHG ~ BASE + ARM")


@pytest.mark.parametrize(
    ("method", "message"),
    [
        ((small(), "", "primary"), "role: found 'primary', expected one of main, sensitivity"),
        ((3.0, "", "main"), "found float, expected an analysis of imputed data"),
        ((small(), "", "main"), "has no contrast DRUG - PLACEBO at Week 8; it has LS mean DRUG"),
    ],
)
def test_what_cannot_be_compared_is_refused(method: tuple[Any, str, str], message: str) -> None:
    asked = {"arm": "ARM", "contrast": ("DRUG", "PLACEBO"), "at": "Week 8"}
    with pytest.raises(UsageError, match=message):
        compare_methods({"one": ComparedMethod(*method)}, **asked)


def test_a_table_of_no_methods_is_refused() -> None:
    with pytest.raises(UsageError, match="name the methods"):
        compare_methods({}, arm="ARM", contrast=("DRUG", "PLACEBO"), at="Week 8")
