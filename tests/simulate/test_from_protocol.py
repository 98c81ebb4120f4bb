from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trialmlm.batch.check import described_data
from trialmlm.batch.plan import make_plan
from trialmlm.errors import UsageError
from trialmlm.protocol.arms import Arm
from trialmlm.simulate import simulate_protocol

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.protocol import Protocol


def test_scenario_and_seed_are_those_of_the_protocol(protocol: Protocol, tmp_path: Path) -> None:
    made = simulate_protocol(protocol, out=tmp_path, sizes=40)
    assert (made.scenario, made.seed) == ("default", 20260101)
    assert (tmp_path / "adsl.csv").is_file()


def test_what_is_asked_for_comes_before_the_protocol(protocol: Protocol, tmp_path: Path) -> None:
    made = simulate_protocol(protocol, out=tmp_path, scenario="null", seed=0, sizes=(4, 6))
    assert (made.scenario, made.seed, made.parameters.sizes) == ("null", 0, (4, 6))


def test_an_unknown_scenario_is_refused_and_nothing_is_written(
    protocol: Protocol, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="did you mean 'pos_small'"):
        simulate_protocol(protocol, out=tmp_path / "data", scenario="pos-small")
    assert not (tmp_path / "data").exists()


def test_a_protocol_without_a_simulation_is_refused(protocol: Protocol, tmp_path: Path) -> None:
    silent = protocol.model_copy(update={"simulation": None})
    with pytest.raises(UsageError, match="does not say how its data are simulated"):
        simulate_protocol(silent, out=tmp_path)


def test_collected_data_are_never_simulated(protocol: Protocol, tmp_path: Path) -> None:
    header = protocol.header.model_copy(update={"data_origin": "collected"})
    collected = protocol.model_copy(update={"header": header})
    with pytest.raises(UsageError, match="data_origin: simulated"):
        simulate_protocol(collected, out=tmp_path)


def test_other_arms_than_those_simulated_are_refused(protocol: Protocol, tmp_path: Path) -> None:
    arms = {"A": Arm(value="Placebo", label="Placebo", order=1, control=True)}
    other = protocol.model_copy(update={"arms": arms})
    with pytest.raises(UsageError, match="Active 150 mg bid"):
        simulate_protocol(other, out=tmp_path)


def test_the_check_of_the_shipped_protocol_finds_no_fault(
    protocol: Protocol, tmp_path: Path
) -> None:
    simulate_protocol(protocol, out=tmp_path)
    lines = list(described_data(make_plan(protocol), tmp_path))
    assert any("513 read" in line for line in lines)
    assert not any("differ" in line or "cannot be made" in line for line in lines)
