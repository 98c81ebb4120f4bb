"""Whole programs, checked by hand when they were stored; a change of a word is seen."""

from __future__ import annotations

from pathlib import Path

import pytest
from described import Unfitted, small_trial, unfitted

GOLDEN = Path(__file__).parent / "golden"
REPEATED = "AVAL ~ BASE * AVISIT + SEX + ARM * AVISIT + {}(AVISIT | ARM / USUBJID)"
SLOPES = "AVAL ~ log(BASE) + ARM * YEARS + (1 + YEARS | USUBJID)"
BY_VISIT = {"of": "ARM", "by": "AVISIT", "control": "Control", "weights": "observed-margins"}


def models() -> dict[str, tuple[Unfitted, list[object]]]:
    """Name of the file -> model and the LS means asked for."""
    data = small_trial()
    last = data[data["AVISIT"] == "Week 24"].assign(AVISIT="Week 24")
    many = {"n_subjects": 40}
    return {
        "grouped_weighted_cr2": (
            unfitted(REPEATED.format("toeph"), data, df="between-within", vcov="CR2", weights="W",
                     reml=False, **many),
            [BY_VISIT],
        ),
        "ar1h_kenward_roger": (
            unfitted(REPEATED.format("ar1h"), data, df="kenward-roger", **many),
            [("ARM", "AVISIT"), "SEX"],
        ),
        "random_slopes": (
            unfitted(SLOPES, data, df="kenward-roger", **many),
            [{"of": "ARM", "at": {"YEARS": 0.46}}],
        ),
        "spatial": (
            unfitted("AVAL ~ ARM * YEARS + sp_exp(YEARS | USUBJID)", data, **many),
            ["ARM"],
        ),
        "ancova": (unfitted("AVAL ~ BASE + C(ARM, Treatment('Active'))", last, df="residual"),
                   ["ARM"]),
    }  # fmt: skip


@pytest.mark.parametrize("name", sorted(models()))
@pytest.mark.parametrize("language", ["sas", "R"])
def test_the_program_is_the_stored_one(name: str, language: str) -> None:
    model, asked = models()[name]
    written = {"sas": model.to_sas, "R": model.to_r}[language]("trial", asked)
    stored = (GOLDEN / f"{name}.{language}").read_text(encoding="utf-8")
    assert written.replace(f"trialmlm {model.analysis.version}", "trialmlm VERSION") == stored


def test_every_stored_program_is_compared() -> None:
    assert {path.stem for path in GOLDEN.iterdir()} == models().keys()
