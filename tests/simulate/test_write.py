from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING

import pytest
from pandas.testing import assert_frame_equal

from trialmlm.adam.read import find_dataset, read_dataset
from trialmlm.errors import UsageError
from trialmlm.simulate import SimulatedTrial, simulate_trial

if TYPE_CHECKING:
    from pathlib import Path


def _bytes(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}


def test_the_same_seed_gives_the_same_bytes_whatever_was_simulated_before(tmp_path: Path) -> None:
    simulate_trial("default", 7, 60).write(tmp_path / "one")
    simulate_trial("mnar", 3, 30)
    simulate_trial("default", 7, 60).write(tmp_path / "two")
    assert _bytes(tmp_path / "one") == _bytes(tmp_path / "two")


def test_another_seed_gives_another_trial(tmp_path: Path) -> None:
    simulate_trial("default", 7, 60).write(tmp_path / "one")
    simulate_trial("default", 8, 60).write(tmp_path / "two")
    one, two = _bytes(tmp_path / "one"), _bytes(tmp_path / "two")
    assert all(one[name] != two[name] for name in one)


def test_data_sets_come_back_as_they_were_written(trial: SimulatedTrial, tmp_path: Path) -> None:
    trial.write(tmp_path)
    for name, frame in trial.datasets.items():
        back = read_dataset(find_dataset(tmp_path, name)).frame
        assert_frame_equal(back, frame, check_dtype=False)


def test_files_are_plain_and_dates_are_iso(trial: SimulatedTrial, tmp_path: Path) -> None:
    written = trial.write(tmp_path)
    assert sorted(path.name for path in written) == sorted(path.name for path in tmp_path.iterdir())
    header, first = (tmp_path / "adsl.csv").read_text().splitlines()[:2]
    cells = dict(zip(header.split(","), first.split(","), strict=True))
    assert len(cells["TRTSDT"]) == 10
    assert b"\r" not in (tmp_path / "adfvc.csv").read_bytes()


def test_the_description_says_what_was_simulated_and_how(
    trial: SimulatedTrial, tmp_path: Path
) -> None:
    trial.write(tmp_path)
    told = json.loads((tmp_path / "simulation.json").read_text())
    assert (told["origin"], told["scenario"], told["seed"]) == ("SIMULATED", "default", 1)
    assert told["parameters"]["decline"]["slope"] == [-225, -95]
    assert told["parameters"]["sizes"] == [204, 309]
    assert told["files"] == {
        path.name: sha256(path.read_bytes()).hexdigest() for path in tmp_path.glob("*.csv")
    }
    for name, frame in trial.datasets.items():
        assert list(told["datasets"][name]["columns"]) == list(frame.columns)


def test_an_unknown_format_is_refused(trial: SimulatedTrial, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected one of csv"):
        trial.write(tmp_path, format="xls")


def test_a_folder_that_is_a_file_is_refused(trial: SimulatedTrial, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("mine")
    with pytest.raises(UsageError, match="is a file; name a folder"):
        trial.write(there)
    assert there.read_text() == "mine"
