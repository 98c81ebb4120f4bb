"""A small protocol that validates, and ways to break it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from trialmlm.errors import Problem, ProtocolError
from trialmlm.protocol import load_protocol

if TYPE_CHECKING:
    from collections.abc import Callable

FULL = Path(__file__).parent / "full_example.yaml"


@pytest.fixture(scope="session")
def full_text() -> str:
    return FULL.read_text(encoding="utf-8")


@pytest.fixture
def problems_of(tmp_path: Path) -> Callable[[str], tuple[Problem, ...]]:
    """What is wrong with a protocol's text."""

    def problems(text: str) -> tuple[Problem, ...]:
        file = tmp_path / "protocol.yaml"
        file.write_text(text, encoding="utf-8")
        with pytest.raises(ProtocolError) as caught:
            load_protocol(file)
        assert len(caught.value.problems) > 0
        return caught.value.problems

    return problems


@pytest.fixture
def only_problem(
    full_text: str, problems_of: Callable[[str], tuple[Problem, ...]]
) -> Callable[[str, str], Problem]:
    """The one problem of the full example with one stretch of text replaced.

    The problem must stand in the line of the replacement.
    """

    def only(old: str, new: str) -> Problem:
        assert full_text.count(old) == 1, f"{old!r} does not stand once in the example"
        (problem,) = problems_of(full_text.replace(old, new))
        return problem

    return only
