from __future__ import annotations

import json
from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from trialmlm.errors import Problem, ProtocolError
from trialmlm.protocol import Protocol, load_protocol, protocol_from
from trialmlm.protocol.noun import Noun
from trialmlm.protocol.yaml_text import read_yaml

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Path(__file__).parent / "full_example.yaml"
#: keys that exclude others of the example
EXCLUDED = {
    ("Sites", "pooled_column"),
    ("Baseline", "flag"),
    ("Baseline", "window"),
}


def plain_example() -> dict[str, Any]:
    node, _ = read_yaml(FULL.read_text(encoding="utf-8"))
    assert node is not None
    assert isinstance(node.value, dict)
    return node.value


def test_the_full_example_uses_every_key() -> None:
    unused = declared_keys(Noun) - used_keys(load_protocol(FULL)) - EXCLUDED
    assert unused == set()


def test_the_shape_of_the_design_validates(study_data: Path) -> None:
    file = study_data.parent / "design" / "protocol_example.yaml"
    if not file.exists():
        pytest.skip("no design beside the study data")
    trial = load_protocol(file)
    jump = trial.analysis("A2.j2r")
    assert jump.estimand == "E2"
    assert jump.df == "kenward-roger"
    assert jump.weights == "counterfactual"
    assert jump.missing is not None
    assert jump.missing.rules[0].reference == "PBO"
    assert trial.estimand("E4").events["death"] == "composite"
    assert trial.endpoint("fvc_change").decimals == 0


def used_keys(value: Any) -> set[tuple[str, str]]:
    """Return noun and key of everything a protocol states."""
    if isinstance(value, dict):
        return set().union(*map(used_keys, value.values()), set())
    if isinstance(value, tuple):
        return set().union(*map(used_keys, value), set())
    if not isinstance(value, BaseModel):
        return set()
    parts = [getattr(value, name) for name in value.model_fields_set]
    own = {(declaring(type(value), name), name) for name in value.model_fields_set}
    return own.union(*map(used_keys, parts))


def declaring(noun: type[BaseModel], field: str) -> str:
    """Return the class that declares a field, which may lie above the noun."""
    above = [kind for kind in noun.__mro__ if field in getattr(kind, "__annotations__", {})]
    return above[-1].__name__ if above else ""


def declared_keys(noun: type[Noun]) -> set[tuple[str, str]]:
    """Return class and key of everything the nouns know."""
    own = {(declaring(noun, name), name) for name in noun.model_fields}
    return own.union(*map(declared_keys, noun.__subclasses__()))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the path of every part of plain data."""
    items = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for step, part in items:
        found.append((*path, step))
        if isinstance(part, dict | list):
            found.extend(places(part, (*path, step)))
    return found


EXAMPLE = plain_example()
PLACES = places(EXAMPLE)
ODDITIES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    st.text(max_size=8),
    st.dates(),
    st.lists(st.integers() | st.text(max_size=3), max_size=3),
    st.dictionaries(st.text(max_size=5), st.integers() | st.text(max_size=3), max_size=2),
    st.sampled_from(["PBO", "E1", "P1", "P1.tipping", "Week 12", "pain", "relapse", "stopped"]),
)


def parent_of(data: Any, path: tuple[Any, ...]) -> Any:
    for step in path[:-1]:
        data = data[step]
    return data


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(PLACES), ODDITIES)
def test_any_part_replaced_is_read_or_refused_in_our_words(path: Any, odd: Any) -> None:
    data = deepcopy(EXAMPLE)
    parent_of(data, path)[path[-1]] = odd
    read_or_refused(data)


@settings(max_examples=15, deadline=None)
@given(path=st.sampled_from(PLACES))
def test_any_part_left_out_of_a_file_is_told_at_a_line(
    path: Any, tmp_path_factory: pytest.TempPathFactory
) -> None:
    data = deepcopy(EXAMPLE)
    del parent_of(data, path)[path[-1]]
    file = tmp_path_factory.mktemp("trial") / "protocol.yaml"
    file.write_text(json.dumps(data, default=str, indent=1), encoding="utf-8")
    assert all(problem.line >= 1 for problem in problems_of(lambda: load_protocol(file)))


def problems_of(read: Callable[[], Protocol]) -> tuple[Problem, ...]:
    """Return what is wrong; any other error goes through and fails the test."""
    try:
        read()
    except ProtocolError as refused:
        return refused.problems
    return ()


def read_or_refused(data: dict[str, Any]) -> None:
    problems = problems_of(lambda: protocol_from(data))
    jargon = ("Input should", "Value error", "valid ", "function-")
    assert not [problem for problem in problems if any(word in str(problem) for word in jargon)]
