"""PROC MIXED and PROC GLIMMIX over every structure, df method and sandwich."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from described import Unfitted, small_trial, unfitted
from program_text import balanced, comments, statement, statements

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.expressions.functions import STRUCTURES
from trialmlm.programs.analysis import Repeated
from trialmlm.programs.sas import sas_program
from trialmlm.programs.sas_options import COUNTED, DDFM, NO_TYPE, SANDWICHES, TYPES

if TYPE_CHECKING:
    from trialmlm.programs.analysis import Analysis

MODEL = "AVAL ~ BASE + SEX + ARM * AVISIT + {}(AVISIT | USUBJID)"
#: PROC MIXED's names, from its documentation of REPEATED / TYPE=
SAS_TYPES = {
    "us": "un", "cs": "cs", "csh": "csh", "ar1": "ar(1)", "ar1h": "arh(1)", "toep": "toep",
    "toeph": "toeph", "adh": "ante(1)", "diag": "un(1)", "id": "vc", "sp_exp": "sp(exp)(YEARS)",
    "sp_gau": "sp(gau)(YEARS)", "sp_pow": "sp(pow)(YEARS)",
}  # fmt: skip
#: and of MODEL / DDFM=; PROC MIXED has none without df
SAS_DDFM = {
    "satterthwaite": "ddfm=satterthwaite", "kenward-roger": "ddfm=kr",
    "kenward-roger-linear": "ddfm=kr(linear)", "between-within": "ddfm=bw",
    "containment": "ddfm=contain", "residual": "ddfm=residual",
    "asymptotic": "ddfm=residualchisq",
}  # fmt: skip


def analysis(structure: str = "us", **estimation: object) -> Analysis:
    """The small trial's, with any structure, df and sandwich, fitted or not."""
    found = unfitted(MODEL.format("us"), small_trial()).analysis
    spatial = structure.startswith("sp_")
    assert found.repeated is not None
    visits = found.repeated.levels
    repeated = Repeated(
        structure,
        ("YEARS",) if spatial else ("AVISIT",),
        "USUBJID",
        None,
        () if spatial else visits,
    )
    return replace(found, repeated=repeated, estimation=replace(found.estimation, **estimation))


def joined(words: list[str]) -> str:
    return "".join(words)


@pytest.mark.parametrize("structure", sorted(SAS_TYPES))
@pytest.mark.parametrize("df", sorted(SAS_DDFM))
@pytest.mark.parametrize("vcov", [None, *sorted(SANDWICHES)])
def test_the_options_are_those_of_the_procedure(structure: str, df: str, vcov: str | None) -> None:
    text = sas_program(analysis(structure, df=df, vcov=vcov), "adam.adfev")
    glimmix = vcov in {"CR2", "CR3"}
    proc = statement(text, "proc")
    assert proc[1] == ("glimmix" if glimmix else "mixed")
    expected = {"CR0": "empirical", "CR1": "empirical", "CR2": "empirical=root",
                "CR3": "empirical=firores", None: "internal"}[vcov]  # fmt: skip
    assert joined(proc).endswith(expected)
    assert f"method={'rspl' if glimmix else 'reml'}" in joined(proc)
    ddfm = SAS_DDFM[df]
    if vcov and df.startswith(("kenward", "satterthwaite")):
        ddfm = "ddfm=bw"
    elif glimmix and df == "asymptotic":
        ddfm = "ddfm=nonechisq"
    assert joined(statement(text, "model")).endswith(f"solutioncl{ddfm}")
    residual = joined(statement(text, "random" if glimmix else "repeated"))
    assert f"type={SAS_TYPES[structure].lower()}" in residual
    assert "subject=usubjid" in residual
    assert residual.endswith("residual" if glimmix else "rrcorr")
    assert all(map(balanced, statements(text)))


def test_every_structure_has_a_type_or_a_reason() -> None:
    assert TYPES.keys() | NO_TYPE.keys() | COUNTED.keys() == STRUCTURES.keys()
    assert TYPES.keys() - {"us_cs", "us_ar1"} == SAS_TYPES.keys()
    assert DDFM.keys() == SAS_DDFM.keys()


def test_homogeneous_ante_dependence_is_refused_with_the_reason() -> None:
    with pytest.raises(NotAvailableError, match=r"no structure ad: TYPE=ANTE\(1\) .* adh"):
        sas_program(analysis("ad"), "trial")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"df": "asymptotic"}, "PROC MIXED has no infinite df (DDFM=NONE is PROC GLIMMIX's)"),
        ({"vcov": "CR1"}, "multiply its standard errors by sqrt(n / (n - 1))"),
        ({"vcov": "CR2"}, "CR2 is EMPIRICAL=ROOT of PROC GLIMMIX"),
        ({"vcov": "CR3"}, "CR3 is EMPIRICAL=FIRORES of PROC GLIMMIX (Mancl and DeRouen)"),
        ({"vcov": "CR0"}, "no Satterthwaite or Kenward-Roger df for a sandwich"),
        ({"weights": "W"}, "Weights: V = W^-1/2 Sigma W^-1/2"),
        ({"information": "expected"}, "SCORING=50 gives the expected information"),
    ],
)
def test_what_has_no_equivalent_is_said(options: dict[str, str], said: str) -> None:
    assert said in comments(sas_program(analysis(**options), "trial"))


def test_ml_weights_groups_and_the_expected_information_are_written() -> None:
    found = analysis(reml=False, weights="W", information="expected")
    assert found.repeated is not None
    grouped = replace(found, repeated=replace(found.repeated, group="ARM"))
    text = sas_program(grouped, "trial")
    assert "method=ml" in joined(statement(text, "proc"))
    assert "scoring=50" in joined(statement(text, "proc"))
    assert statement(text, "weight") == ["weight", "w"]
    assert "type=ungroup=arm" in joined(statement(text, "repeated"))
    cmiss = joined(statement(text, "if"))
    assert cmiss == "ifcmiss(ofavalbasesexarmavisitusubjidw)=0"


def test_the_visits_keep_their_order_beside_a_reference_level() -> None:
    text = Unfitted.to_sas(unfitted(MODEL.format("ar1"), small_trial()))
    assert [s for s in statements(text) if s[0] == "when"] == [
        ["when", "(", "'Week 8'", ")", "avisit_order", "=", "1"],
        ["when", "(", "'Week 16'", ")", "avisit_order", "=", "2"],
        ["when", "(", "'Week 24'", ")", "avisit_order", "=", "3"],
    ]
    assert joined(statement(text, "class")) == (
        "classsex(ref='F')arm(ref='Control')avisit(ref='Week 8')avisit_orderusubjid"
    )
    assert statement(text, "repeated")[1] == "avisit_order"
    assert "another order is another model" in comments(text)


@pytest.mark.parametrize(
    ("term", "written"),
    [
        (
            "toep(AVISIT | USUBJID, bands=2)",
            "repeatedavisit_order/subject=usubjidtype=toep(2)rrcorr",
        ),
        (
            "toeph(AVISIT | USUBJID, bands=2)",
            "repeatedavisit_order/subject=usubjidtype=toeph(2)rrcorr",
        ),
        ("fa(AVISIT | USUBJID)", "repeatedavisit_order/subject=usubjidtype=fa(1)rrcorr"),
        ("fa(AVISIT | USUBJID, factors=2)", "repeatedavisit_order/subject=usubjidtype=fa(2)rrcorr"),
    ],
)
def test_what_a_structure_is_told_is_written_and_r_has_none(term: str, written: str) -> None:
    model = unfitted(f"AVAL ~ ARM + {term}", small_trial())
    assert joined(statement(model.to_sas(), "repeated")) == written
    with pytest.raises(NotAvailableError, match=r"R: neither mmrm nor nlme fits the covariance"):
        model.to_r()


def test_two_way_repeated_data_have_two_effects_in_order() -> None:
    data = small_trial()
    data["EYE"] = pd.Categorical(np.resize(["right", "left"], len(data)), ["right", "left"])
    model = unfitted("AVAL ~ ARM + us_ar1(EYE, AVISIT | USUBJID)", data)
    assert joined(statement(model.to_sas(), "repeated")) == (
        "repeatedeye_orderavisit_order/subject=usubjidtype=un@ar(1)rrcorr"
    )
    whens = [s for s in statements(model.to_sas()) if s[0] == "when"]
    assert [w[2] for w in whens] == ["'right'", "'left'", "'Week 8'", "'Week 16'", "'Week 24'"]


@pytest.mark.parametrize("name", ["", "a.b.c", "x y", "1a", "x;run", "_null_", "analysis", "é"])
def test_a_name_that_is_no_data_set_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="data:"):
        sas_program(analysis(), name)
