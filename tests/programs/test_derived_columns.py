"""Functions of a formula as columns of a DATA step and as R writes them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from described import small_trial, unfitted
from program_text import comments, statement, statements

from trialmlm.errors import NotAvailableError, UsageError
from trialmlm.formula.factor import NumericFactor

if TYPE_CHECKING:
    from typing import Any

FUNCTIONS = {name: getattr(np, name) for name in ("log", "exp", "sqrt")}


def carried_out(text: str, table: dict[str, Any]) -> dict[str, Any]:
    """The assignments of a DATA step, by Python."""
    known = dict(table)
    for line in re.findall(r"^  (\w+ = .*);$", text, re.MULTILINE):
        target, value = line.split(" = ", 1)
        python = re.sub(r"(?<![<>=]) = ", " == ", value).replace(" ne ", " != ")
        known[target] = 1.0 * eval(python, {"__builtins__": {}}, {**FUNCTIONS, **known})  # noqa: S307
    return known


@pytest.mark.parametrize(
    "term",
    [
        "log(BASE)",
        "I(BASE / 100 - 1)",
        "I(-BASE**2 + 3 * YEARS)",
        "I((BASE > 50) * (YEARS != 0.15))",
        "I(BASE == 50.25)",
        "I(1e-20 * BASE)",
        "center(BASE)",
        "scale(BASE)",
        "I(center(BASE)**2)",
        "sqrt(exp(YEARS))",
        "poly(BASE, 1)",
        "poly(BASE, 2)",
        "poly(log(BASE), 4)",
    ],
)
def test_a_function_has_the_same_columns_in_a_data_step(term: str) -> None:
    data = small_trial()
    model = unfitted(f"AVAL ~ {term} + ARM", data)
    factor = model.coding.factors[0]
    assert isinstance(factor, NumericFactor)
    text = model.to_sas()
    columns = carried_out(text, {n: model.variables[n].numbers() for n in factor.variables})
    named = statement(text, "model")[3 : 3 + factor.width]
    found = {name.lower(): value for name, value in columns.items()}
    ours = factor.columns(model.variables, full=True)
    # the same arithmetic in another order
    np.testing.assert_allclose(
        np.column_stack([found[n] for n in named]), ours, rtol=1e-9, atol=1e-12
    )


def test_interactions_are_written_by_effect_and_by_column() -> None:
    model = unfitted("AVAL ~ 0 + ARM:AVISIT + poly(BASE, 2):ARM + YEARS", small_trial())
    assert " ".join(statement(model.to_sas(), "model")[3:]) == (
        "years arm * avisit arm * poly_base_2_1 arm * poly_base_2_2 / "
        "solution cl noint ddfm = satterthwaite"
    )


def test_a_response_can_be_a_function() -> None:
    model = unfitted("log(AVAL) ~ ARM + us(AVISIT | USUBJID)", small_trial())
    assert "  log_AVAL = log(AVAL);" in model.to_sas()
    assert statement(model.to_sas(), "model")[1] == "log_aval"
    assert "  log(AVAL) ~ ARM + us(AVISIT | USUBJID)," in model.to_r()


def test_a_column_that_is_number_and_class_is_copied() -> None:
    model = unfitted("AVAL ~ C(SITE) + SITE + ARM", small_trial().assign(SITE=SITES))
    text = model.to_sas()
    assert "  SITE_class = SITE;" in text
    assert "".join(statement(text, "class")) == "classsite_class(ref=first)arm(ref='Control')"
    assert statement(text, "model")[3:6] == ["site_class", "site", "arm"]
    r = model.to_r()
    assert "analysis$SITE_class <- factor(analysis$SITE, levels = c(1, 2.5, 10))" in r
    assert "  AVAL ~ SITE_class + SITE + ARM," in r


SITES = np.resize([1.0, 2.5, 10.0], len(small_trial()))


def test_reference_levels_of_numbers_go_by_place_or_by_value() -> None:
    data = small_trial().assign(SITE=SITES)
    for reference, written in {1: "first", 10: "last", 2.5: "'2.5'"}.items():
        text = unfitted(f"AVAL ~ C(SITE, Treatment({reference}))", data).to_sas()
        assert "".join(statement(text, "class")) == f"classsite(ref={written})"
    text = unfitted("AVAL ~ C(SITE, Treatment(2.5))", data).to_r()
    assert "contrasts(analysis$SITE) <- contr.treatment(levels(analysis$SITE), base = 2)" in text


def test_means_hold_functions_where_their_numbers_are() -> None:
    model = unfitted("AVAL ~ log(BASE) + YEARS + ARM + us(AVISIT | USUBJID)", small_trial())
    means = statement(model.to_sas("trial", ["ARM"]), "lsmeans")
    names, values = "".join(means).split("at(")[1].split(")=(")
    assert names == "log_baseyears"
    years = model.variables["YEARS"].mean()
    assert values == f"{float(np.log(model.variables['BASE'].mean()))!r}{years!r})"
    held = statement(model.to_sas("trial", [{"of": "ARM", "at": {"BASE": 1.0}}]), "lsmeans")
    assert "".join(held).endswith(f"=(0{years!r})")


def test_plain_covariates_are_left_to_sas() -> None:
    model = unfitted("AVAL ~ BASE + ARM * AVISIT + us(AVISIT | USUBJID)", small_trial())
    asked = [{"of": "ARM", "by": "AVISIT", "weights": "observed-margins"}, "ARM"]
    found = [s for s in statements(model.to_sas("trial", asked)) if s[0] == "lsmeans"]
    assert found == [
        ["lsmeans", "arm", "*", "avisit", "/", "cl", "diff", "om"],
        ["lsmeans", "arm", "/", "cl", "diff"],
    ]


@pytest.mark.parametrize(
    ("formula", "said"),
    [
        ("AVAL ~ bs(BASE, 4) + ARM", r"SAS: bs\(BASE, 4\) has no equivalent in PROC MIXED"),
        ("AVAL ~ cr(BASE, df=4) + ARM", "SAS: cr"),
        ("AVAL ~ (1 + ARM | USUBJID)", r"SAS: a random factor beside other .* \(0 \+ factor"),
    ],
)
def test_what_sas_has_not_is_refused(formula: str, said: str) -> None:
    with pytest.raises(NotAvailableError, match=said):
        unfitted(formula, small_trial()).to_sas()


@pytest.mark.parametrize(
    ("asked", "error", "said"),
    [
        (("ARM", "SEX"), NotAvailableError, "effects of class variables that stand in MODEL"),
        ({"of": "ARM", "at": {"SEX": "F"}}, NotAvailableError, "holds no factor at a level"),
        ({"of": "ARM", "weights": "counterfactual"}, NotAvailableError, "no weights"),
        ("BASE", UsageError, "BASE is not a factor of the model"),
        ({"of": "ARM", "at": {"AGE": 1}}, UsageError, "at: AGE is not in the model"),
        ({"of": "ARM", "control": "PBO"}, UsageError, "'PBO' is not a level of ARM"),
        ({"off": "ARM"}, UsageError, "expected a factor's name, a pair"),
        ({"by": "ARM"}, UsageError, "no factor is named"),
    ],
)
def test_means_that_cannot_be_asked_for_are_refused(
    asked: Any, error: type[Exception], said: str
) -> None:
    model = unfitted("AVAL ~ BASE + SEX + ARM * AVISIT + us(AVISIT | USUBJID)", small_trial())
    with pytest.raises(error, match=said):
        model.to_sas("trial", [asked])


def test_several_columns_of_one_function_are_said_to_be_several_effects() -> None:
    text = unfitted("AVAL ~ poly(BASE, 2) + C(SEX, Sum)", small_trial()).to_sas()
    assert "several effects here" in comments(text)
    assert "compare LS means and tests, not coefficients" in comments(text)
    assert "PROC GLM gives the same numbers" in comments(text)
