"""The shipped cases: all pass, none can pass by accident, and together they cover what is built."""

from __future__ import annotations

import json
import math
import sys
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trialmlm.covariance.register import CROSSED, FAMILIES, SPATIAL
from trialmlm.inference.adjustments import ADJUSTMENTS
from trialmlm.inference.register import REPEATED_DF_METHODS
from trialmlm.inference.register import SANDWICHES as REGISTERED
from trialmlm.qualification.case import SCALES, read_cases, read_requirements
from trialmlm.qualification.deviation import read_deviations
from trialmlm.qualification.material import LISTED, Material, MaterialError, shipped_material
from trialmlm.qualification.outcome import carry_out
from trialmlm.qualification.quantities import QUANTITIES, TITLES

if TYPE_CHECKING:
    from trialmlm.qualification.case import Case
    from trialmlm.qualification.outcome import Outcome

IDS = [case.id for case in read_cases(shipped_material())]
SOURCE = Path(__file__).parents[2]
#: mmrm's names -> ours; CR1 is CR0 times a factor
MMRM_NAMES: Any = {
    "default": {True: None},
    "Asymptotic": {True: None},
    "Kenward-Roger-Linear": {True: None},
    "Empirical": {True: "CR0", False: "CR1"},
    "Empirical-Bias-Reduced": {True: "CR2"},
    "Empirical-Jackknife": {True: "CR3"},
}


@pytest.mark.parametrize("name", IDS)
def test_a_shipped_case_passes(name: str, outcomes: dict[str, Outcome]) -> None:
    outcome = outcomes[name]
    assert outcome.problem == ""
    assert [(f.quantity, f.label, f.expected, f.obtained) for f in outcome.failures] == []
    assert outcome.passed


# --- nothing passes by accident -------------------------------------------------------------------


def test_every_tolerance_has_a_limit_and_a_reason(cases: tuple[Case, ...]) -> None:
    for case in cases:
        for quantity in case.compare:
            stated = case.tolerances[quantity]
            assert 0.0 <= stated.limit <= 1e-4, (case.id, quantity)
            assert stated.scale in SCALES
            assert len(stated.reason) > 10


@pytest.mark.parametrize("column", ["std_error", "df", "estimate"])
def test_a_wrong_column_fails_every_case_that_compares_it(
    column: str,
    cases: tuple[Case, ...],
    material: Material,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = QUANTITIES[column]

    def altered(made: Any, case: Case) -> dict[str, float]:
        return {label: value * 1.001 for label, value in own(made, case).items()}

    monkeypatch.setitem(QUANTITIES, column, altered)  # type: ignore[misc]
    chosen = [case for case in cases if column in case.compare][::4]
    assert len(chosen) > 10
    assert [case.id for case in chosen if carry_out(case, material).passed] == []


def test_a_label_that_one_side_lacks_is_a_failure(
    cases: tuple[Case, ...], material: Material
) -> None:
    case = next(case for case in cases if case.id == "OQ-COV-US-REML")
    fewer = {**case.call, "formula": "CHG ~ ARM * AVISIT + us(AVISIT | USUBJID)"}
    outcome = carry_out(replace(case, call=fewer, compare=("std_error",)), material)
    assert not outcome.passed
    assert math.isnan(next(f for f in outcome.failures if f.label == "BASE").obtained)


def test_a_case_without_numbers_does_not_pass(cases: tuple[Case, ...], material: Material) -> None:
    case = next(case for case in cases if case.id == "OQ-COV-US-REML")
    assert not carry_out(replace(case, compare=()), material).passed


def test_a_refusal_that_does_not_come_or_is_another_one_fails(
    cases: tuple[Case, ...], material: Material
) -> None:
    case = next(case for case in cases if case.id == "OQ-REF-KR-ML")
    allowed = {**case.call, "reml": True}
    assert "no error" in carry_out(replace(case, call=allowed), material).problem
    other = {"error": "FitError", "says": "Kenward-Roger"}
    assert "another error" in carry_out(replace(case, expected=other), material).problem


# --- they cover what is built ---------------------------------------------------------------------


def _formulas(cases: tuple[Case, ...], *, reml: bool) -> str:
    return " ".join(
        case.call["formula"]
        for case in cases
        if case.procedure == "mmrm"
        and "error" not in case.expected
        and case.call.get("reml", True) == reml
    )


@pytest.mark.parametrize("reml", [True, False])
@pytest.mark.parametrize("structure", [*FAMILIES, *SPATIAL, *CROSSED])
def test_every_structure_has_a_case(structure: str, reml: bool, cases: tuple[Case, ...]) -> None:
    assert f"+ {structure}(" in _formulas(cases, reml=reml)


@pytest.mark.parametrize("method", REPEATED_DF_METHODS)
def test_every_df_method_has_a_case(method: str, cases: tuple[Case, ...]) -> None:
    found = [case for case in cases if case.call.get("df", "satterthwaite") == method]
    assert any("df" in case.compare or "p_value" in case.compare for case in found)


@pytest.mark.parametrize("sandwich", REGISTERED)
def test_every_sandwich_has_a_case_by_another_program_and_a_closed_form(
    sandwich: str, cases: tuple[Case, ...]
) -> None:
    expected = [case.expected for case in cases if case.call.get("vcov") == sandwich]
    assert any("reference" in one for one in expected)
    assert any("closed_form" in one for one in expected)


@pytest.mark.parametrize("adjustment", sorted(set(ADJUSTMENTS) - {"none"}))
def test_every_adjustment_has_a_case(adjustment: str, cases: tuple[Case, ...]) -> None:
    assert any(case.means.get("contrasts", {}).get("adjust") == adjustment for case in cases)


def test_groups_and_weights_have_cases_under_reml_and_ml(cases: tuple[Case, ...]) -> None:
    for reml in (True, False):
        assert "| ARM / USUBJID)" in _formulas(cases, reml=reml)
        assert any(
            case.call.get("weights") and case.call.get("reml", True) == reml for case in cases
        )


def test_requirements_and_cases_know_each_other(
    cases: tuple[Case, ...], material: Material
) -> None:
    stated = {one.id for one in read_requirements(material)}
    shown = {one for case in cases for one in case.requirements}
    assert shown <= stated
    # the last three are of the installation
    assert stated - shown == {"R-17", "R-18", "R-19"}


# --- the material is consistent -------------------------------------------------------------------


def test_the_list_of_files_is_up_to_date(material: Material) -> None:
    """Stale? `make sums`."""
    assert material.listed() == material.present()
    assert {name.split("/")[0] for name in material.listed()} == set(LISTED)


def test_simulated_data_are_what_their_seed_gives(material: Material) -> None:
    sys.path.insert(0, str(SOURCE))
    make = pytest.importorskip("validation.data.make")
    for name, made in make.FILES.items():
        written = make.as_csv(made())
        assert sha256(written).hexdigest() == material.digest("data", name), name


def test_a_reference_was_made_for_the_model_of_its_case(
    cases: tuple[Case, ...], material: Material
) -> None:
    for case in cases:
        if "reference" not in case.expected:
            continue
        record = material.record("reference", case.expected["reference"])
        call = record["fits"][case.expected["fit"]]["call"]
        assert call["reml"] == case.call.get("reml", True), case.id
        # gls.json names the structure beside the fixed effects
        formula = f"{call['formula']} + {call['structure']}(" if "structure" in call else ""
        assert case.call["formula"] == call["formula"] or (
            formula and case.call["formula"].startswith(formula)
        ), case.id
        assert call.get("weighted", False) == ("weights" in case.call), case.id
        if "df" in call:
            assert call["df"] == case.call.get("df", "satterthwaite"), case.id
        if "vcov" in call:
            sandwich = MMRM_NAMES[call["vcov"]].get(call["times"] == 1)
            assert sandwich == case.call.get("vcov"), case.id
        assert material.content("reference", record["program"]), case.id


def test_every_fit_of_the_references_is_used(cases: tuple[Case, ...], material: Material) -> None:
    used = {(c.expected.get("reference"), c.expected.get("fit")) for c in cases}
    for file in ("mmrm.json", "dense.json", "lmm.json", "means.json"):
        fits = material.record("reference", file)["fits"]
        assert {fit for fit in fits if (file, fit) not in used} == set()


def test_every_quantity_has_a_title() -> None:
    assert QUANTITIES.keys() == TITLES.keys()


def test_deviations_are_complete(material: Material) -> None:
    found = read_deviations(material)
    assert len({one.id for one in found}) == len(found) >= 10
    for one in found:
        assert all((one.program, one.what, one.cause, one.size, one.source))


# --- a faulty case file is named ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"title": None}, "title"),
        ({"tolerances": "no such set"}, "no tolerance is stated"),
        ({"wrong": 1}, "wrong"),
    ],
)
def test_a_case_that_is_none_is_refused(copied: Path, change: dict[str, Any], message: str) -> None:
    path = copied / "cases" / "1_structures.cases.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    for key, value in change.items():
        if value is None:
            del record["cases"][0][key]
        else:
            record["cases"][0][key] = value
    path.write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(MaterialError, match=message):
        read_cases(Material(copied))


def test_two_cases_of_one_name_are_refused(copied: Path) -> None:
    path = copied / "cases" / "5_random_effects.cases.json"
    (copied / "cases" / "7_again.cases.json").write_bytes(path.read_bytes())
    with pytest.raises(MaterialError, match="several times"):
        read_cases(Material(copied))


def test_a_folder_without_cases_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MaterialError):
        read_cases(Material(tmp_path))
