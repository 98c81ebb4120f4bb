"""``trialmlm validate``: verdict, exit code, report."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from trialmlm.cli import main
from trialmlm.models.fitted import FittedModel
from trialmlm.qualification import validate as module
from trialmlm.qualification.case import read_cases
from trialmlm.qualification.material import Material, shipped_material
from trialmlm.qualification.validate import PAGE, RECORD, validate

if TYPE_CHECKING:
    import pandas as pd

#: quick cases of every kind of source: another program, plain R, closed form, stated, refusal
SOME = ["OQ-COV-CS-REML", "OQ-KR-AR1", "OQ-CF-PAIRED", "OQ-IMP-LOCF", "OQ-REF-KR-ML"]
TIME = ["--run-time", "2026-07-01 12:00 UTC"]


def _run(out: Path, *more: str) -> int:
    return main(["validate", "--out", str(out), "--only", *SOME, *TIME, *more])


def _record(out: Path) -> Any:
    return json.loads((out / RECORD).read_text(encoding="utf-8"))


def test_a_sound_installation_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(tmp_path / "new") == 0
    said = capsys.readouterr()
    assert said.err == ""
    # this is a partial run, and most likely of a development installation
    assert "PASS WITH RESERVATIONS" in said.out
    assert {file.name for file in (tmp_path / "new").iterdir()} == {PAGE, RECORD}
    assert _record(tmp_path / "new")["verdict"] == "PASS WITH RESERVATIONS"


def test_the_whole_report_has_every_case_check_and_requirement(tmp_path: Path) -> None:
    assert main(["validate", "--out", str(tmp_path)]) == 0
    record, page = _record(tmp_path), (tmp_path / PAGE).read_text(encoding="utf-8")
    ids = [case.id for case in read_cases(shipped_material())]
    assert [case["id"] for case in record["cases"]] == ids
    assert all(case["comparisons"] or case["message"] for case in record["cases"])
    assert all(one["tests"] for one in record["requirements"])
    for name in (*ids, *(check["id"] for check in record["checks"])):
        assert name in page
    for one in (*record["requirements"], *record["deviations"]):
        assert one["id"] in page
    for role in ("Performed by", "Reviewed by", "Approved by"):
        assert role in page


def test_a_standard_error_that_is_off_by_a_thousandth_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = FittedModel.coefficients

    def altered(self: FittedModel, *given: Any) -> pd.DataFrame:
        found = own(self, *given)
        return found.assign(std_error=found["std_error"] * 1.001)

    monkeypatch.setattr(FittedModel, "coefficients", altered)
    assert _run(tmp_path) == 1
    said = capsys.readouterr()
    assert "OQ-COV-CS-REML" in said.err
    assert "OQ-IMP-LOCF" not in said.err
    assert "FAIL" in said.out
    record, page = _record(tmp_path), (tmp_path / PAGE).read_text(encoding="utf-8")
    assert record["verdict"] == "FAIL"
    assert "OQ-COV-CS-REML" in record["failures"]
    case = next(case for case in record["cases"] if case["id"] == "OQ-COV-CS-REML")
    wrong = {one["quantity"] for one in case["comparisons"] if not one["passed"]}
    assert wrong == {"std_error"}
    assert "What failed" in page
    assert ">FAIL<" in page


# --- faults of the material -----------------------------------------------------------------------


def test_a_missing_reference_fails_its_cases_only(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "reference" / "dense.json").unlink()
    assert _run(tmp_path / "out", "--material", str(copied)) == 1
    failed = capsys.readouterr().err
    assert "OQ-KR-AR1" in failed
    assert "IQ-MATERIAL" in failed
    assert "OQ-COV-CS-REML" not in failed
    page = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "reference/dense.json cannot be read" in page
    assert "not those of the package" in page


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"fits": {}}', b"\xff\xfe"])
def test_a_corrupted_reference_fails_its_cases_only(
    content: bytes, copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "reference" / "dense.json").write_bytes(content)
    assert _run(tmp_path / "out", "--material", str(copied)) == 1
    failed = capsys.readouterr().err
    assert "OQ-KR-AR1" in failed
    assert "OQ-COV-CS-REML" not in failed
    assert (tmp_path / "out" / RECORD).exists()


def test_another_digit_in_a_reference_fails(copied: Path, tmp_path: Path) -> None:
    path = copied / "reference" / "mmrm.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    record["fits"]["cs_reml"]["std_error"]["ARMACT"] *= 1.00001
    path.write_text(json.dumps(record), encoding="utf-8")
    assert validate(tmp_path / "out", only=SOME, material=copied).failures == (
        "IQ-MATERIAL",
        "OQ-COV-CS-REML",
    )


def test_data_that_the_reference_was_not_made_from_fail(copied: Path, tmp_path: Path) -> None:
    path = copied / "data" / "trial.csv"
    path.write_bytes(path.read_bytes() + b"\n")
    report = validate(tmp_path / "out", only=SOME, material=copied)
    failed = next(one for one in report.outcomes if one.case.id == "OQ-COV-CS-REML")
    assert "is not the file that the reference was made from" in failed.problem


def test_cases_that_cannot_be_read_are_bad_usage_and_nothing_is_written(
    copied: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (copied / "cases" / "tolerances.json").unlink()
    assert _run(tmp_path / "out", "--material", str(copied)) == 2
    assert "cases/tolerances.json cannot be read" in capsys.readouterr().err
    assert list((tmp_path / "out").iterdir()) == []


# --- the report -----------------------------------------------------------------------------------


def test_a_partial_run_says_so(tmp_path: Path) -> None:
    _run(tmp_path)
    record, page = _record(tmp_path), (tmp_path / PAGE).read_text(encoding="utf-8")
    left = len(read_cases(shipped_material())) - len(record["cases"])
    assert left > 100
    assert f"Partial run: {left} cases" in record["reservations"][0]
    assert f"Partial run: {left} cases" in page


def test_a_requirement_that_nothing_shows_is_not_verified(tmp_path: Path) -> None:
    _run(tmp_path)
    status = {one["id"]: one["status"] for one in _record(tmp_path)["requirements"]}
    assert status["R-13"] == "not verified"
    assert status["R-14"] == "pass"


def test_the_same_run_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert _run(tmp_path / name) == 0
    for name in (PAGE, RECORD):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_the_time_is_the_clocks_unless_given(tmp_path: Path) -> None:
    validate(tmp_path / "clock", only=["OQ-IMP"])
    validate(tmp_path / "given", only=["OQ-IMP"], run_time="today")
    assert "UTC" in _record(tmp_path / "clock")["run_time"]
    assert _record(tmp_path / "clock")["cpu_seconds"] >= 0.0
    given = _record(tmp_path / "given")
    assert (given["run_time"], given["cpu_seconds"]) == ("today", None)


def test_the_page_stands_alone_and_text_in_it_is_escaped(copied: Path, tmp_path: Path) -> None:
    path = copied / "cases" / "6_imputation_and_refusals.cases.json"
    record = json.loads(path.read_text(encoding="utf-8"))
    hostile = "<script>alert('1')</script>&\"<b>"
    record["cases"][0]["title"] = hostile
    record["cases"][0]["note"] = hostile
    path.write_text(json.dumps(record), encoding="utf-8")
    validate(tmp_path / "out", only=["OQ-IMP"], material=copied, run_time=hostile)
    page = (tmp_path / "out" / PAGE).read_text(encoding="utf-8")
    assert "<script" not in page
    assert "<b>" not in page
    assert page.count("&lt;script&gt;") >= 3
    assert "http" not in page.replace('<meta http-equiv="Content-Security-Policy"', "")
    assert page.startswith("<!DOCTYPE html>")


# --- bad usage ------------------------------------------------------------------------------------


def test_a_case_that_is_not_there_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--out", str(tmp_path), "--only", "OQ-NONE"]) == 2
    assert "no case begins with OQ-NONE" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_that_is_a_file_is_bad_usage(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("mine")
    assert _run(tmp_path / "file") == 2
    assert "is a file" in capsys.readouterr().err
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may write all")
def test_an_output_folder_without_permission_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "closed").mkdir(mode=0o500)
    assert _run(tmp_path / "closed") == 2


def test_a_page_that_cannot_be_made_leaves_no_half_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(report: object) -> str:
        raise RuntimeError("no page")

    monkeypatch.setattr(module, "_page", fails)
    with pytest.raises(RuntimeError, match="no page"):
        validate(tmp_path, only=["OQ-IMP"])
    assert list(tmp_path.iterdir()) == []


def test_the_help_shows_an_example(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["validate", "--help"])
    assert ended.value.code == 0
    assert "example:\n  trialmlm validate " in capsys.readouterr().out


def test_the_material_of_a_wheel_is_found_within_the_package(
    copied: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    room = tmp_path / "site" / "trialmlm" / "qualification"
    shutil.copytree(copied, room / "material")
    monkeypatch.setattr(
        "trialmlm.qualification.material._PLACES", (room / "material", tmp_path / "none")
    )
    found = shipped_material()
    assert found.folder == room / "material"
    assert found.listed() == found.present()


def test_the_build_puts_the_material_into_the_package() -> None:
    tomllib = pytest.importorskip("tomllib")
    project = Path(__file__).parents[2] / "pyproject.toml"
    wheel = tomllib.loads(project.read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    included = wheel["wheel"]["only-include"]
    assert {f"validation/{part}" for part in ("cases", "data", "reference", "SHA256SUMS")} <= set(
        included
    )
    assert wheel["wheel"]["sources"]["validation"] == "trialmlm/qualification/material"


def test_an_installation_without_material_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("trialmlm.qualification.material._PLACES", (tmp_path / "none",))
    assert _run(tmp_path / "out") == 2
    assert "install the package again" in capsys.readouterr().err


def test_a_table_that_is_no_csv_file_is_named(copied: Path) -> None:
    (copied / "data" / "trial.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(Exception, match=r"data/trial\.csv is no CSV file"):
        Material(copied).table("trial.csv")


def test_a_pass_without_reservations_needs_every_case_and_every_check(tmp_path: Path) -> None:
    report = validate(tmp_path, only=SOME)
    sound = tuple(replace(check, status="pass") for check in report.installation.checks)
    installation = replace(report.installation, checks=sound)
    whole = replace(report, installation=installation, left_out=0)
    assert whole.verdict == "PASS"
    assert whole.reservations == ()
    assert replace(whole, left_out=1).verdict == "PASS WITH RESERVATIONS"
    unknown = replace(installation, checks=(*sound[:-1], replace(sound[-1], status="not verified")))
    assert replace(whole, installation=unknown).verdict == "PASS WITH RESERVATIONS"
    wrong = replace(installation, checks=(*sound[:-1], replace(sound[-1], status="fail")))
    assert replace(whole, installation=wrong).verdict == "FAIL"
    assert replace(whole, installation=wrong).failures == (sound[-1].id,)


def test_help_tells_the_exit_codes_of_a_validation(capsys):
    with pytest.raises(SystemExit):
        main(["validate", "--help"])
    said = capsys.readouterr().out
    assert "1  a check failed, the report says which" in said
    assert "the others are delivered" not in said
