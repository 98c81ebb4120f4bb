from __future__ import annotations

import pytest

from trialmlm.errors import UsageError
from trialmlm.simulate.designs import DESIGNS, find_design
from trialmlm.simulate.ipf_fvc.scenarios import SCENARIOS

scenario = DESIGNS["ipf_fvc"].scenario


def test_the_scenarios_of_the_plan_have_its_slopes() -> None:
    assert {name: SCENARIOS[name].decline.slope for name in ("default", "null", "pos_small")} == {
        "default": (-225, -95),
        "null": (-225, -225),
        "pos_small": (-225, -160),
    }


@pytest.mark.parametrize("design", DESIGNS)
def test_an_unknown_design_is_refused_with_the_nearest_one(design: str) -> None:
    with pytest.raises(UsageError, match=f"did you mean '{design}'"):
        find_design(design[:-1])


def test_under_null_exacerbations_are_equal_and_drug_stops_are_not() -> None:
    null = SCENARIOS["null"]
    assert null.exacerbation.rate == (0.066, 0.066)
    assert null.leaving.stop_risk == (0.175, 0.275)


def test_only_under_mnar_does_drop_out_see_what_is_latent() -> None:
    seen = {name: held.leaving.seen for name, held in SCENARIOS.items()}
    assert {name for name, what in seen.items() if what == "current-latent"} == {"mnar"}


@pytest.mark.parametrize(
    ("asked", "sizes"), [(None, (204, 309)), (513, (204, 309)), (100, (40, 60)), ([7, 5], (7, 5))]
)
def test_sizes_are_shared_as_the_scenario_shares_them_or_taken(
    asked: int | list[int] | None, sizes: tuple[int, int]
) -> None:
    assert scenario("default", asked).sizes == sizes


@pytest.mark.parametrize("asked", [0, -5, 3, [1, 9], [5], [5, 5, 5], []])
def test_sizes_that_are_none_are_refused(asked: int | list[int]) -> None:
    with pytest.raises(UsageError, match="at least 2 subjects in each arm"):
        scenario("default", asked)


def test_an_unknown_scenario_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UsageError, match="did you mean 'default'"):
        scenario("defalt")
