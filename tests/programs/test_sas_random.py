"""RANDOM statements, residuals beside them, and what a fit tells of itself."""

from __future__ import annotations

import pytest
from described import small_trial, unfitted
from program_text import comments, statement, statements

import trialmlm as tm
from trialmlm.errors import NotAvailableError


def random_statements(formula: str) -> list[str]:
    """The RANDOM statements of a model."""
    data = small_trial()
    data["SITE"] = data["USUBJID"].str[-1]
    found = statements(unfitted(formula, data).to_sas())
    return [" ".join(words) for words in found if words[0] == "random"]


@pytest.mark.parametrize(
    ("term", "written"),
    [
        ("(1 + YEARS | USUBJID)", ["random int years / subject = usubjid type = un g"]),
        ("(YEARS | USUBJID)", ["random int years / subject = usubjid type = un g"]),
        ("(0 + YEARS | USUBJID)", ["random years / subject = usubjid type = un g"]),
        ("(YEARS || USUBJID)", ["random int years / subject = usubjid type = vc g"]),
        ("(0 + AVISIT | USUBJID)", ["random avisit / subject = usubjid type = un g"]),
        (
            "(1 | SITE / USUBJID)",
            [
                "random int / subject = site type = un g",
                "random int / subject = usubjid ( site ) type = un g",
            ],
        ),
        (
            "(1 | SITE) + (log(YEARS) | USUBJID)",
            [
                "random int / subject = site type = un g",
                "random int log_years / subject = usubjid type = un g",
            ],
        ),
    ],
)
def test_random_effects_are_written_by_grouping(term: str, written: list[str]) -> None:
    assert random_statements(f"AVAL ~ ARM * YEARS + {term}") == written


@pytest.mark.parametrize("program", ["to_sas", "to_r"])
def test_a_factor_with_a_variance_per_column_is_refused(program: str) -> None:
    model = unfitted("AVAL ~ ARM + (0 + AVISIT || USUBJID)", small_trial())
    with pytest.raises(NotAvailableError, match=r"a random factor before \|\|"):
        getattr(model, program)()


def test_of_several_grouping_factors_none_is_said_to_hold_the_subjects() -> None:
    data = small_trial(subjects=60)
    data["SITE"] = data["USUBJID"].str[-1]
    fit = tm.lmm("AVAL ~ ARM * YEARS + (1 | SITE / USUBJID)", data)
    said = comments(fit.to_sas())
    assert f"trialmlm used {fit.n_obs} rows" in said
    assert f"{fit.n_obs} rows of" not in said


def test_a_variance_per_visit_beside_random_effects_is_a_group() -> None:
    fit = tm.lmm("AVAL ~ ARM * YEARS + (1 + YEARS | USUBJID) + diag(AVISIT | USUBJID)",
                 small_trial(subjects=80))  # fmt: skip
    text = fit.to_sas()
    assert " ".join(statement(text, "repeated")) == (
        "repeated / subject = usubjid group = avisit_order"
    )
    assert "".join(statement(text, "class")) == "classarm(ref='Control')avisit_orderusubjid"


@pytest.mark.parametrize("information", ["observed", "expected"])
def test_a_fit_tells_which_information_stands_behind_its_df(information: str) -> None:
    data = small_trial(subjects=60)
    repeated = tm.mmrm("AVAL ~ ARM * AVISIT + us(AVISIT | USUBJID)", data, information=information)
    slopes = tm.lmm("AVAL ~ ARM * YEARS + (YEARS | USUBJID)", data, df="kenward-roger",
                    information=information)  # fmt: skip
    expected = information == "expected"
    assert ("scoring" in statement(repeated.to_sas(), "proc")) == expected
    assert ("scoring" in statement(slopes.to_sas(), "proc")) == expected
    assert ("pbkrtest takes the expected" in comments(slopes.to_r(), "R")) != expected


def test_a_fit_tells_its_rows_subjects_and_likelihood() -> None:
    data = small_trial()
    data.loc[[4, 9], "BASE"] = None
    fit = tm.mmrm("AVAL ~ BASE + ARM + cs(AVISIT | USUBJID)", data, reml=False)
    said = comments(fit.to_sas("adam.adfev"))
    columns = "data set adam.adfev with the columns AVAL, BASE, ARM, AVISIT, USUBJID;"
    assert f"{columns} trialmlm used {fit.n_obs} rows of {fit.n_subjects} subjects" in said
    assert "Estimation: ML; df: satterthwaite" in said
    assert f"Written by trialmlm {tm.__version__} as the SAS program" in said
    assert "for double programming; it has not been run" in said
