"""What the estimands are, where it can be known without simulating: invariants and closed forms."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from trialmlm.protocol import Protocol, load_protocol
from trialmlm.simulate.designs import DESIGNS
from trialmlm.simulate.ipf_fvc.design import IPF_FVC
from trialmlm.simulate.ipf_fvc.parameters import Exacerbation
from trialmlm.simulate.mdd_madrs.design import MDD_MADRS
from trialmlm.simulate.truth import Truth, scored, sums, truths

MADE = Path(__file__).parents[2] / "validation" / "missing_data"
SHIPPED = Path(__file__).parents[2] / "protocols"


def _protocol(design: str, folder: Path) -> Protocol:
    """The protocol of the truth table: treatment policy, hypothetical, while on treatment."""
    shipped = (SHIPPED / design / "protocol.yaml").read_text(encoding="utf-8")
    before, after = shipped.split("\nestimands:\n")[0], shipped[shipped.index("\nhouse:") :]
    file = folder / "protocol.yaml"
    file.write_text(before + "\n\n" + (MADE / f"{design}.yaml").read_text() + after)
    return load_protocol(file)


@pytest.fixture(scope="module")
def mdd(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """E1: treatment policy; E2: had everybody stayed on drug; E3: while on drug."""
    return _protocol("mdd_madrs", tmp_path_factory.mktemp("mdd"))


@pytest.fixture(scope="module")
def ipf(tmp_path_factory: pytest.TempPathFactory) -> Protocol:
    """E1: slope; E2: Week 52; E3: on drug; E4: while on drug and alive."""
    return _protocol("ipf_fvc", tmp_path_factory.mktemp("ipf"))


def _mdd(protocol: Protocol, scenario: str) -> dict[str, Truth]:
    return truths([sums(protocol, MDD_MADRS, scenario, 0, 1)])


def test_the_truth_of_the_plan_over_400_000_subjects(mdd: Protocol) -> None:
    found = truths(sums(mdd, MDD_MADRS, "default", chunk, 1) for chunk in range(20))["E1"]
    assert found.subjects == 400_000
    # the plan prints -2.55 from 400,000 subjects; half its last digit, and its own error: had it
    # not met each subject in both arms, 8·√(2/200,000) = 0.025
    assert found.difference == pytest.approx(-2.55, abs=0.005 + 4 * 0.025)
    assert found.error < 0.005


def test_what_goes_on_as_on_drug_is_one_for_policy_and_hypothesis(mdd: Protocol) -> None:
    found = _mdd(mdd, "early_active")
    assert found["E1"] == found["E2"]
    assert found["E3"].difference != found["E1"].difference


def test_what_stays_as_it_was_is_one_for_policy_and_while_on_treatment(mdd: Protocol) -> None:
    found = _mdd(mdd, "frozen_early_active")
    assert found["E1"] == found["E3"]
    assert found["E2"].difference < found["E1"].difference - 0.5


def test_who_stops_early_on_active_weakens_the_effect_and_on_placebo_strengthens_it(
    mdd: Protocol,
) -> None:
    early = {
        name: _mdd(mdd, f"frozen_early_{name}")["E1"].difference for name in ("active", "placebo")
    }
    hypothetical = _mdd(mdd, "frozen_early_active")["E2"].difference
    assert early["placebo"] < hypothetical < early["active"] < 0


@pytest.mark.parametrize("design", DESIGNS)
def test_without_an_effect_every_estimand_that_sets_nothing_aside_is_zero(
    design: str, mdd: Protocol, ipf: Protocol
) -> None:
    protocol = {"mdd_madrs": mdd, "ipf_fvc": ipf}[design]
    found = truths([sums(protocol, DESIGNS[design], "null", 0, 1)])
    hypothetical = {"mdd_madrs": "E2", "ipf_fvc": "E3"}[design]
    # the same subjects by the same chance: not only on average
    assert (found[hypothetical].difference, found[hypothetical].error) == (0.0, 0.0)
    assert found["E1"].difference == pytest.approx(0, abs=1e-9)


def test_slopes_without_exacerbations_differ_by_what_the_plan_says(ipf: Protocol) -> None:
    calm = replace(IPF_FVC.scenarios["mcar"], exacerbation=Exacerbation(rate=(0, 0)))
    design = replace(IPF_FVC, scenarios={"calm": calm})
    found = truths([sums(ipf, design, "calm", 0, 1)])
    # -95 + 225 mL/year; errors of measurement are the same in both arms, but for rounding to 1 mL
    # and the lowest value that a spirometer writes
    assert found["E1"].difference == pytest.approx(130, abs=0.05)
    assert found["E2"].difference == pytest.approx(130 * 364 / 365.25, abs=0.2)


def test_the_errors_of_chunks_shrink_as_the_root_of_their_number(mdd: Protocol) -> None:
    one = truths([sums(mdd, MDD_MADRS, "off_drug", 0, 1)])["E1"]
    four = truths([sums(mdd, MDD_MADRS, "off_drug", chunk, 1) for chunk in range(4)])["E1"]
    assert four.error == pytest.approx(one.error / 2, rel=0.05)
    assert abs(four.difference - one.difference) < 4 * one.error


def test_estimands_the_simulator_does_not_know_are_not_scored(ipf: Protocol) -> None:
    assert scored(ipf, IPF_FVC) == ("E1", "E2", "E3", "E4")
    percent = ipf.model_copy(
        update={
            "estimands": ipf.estimands
            | {
                "P": ipf.estimands["E2"].model_copy(
                    update={
                        "variable": ipf.estimands["E2"].variable.model_copy(
                            update={"value_of": "fvc_pct_change"}
                        )
                    }
                ),
                "C": ipf.estimands["E2"].model_copy(update={"events": {"death": "composite"}}),
            }
        }
    )
    assert scored(percent, IPF_FVC) == ("E1", "E2", "E3", "E4")
