"""Protocols by name, and a start for one's own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from zipfile import ZipFile

import pytest

from trialmlm.batch.run import run
from trialmlm.batch.shipped import find, names
from trialmlm.batch.starter import MARK, start
from trialmlm.cli import main
from trialmlm.errors import UsageError
from trialmlm.protocol.load import load_protocol

ROOT = Path(__file__).parents[2]
DONE, BAD_USAGE = 0, 2


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Outside the checkout, so that no name is a path by chance."""
    monkeypatch.chdir(tmp_path)


def test_the_shipped_protocols_are_those_of_the_project() -> None:
    assert names() == tuple(sorted(folder.name for folder in (ROOT / "protocols").iterdir()))
    assert {"cdisc_pilot_adas", "ipf_fvc"} <= set(names())


@pytest.mark.parametrize("name", names())
def test_a_shipped_protocol_is_found_by_name(name: str) -> None:
    assert load_protocol(find(name)).header.id


def test_a_script_runs_a_shipped_protocol_by_name(tmp_path: Path) -> None:
    assert main(["simulate", "ipf_fvc", "--out", "data"]) == DONE
    done = run("ipf_fvc", "data", tmp_path / "out", only=["14.1.1.2"])
    assert done.exit_code == DONE
    assert [made.status for made in done.outputs] == ["made"]


def test_a_path_wins_over_a_shipped_name(tmp_path: Path) -> None:
    (tmp_path / "ipf_fvc").mkdir()
    assert find("ipf_fvc") == Path("ipf_fvc")
    with pytest.raises(UsageError, match="the folder ipf_fvc holds none"):
        load_protocol(find("ipf_fvc"))


@pytest.mark.parametrize("path", ["nowhere/ipf_fvc", "ipf_fvc.yaml", "./ipf_fv/x", "/ipf_fvc"])
def test_a_path_that_is_not_there_is_taken_as_a_path(path: str) -> None:
    assert find(path) == Path(path)


@pytest.mark.parametrize("command", ["run", "check", "list", "simulate"])
def test_every_command_says_which_protocol_may_have_been_meant(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, "ipf_fcv"]) == BAD_USAGE
    said = capsys.readouterr().err
    assert "there is no protocol 'ipf_fcv'" in said
    assert "cdisc_pilot_adas, ipf_fvc" in said
    assert "did you mean 'ipf_fvc'?" in said


@pytest.mark.parametrize("origin", names())
def test_a_start_checks_clean_and_is_the_shipped_protocol_under_another_name(
    origin: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["init", "MY-TRIAL", "--from", origin]) == DONE
    assert main(["check", "MY-TRIAL"]) == DONE
    assert "MY-TRIAL: MY-TRIAL" in capsys.readouterr().out
    made, source = load_protocol("MY-TRIAL"), load_protocol(find(origin))
    assert made.header.id == made.header.title == "MY-TRIAL"
    assert made.header.sap is not None
    assert made.header.sap.status == "draft"
    for section in ("arms", "data", "schedule", "endpoints", "estimands", "analyses", "outputs"):
        assert getattr(made, section) == getattr(source, section)


def test_a_start_marks_the_decisions_and_names_the_commands(tmp_path: Path) -> None:
    folder = start("1199-0032", "ipf_fvc", tmp_path / "studies")
    text = (folder / "protocol.yaml").read_text(encoding="utf-8")
    lines = text.splitlines()
    assert lines[0].startswith("# 1199-0032: a start, copied from the protocol ipf_fvc")
    marked = {lines[i + 1].split(":")[0] for i, line in enumerate(lines) if line.startswith(MARK)}
    sections = {line.split(":")[0] for line in lines if line[:1].isalpha()}
    assert marked == sections - {"trialmlm"}
    assert max(map(len, (line for line in lines if line.startswith("#")))) <= 100
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "trialmlm simulate 1199-0032 --out 1199-0032/data" in readme


def test_a_start_of_simulated_data_keeps_the_codes_of_collected_data_closed() -> None:
    start("MINE", "ipf_fvc")
    assert not load_protocol("MINE").header.unblinded
    file = Path("MINE/protocol.yaml")
    collected = file.read_text(encoding="utf-8").replace("simulated\n", "collected\n")
    file.write_text(collected, encoding="utf-8")
    assert main(["check", "MINE"]) == BAD_USAGE


def test_a_start_of_collected_data_offers_no_simulation() -> None:
    folder = start("MINE", "cdisc_pilot_adas")
    assert "simulate" not in (folder / "README.md").read_text(encoding="utf-8")


def test_an_existing_folder_is_refused_and_kept(capsys: pytest.CaptureFixture[str]) -> None:
    Path("MINE").mkdir()
    assert main(["init", "MINE"]) == BAD_USAGE
    assert "MINE is there already" in capsys.readouterr().err
    assert list(Path("MINE").iterdir()) == []


@pytest.mark.parametrize("name", ["../x", "", ".", "a/b", "a b", 'a"', "-a", "x" * 65, "a\n"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(UsageError, match="expected letters"):
        start(name, "ipf_fvc")
    assert list(Path().iterdir()) == []


def test_a_start_from_what_is_not_shipped_makes_nothing() -> None:
    with pytest.raises(UsageError, match="did you mean 'ipf_fvc'"):
        start("MINE", "ipf-fvc")
    assert list(Path().iterdir()) == []


def test_a_folder_that_cannot_be_made_is_said() -> None:
    Path("file").write_text("", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be made"):
        start("MINE", "ipf_fvc", "file")


def test_the_help_of_init_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["init", "--help"])
    assert "example:\n  trialmlm init MY-TRIAL --from ipf_fvc" in capsys.readouterr().out


@pytest.mark.slow
def test_an_installed_wheel_finds_the_protocols_by_name(tmp_path: Path) -> None:
    # slow: builds the wheel, for which pip fetches hatchling
    pip = [sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "wheel", str(ROOT), "--no-deps", "-w", str(tmp_path)], check=True)
    (wheel,) = tmp_path.glob("*.whl")
    held = set(ZipFile(wheel).namelist())
    assert {f"trialmlm/shipped/{name}/protocol.yaml" for name in names()} <= held
    site = tmp_path / "site"
    subprocess.run([*pip, "install", "--no-deps", "--target", str(site), str(wheel)], check=True)
    found = subprocess.run(
        [sys.executable, "-c", "from trialmlm.batch.shipped import find; print(find('ipf_fvc'))"],
        env={**os.environ, "PYTHONPATH": str(site)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()) == site / "trialmlm" / "shipped" / "ipf_fvc"
