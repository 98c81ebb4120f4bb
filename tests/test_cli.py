"""The command line: what it prints where, what it writes, and its exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from rtf_reader import read_text
from small_trial import records, subjects, write_trial

from trialmlm import __version__
from trialmlm.batch import availability, make_output
from trialmlm.cli import INTERRUPTED, main
from trialmlm.tables.shells import SHELLS

FULL_EXAMPLE = Path(__file__).parent / "protocol" / "full_example.yaml"
DONE, NOT_ALL_MADE, BAD_USAGE, BAD_DATA, WARNED = range(5)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """The small trial's protocol file, with its data beside it."""
    return write_trial(tmp_path / "trial")


def _lines(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_without_a_command_the_usage_is_shown_and_the_code_is_2(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == BAD_USAGE
    assert capsys.readouterr().err.startswith("usage: trialmlm")


@pytest.mark.parametrize("arguments", [["rnu"], ["run"], ["run", "p", "--ony", "1"]])
def test_a_wrong_command_or_option_is_bad_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == BAD_USAGE


def test_the_version_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == DONE
    assert _lines(capsys) == [f"trialmlm {__version__}"]


@pytest.mark.parametrize("command", ["run", "check", "list"])
def test_the_help_of_a_command_shows_an_example_and_the_exit_codes(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == DONE
    said = capsys.readouterr().out
    assert f"example:\n  trialmlm {command} " in said
    assert "exit codes:" in said


def test_the_module_runs_as_the_command_does() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "trialmlm", "--version"], capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == f"trialmlm {__version__}"


# --- list -----------------------------------------------------------------------------------------


def test_list_names_the_analyses_and_outputs_of_a_protocol(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", str(small)]) == DONE
    said = capsys.readouterr().out
    assert "mmrm (main; score_change, efficacy): CHG ~ TRT01P * AVISIT" in said
    assert "Table 3: descriptive-by-visit -> t_3" in said


def test_list_without_a_protocol_says_what_this_version_builds(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["list"]) == DONE
    built = dict(line.split(": ", 1) for line in _lines(capsys))
    assert {"mmrm", "ancova", "populations"} <= set(built["tables"].split(", "))
    assert {"rtf", "txt"} <= set(built["file kinds of tables"].split(", "))
    assert ".xpt" in built["data files"]


# --- check ----------------------------------------------------------------------------------------


def test_check_says_what_would_run_without_any_data(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(small)]) == DONE
    said = capsys.readouterr().out
    assert "SMALL-01: a small synthetic trial" in said
    assert "arms: Placebo, Low Dose, High Dose" in said
    assert "analyses: 2" in said
    assert "outputs: 4" in said


def test_check_with_data_counts_the_records_that_every_step_keeps(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(small), "--data", str(small.parent / "data")]) == DONE
    said = capsys.readouterr().out
    assert "60 read" in said
    for kept in ("217 records of 60 subjects", "195 records of 54 subjects",
                 "141 records of 54 subjects"):  # fmt: skip
        assert kept in said
    assert "6 subjects not analysed: not in the population: EFFFL == 'Y'" in said
    assert "54 subjects (Placebo 18, Low Dose 18, High Dose 18)" in said


def test_check_writes_nothing(small: Path, tmp_path: Path, monkeypatch: Any) -> None:
    empty = tmp_path / "here"
    empty.mkdir()
    monkeypatch.chdir(empty)
    main(["check", str(small), "--data", str(small.parent / "data")])
    assert list(empty.iterdir()) == []


def test_check_refuses_faulty_data_with_their_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adsl = subjects()
    adsl.loc[3, "TRT01P"] = "Medium"
    file = write_trial(tmp_path / "trial", adsl=adsl)
    assert main(["check", str(file), "--data", str(file.parent / "data")]) == BAD_DATA
    message = capsys.readouterr().err
    assert "analysis locf, mmrm: " in message
    assert "Medium" in message


def _check_says_all(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What is not built is said line by line, and the code is 1 where there is any."""
    code = main(["check", str(file)])
    said = _lines(capsys)
    refused = [line for line in said if "NOT MADE" in line]
    assert code == (NOT_ALL_MADE if refused else DONE)
    assert all(line.endswith("not available in this version") for line in refused)
    assert len(said) > 10


def test_check_reads_the_whole_example_and_says_what_is_not_built(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _check_says_all(FULL_EXAMPLE, capsys)


def test_check_reads_the_whole_design_example_and_says_what_is_not_built(
    study_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = study_data.parent / "design" / "protocol_example.yaml"
    if not file.is_file():
        pytest.skip("no design example beside the study data")
    _check_says_all(file, capsys)


def test_check_gives_1_where_something_is_not_built(
    small: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "FAMILIES", {})
    assert main(["check", str(small)]) == NOT_ALL_MADE
    refused = [line for line in _lines(capsys) if "NOT MADE" in line]
    assert [line.split("NOT MADE: ")[1] for line in refused] == [
        "covariance us: not available in this version",
        "mmrm: covariance us: not available in this version",
    ]


def test_check_writes_the_schema_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--schema"]) == DONE
    schema = json.loads(capsys.readouterr().out)
    known = {"trialmlm", "protocol", "arms", "data", "strata", "sites", "schedule", "populations",
             "endpoints", "estimands", "analyses", "outputs", "house", "simulation"}  # fmt: skip
    assert known <= set(schema["properties"])
    assert schema["additionalProperties"] is False


def test_check_needs_a_protocol_or_the_schema(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check"]) == BAD_USAGE
    assert "name a protocol, or ask for --schema" in capsys.readouterr().err


# --- run ------------------------------------------------------------------------------------------


def test_run_says_on_stdout_what_it_made_and_on_stderr_what_it_does(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out)]) == DONE
    said = capsys.readouterr()
    *made, folder = said.out.splitlines()
    assert folder == str(out)
    assert [line.split()[:2] for line in made] == [["made", number] for number in "1234"]
    assert "analysis mmrm" in said.err
    assert "\x1b" not in said.err
    assert "\r" not in said.err
    assert (out / "run.log").read_text(encoding="utf-8").splitlines() == said.err.splitlines()


def test_only_the_output_named_is_made_with_the_analysis_it_shows(
    small: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out), "--only", "4"]) == DONE
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert [output["number"] for output in manifest["outputs"]] == ["4"]
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [record["name"] for record in results["analyses"]] == ["mmrm"]
    assert not (out / "t_2.rtf").exists()


def test_only_an_analysis_named_gives_its_results(small: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out), "--only", "locf"]) == DONE
    results = json.loads((out / "results.json").read_text(encoding="utf-8"))
    assert [record["name"] for record in results["analyses"]] == ["locf"]
    assert list(out.glob("t_*")) == []


def test_only_something_unknown_is_bad_usage_with_the_nearest_name(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out), "--only", "mmr"]) == BAD_USAGE
    assert "did you mean mmrm?" in capsys.readouterr().err
    assert not out.exists()


def test_data_are_looked_for_beside_the_protocol_and_asked_for_where_they_are_not(
    small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    moved = small.parent / "data"
    moved.rename(tmp_path / "elsewhere")
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out)]) == BAD_USAGE
    assert "--data DIR" in capsys.readouterr().err
    assert not out.exists()
    arguments = ["run", str(small), "--out", str(out), "--data", str(tmp_path / "elsewhere")]
    assert main([*arguments, "--only", "1"]) == DONE


@pytest.mark.parametrize(("named", "code"), [("nowhere", BAD_DATA), ("empty", BAD_DATA)])
def test_a_data_folder_without_the_data_is_refused(
    named: str, code: int, small: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "empty").mkdir()
    folder = tmp_path / named
    assert main(["run", str(small), "--out", str(tmp_path / "o"), "--data", str(folder)]) == code
    assert str(folder) in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


def test_a_protocol_that_is_not_there_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["run", str(tmp_path / "nothing.yaml")]) == BAD_USAGE
    assert "nothing.yaml" in capsys.readouterr().err


def test_values_that_differ_from_the_data_are_a_warning_and_under_strict_code_4(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    adqs = records(subjects())
    adqs.loc[1, "CHG"] += 1
    file = write_trial(tmp_path / "trial", adqs=adqs)
    arguments = ["run", str(file), "--only", "mmrm", "--out"]
    assert main([*arguments, str(tmp_path / "lenient")]) == DONE
    message = capsys.readouterr().err
    assert "WARNING: analysis mmrm: 1 values derived by the protocol's rules differ" in message
    assert "S-001" in message
    assert main([*arguments, str(tmp_path / "strict"), "--strict"]) == WARNED
    assert "1 warnings (--strict)" in capsys.readouterr().err
    assert (tmp_path / "strict" / "manifest.json").exists()


def test_a_run_without_warnings_is_done_under_strict(small: Path, tmp_path: Path) -> None:
    arguments = ["run", str(small), "--only", "1", "--strict", "--out", str(tmp_path / "out")]
    assert main(arguments) == DONE


def test_an_output_that_is_not_built_has_its_page_and_the_others_are_delivered(
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    built = {name: shell for name, shell in SHELLS.items() if name != "populations"}
    monkeypatch.setattr(availability, "SHELLS", built)
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out)]) == NOT_ALL_MADE
    said = _lines(capsys)
    assert [line.split()[0] for line in said[:4]] == ["not", "made", "made", "made"]
    for text in (read_text(out / "t_1.rtf"), (out / "t_1.txt").read_text(encoding="utf-8")):
        assert "table: populations: not available in this version" in " ".join(text.split())


def test_an_analysis_that_is_not_built_is_said_on_the_page_of_its_output(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(availability, "FAMILIES", {})
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out), "--only", "4", "2"]) == NOT_ALL_MADE
    page = " ".join(read_text(out / "t_4.rtf").split())
    assert "mmrm: covariance us: not available in this version" in page
    assert "not available" not in read_text(out / "t_2.rtf")


def test_an_interrupt_leaves_complete_files_and_no_manifest(
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    out = tmp_path / "out"
    assert main(["run", str(small), "--out", str(out), "--only", "1"]) == DONE
    write = make_output.write_file

    def interrupted(path: Path, content: bytes) -> str:
        if path.name == "t_2.txt":
            raise KeyboardInterrupt
        return write(path, content)

    monkeypatch.setattr(make_output, "write_file", interrupted)
    assert main(["run", str(small), "--out", str(out)]) == INTERRUPTED
    assert "every file that was written is complete" in capsys.readouterr().err
    names = {file.name for file in out.iterdir()}
    assert {"t_1.rtf", "t_2.rtf"} <= names
    assert names & {"t_2.txt", "t_3.rtf", "manifest.json"} == set()
    assert read_text(out / "t_2.rtf")


def test_a_full_disk_is_said_and_leaves_nothing_half_written(
    small: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    out = tmp_path / "out"
    monkeypatch.setattr(Path, "replace", full)
    assert main(["run", str(small), "--out", str(out), "--only", "1"]) == BAD_USAGE
    assert "cannot be written (No space left on device)" in capsys.readouterr().err
    assert list(out.iterdir()) == []
