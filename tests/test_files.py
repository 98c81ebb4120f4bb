"""Files appear under their name only when they are complete."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from trialmlm.errors import UsageError
from trialmlm.files import prepare_folder, write_file


def test_a_file_is_written_with_its_hash(tmp_path: Path) -> None:
    content = b"line\n" * 1000
    assert write_file(tmp_path / "a.txt", content) == sha256(content).hexdigest()
    assert (tmp_path / "a.txt").read_bytes() == content
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", b"a long first content")
    write_file(tmp_path / "a.txt", b"short")
    assert (tmp_path / "a.txt").read_bytes() == b"short"


def test_a_file_can_be_read_by_others_where_modes_exist(tmp_path: Path) -> None:
    write_file(tmp_path / "a.txt", b"content")
    assert (tmp_path / "a.txt").stat().st_mode & 0o444 == 0o444


@pytest.mark.parametrize("dies", [KeyboardInterrupt, MemoryError])
def test_a_writer_that_dies_leaves_the_old_file_and_nothing_else(
    dies: type[BaseException], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")

    class Dying:
        def __init__(self, handle: int, _: str) -> None:
            self.stream = os.fdopen(handle, "wb")

        def __enter__(self) -> Dying:
            return self

        def __exit__(self, *_: object) -> None:
            self.stream.close()

        def write(self, content: bytes) -> None:
            self.stream.write(content[: len(content) // 2])
            raise dies

    # the module's own os, so that Dying opens the handle with the true fdopen
    monkeypatch.setattr("trialmlm.files.os", _Os(Dying))
    with pytest.raises(dies):
        write_file(tmp_path / "a.txt", b"a new content")
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == {"a.txt": b"old"}


def test_a_full_disk_is_a_usage_error_that_names_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(UsageError, match=r"a\.txt cannot be written \(No space left on device\)"):
        write_file(tmp_path / "a.txt", b"content")
    assert list(tmp_path.iterdir()) == []


def test_the_folder_and_those_above_are_made(tmp_path: Path) -> None:
    prepare_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


def test_a_folder_that_is_there_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "kept.txt").write_text("kept")
    prepare_folder(tmp_path)
    assert [file.name for file in tmp_path.iterdir()] == ["kept.txt"]


class _Os:
    """The module os with another fdopen."""

    def __init__(self, fdopen: Any) -> None:
        self.fdopen = fdopen

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)
