from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from trialmlm.batch.finished import take_up
from trialmlm.errors import UsageError

if TYPE_CHECKING:
    from pathlib import Path

FOR = {"protocol": "abc", "seed": "1"}


def test_what_was_finished_is_taken_up_with_every_digit(tmp_path: Path) -> None:
    made = take_up(tmp_path / "finished.json", FOR)
    made.add("trial 000001", {"A1": [0.1 + 0.2, 1e-300, -1 / 3]})
    made.write()
    again = take_up(tmp_path / "finished.json", FOR)
    assert again.found == {"trial 000001": {"A1": [0.1 + 0.2, 1e-300, -1 / 3]}}


def test_the_bytes_do_not_depend_on_who_finished_first(tmp_path: Path) -> None:
    for name, order in (("a", (1, 2)), ("b", (2, 1))):
        made = take_up(tmp_path / name, FOR)
        for task in order:
            made.add(f"trial {task}", {"A1": [float(task)]})
        made.write()
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_first_result_is_written_at_once(tmp_path: Path) -> None:
    made = take_up(tmp_path / "finished.json", FOR)
    made.add("trial 1", {})
    assert take_up(tmp_path / "finished.json", FOR).found == {"trial 1": {}}


def test_a_file_made_for_something_else_is_refused_and_kept(tmp_path: Path) -> None:
    file = tmp_path / "finished.json"
    take_up(file, FOR).write()
    before = file.read_bytes()
    with pytest.raises(UsageError, match="protocol was abc, now xyz; seed was 1, now 2"):
        take_up(file, {"protocol": "xyz", "seed": "2"})
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", ["", "{}", "[1, 2]", '{"made_for": 1, "found": {}}', "{"])
def test_a_file_that_cannot_be_read_is_refused(content: str, tmp_path: Path) -> None:
    file = tmp_path / "finished.json"
    file.write_text(content)
    with pytest.raises(UsageError, match="cannot be taken up"):
        take_up(file, FOR)
