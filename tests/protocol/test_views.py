from __future__ import annotations

import pickle
from pathlib import Path

import pytest
from pydantic import ValidationError

from trialmlm.errors import UsageError
from trialmlm.protocol import Protocol, load_protocol
from trialmlm.protocol.endpoints import ChangeEndpoint, CollectedEndpoint, FirstOfEndpoint
from trialmlm.protocol.schedule import Window
from trialmlm.protocol.yaml_text import Place

FULL = Path(__file__).parent / "full_example.yaml"


@pytest.fixture(scope="module")
def trial() -> Protocol:
    return load_protocol(FULL)


def test_an_analysis_takes_everything_but_what_it_says(trial: Protocol) -> None:
    reference = trial.analysis("P1.reference")
    assert reference.role == "sensitivity"
    assert reference.model == trial.analysis("P1").model
    assert reference.analyse == trial.analysis("P1.retrieved").analyse
    assert reference.missing is not None
    assert reference.missing.method == "conditional-mean"
    assert reference.missing.imputations is None


def test_an_analysis_does_not_take_the_words_of_another(trial: Protocol) -> None:
    assert trial.analysis("P1").label == "MMRM"
    assert trial.analysis("P1.retrieved").label is None


def test_defaults_hold_for_every_analysis(trial: Protocol) -> None:
    assert {trial.analysis(name).df for name in trial.analysis_names} == {"kenward-roger"}


def test_contrasts_of_an_analysis_replace_the_contrast_of_the_defaults(trial: Protocol) -> None:
    assert trial.analysis("P1.ancova").pairs == (("LOW", "PBO"), ("HIGH", "PBO"), ("HIGH", "LOW"))
    assert trial.analysis("P1").pairs == (("HIGH", "PBO"),)


def test_an_analysis_has_population_and_endpoint_of_its_estimand(trial: Protocol) -> None:
    assert trial.analysis("P1").population == "efficacy"
    assert trial.analysis("P1").endpoint == "pain_change"
    assert trial.analysis("P1.everyone").population == "all_randomised"
    assert trial.analysis("P1.everyone").endpoint == "pain"


def test_a_dotted_name_is_a_name_and_takes_nothing_by_itself(trial: Protocol) -> None:
    assert trial.analysis("P1.ancova").if_unconverged == ()


def test_an_estimand_merges_the_events_of_the_one_it_is_like(trial: Protocol) -> None:
    third = trial.estimand("E3")
    assert third.events == {
        "stopped": "treatment-policy",
        "rescue": "hypothetical",
        "death": "composite",
    }
    assert third.population == "efficacy"
    assert third.summary == "hazard ratio"
    assert third.like == "E2"


def test_a_change_has_unit_and_decimals_of_what_it_changes(trial: Protocol) -> None:
    change = trial.endpoint("pain_change")
    assert isinstance(change, ChangeEndpoint)
    assert (change.unit, change.decimals, change.better) == ("mm", 0, "lower")
    assert isinstance(trial.endpoint("relapse"), FirstOfEndpoint)


def test_the_collected_endpoint_beneath_another_is_found(trial: Protocol) -> None:
    pain = trial.endpoint("pain")
    assert isinstance(pain, CollectedEndpoint)
    assert trial.collected("pain_change") == trial.collected("relief") == pain
    assert trial.collected("relapse") is None


def test_a_threshold_names_quantity_side_and_limit(trial: Protocol) -> None:
    relief = trial.endpoint("relief")
    threshold = getattr(relief, "responder", None)
    assert threshold is not None
    assert (threshold.quantity, threshold.side, threshold.limit) == (
        "percent_change",
        "at-most",
        -50.0,
    )


def test_arms_come_in_table_order_with_their_control(trial: Protocol) -> None:
    assert list(trial.ordered_arms) == ["PBO", "LOW", "HIGH"]
    assert trial.control == "PBO"
    assert trial.arms["LOW"].label == ("Drug", "20 mg once daily")
    assert trial.arms["LOW"].name == "Drug 20 mg once daily"


def test_an_open_window_holds_every_later_day(trial: Protocol) -> None:
    assert trial.schedule is not None
    assert trial.schedule.visits[-1].window == Window(128, None)
    assert 10_000 in trial.schedule.visits[-1].window
    assert 127 not in trial.schedule.visits[-1].window


def test_shifts_are_listed_with_both_ends(trial: Protocol) -> None:
    delta = trial.analysis("P1.tipping").delta
    assert delta is not None
    assert delta.arms["HIGH"].values == tuple(map(float, range(21)))


def test_a_part_is_found_by_its_line(trial: Protocol) -> None:
    line = trial.line_of("analyses", "P1.ancova", "model")
    assert line is not None
    assert "SITEGR1 + TRT01P" in FULL.read_text(encoding="utf-8").splitlines()[line - 1]


@pytest.mark.parametrize(
    ("view", "name", "message"),
    [
        ("analysis", "P1.referense", "did you mean 'P1.reference'"),
        ("estimand", "E9", "found the estimand 'E9'"),
        ("endpoint", "pian", "did you mean 'pain'"),
        ("collected", "pian", "did you mean 'pain'"),
    ],
)
def test_an_unknown_name_is_a_wrong_argument(
    trial: Protocol, view: str, name: str, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        getattr(trial, view)(name)


def test_a_protocol_cannot_be_changed(trial: Protocol) -> None:
    with pytest.raises(ValidationError, match="frozen"):
        trial.header.id = "other"  # type: ignore[misc]
    with pytest.raises(ValidationError, match="frozen"):
        trial.analysis("P1").model = "other"  # type: ignore[misc]


def test_a_protocol_goes_to_a_worker_and_back(trial: Protocol) -> None:
    again = pickle.loads(pickle.dumps(trial))  # noqa: S301
    assert again == trial
    assert again.source_hash == trial.source_hash


def test_places_are_ordered_as_they_are_read() -> None:
    assert Place(2, 9) < Place(10, 1)
