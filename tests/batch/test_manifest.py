"""The manifest is true: hashes of what went in and came out, versions, and how outputs went."""

from __future__ import annotations

import json
import platform
from hashlib import sha256
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import pytest

from trialmlm import __version__

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def manifest(small_run: Path) -> dict[str, Any]:
    held: dict[str, Any] = json.loads((small_run / "out" / "manifest.json").read_text("utf-8"))
    return held


def _hash(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def test_every_file_written_is_listed_with_its_hash(
    manifest: dict[str, Any], small_run: Path
) -> None:
    written = {file.name: _hash(file) for file in (small_run / "out").iterdir()}
    del written["manifest.json"]
    assert manifest["files"] == written


def test_every_data_set_read_is_listed_with_its_hash_and_size(
    manifest: dict[str, Any], small_run: Path
) -> None:
    data = small_run / "data"
    assert {held["file"]: held["sha256"] for held in manifest["inputs"]} == {
        file.name: _hash(file) for file in data.iterdir()
    }
    assert {held["file"]: held["rows"] for held in manifest["inputs"]} == {
        "adsl.csv": 60,
        "adqs.csv": 217,
    }


def test_the_protocol_is_named_with_the_hash_of_its_bytes(
    manifest: dict[str, Any], small_run: Path
) -> None:
    assert manifest["protocol"] == {
        "id": "SMALL-01",
        "file": "protocol.yaml",
        "sha256": _hash(small_run / "protocol.yaml"),
    }


def test_the_versions_are_those_that_ran(manifest: dict[str, Any]) -> None:
    assert manifest["versions"]["trialmlm"] == __version__
    assert manifest["versions"]["python"] == platform.python_version()
    assert manifest["versions"]["numpy"] == version("numpy")


def test_every_output_says_how_it_went_and_which_files_it_has(manifest: dict[str, Any]) -> None:
    outputs = manifest["outputs"]
    assert [(held["number"], held["status"]) for held in outputs] == [
        (number, "made") for number in "1234"
    ]
    files = {name for held in outputs for name in held["files"]}
    assert files | {"results.csv", "results.json", "run.log"} <= set(manifest["files"])


def test_the_manifest_names_no_folder_of_the_machine(small_run: Path) -> None:
    for file in (small_run / "out").iterdir():
        assert str(small_run).encode() not in file.read_bytes(), file.name
