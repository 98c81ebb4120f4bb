"""What is refused is refused before anything is written, and the message says where and why."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyreadstat
import pytest
from small_trial import PROTOCOL, records, subjects, write_trial

from trialmlm.cli import main

if TYPE_CHECKING:
    from collections.abc import Sequence

Edit = Callable[[pd.DataFrame], pd.DataFrame]
BAD_PROTOCOL, BAD_DATA = 2, 3


@dataclass(frozen=True)
class Case:
    """A protocol or data with one fault, and what the message must say."""

    name: str
    code: int
    said: Sequence[str]
    old: str = ""
    new: str = ""
    adsl: Edit | None = None
    adqs: Edit | None = None
    listed: Sequence[str] = field(default=())

    def protocol(self) -> str:
        if not self.old:
            return PROTOCOL
        assert PROTOCOL.count(self.old) == 1
        return PROTOCOL.replace(self.old, self.new)

    def place(self) -> str:
        """``line:column`` of what was put in, where the message points into the protocol."""
        start = self.protocol().index(self.new) + self.new.index(self.said[0])
        before = self.protocol()[:start]
        return f"{before.count(chr(10)) + 1}:{start - (before.rfind(chr(10)) + 1) + 1}"


def _set(column: str, value: object, row: int = 5) -> Edit:
    def edit(frame: pd.DataFrame) -> pd.DataFrame:
        changed = frame.astype({column: object})
        changed.loc[frame.index if row < 0 else row, column] = value
        return changed

    return edit


def _twice(frame: pd.DataFrame) -> pd.DataFrame:
    """A second record of the same subject and day, with another value."""
    return pd.concat([frame, frame.iloc[[1]].assign(AVAL=61.5)], ignore_index=True)


CALL = "__import__('os').system('touch written')"

#: the first text said stands, in the file, where the message points to
PROTOCOLS = (
    Case("typo in a key", BAD_PROTOCOL, ("lable:", "unknown key 'lable'; did you mean 'label'?"),
         "LOW: {value: Low, label: Low Dose", "LOW: {value: Low, lable: Low Dose"),
    Case("duplicate key", BAD_PROTOCOL, ("title: another", "found the key title twice"),
         "  title: a small synthetic trial\n",
         "  title: a small synthetic trial\n  title: another\n"),
    Case("overlapping windows", BAD_PROTOCOL,
         ("[40, 71]", "[40, 71] of 'Week 8' overlaps [2, 43] of 'Week 4'"),
         "window: [44, 71]", "window: [40, 71]"),
    Case("a call off the list in a model", BAD_PROTOCOL,
         (f"CHG ~ {CALL}", "analyses.locf.model", "__import__"),
         "model: CHG ~ TRT01P + SEX + BASE", f"model: CHG ~ {CALL}"),
    Case("a call off the list in a dose response", BAD_PROTOCOL,
         ("CHG ~ DOSE + eval(SEX)", "analyses.locf.dose_response", "eval"),
         "CHG ~ DOSE + SEX + BASE", "CHG ~ DOSE + eval(SEX)"),
    Case("a call off the list in a clause", BAD_PROTOCOL,
         ('"__import__', "populations.efficacy.where", "__import__"),
         "\"EFFFL == 'Y'\"", f'"{CALL} == 0"'),
    Case("a population that is not there", BAD_PROTOCOL,
         ("eficacy", "'eficacy', which is not declared; did you mean 'efficacy'?"),
         "population: efficacy\n    variable", "population: eficacy\n    variable"),
)  # fmt: skip

DATA = (
    Case("two records of one subject, visit and day", BAD_DATA, ("cannot decide",),
         adqs=_twice, listed=("S-001", "61.5")),
    Case("an arm that the protocol does not know", BAD_DATA, ("no arm of the protocol",),
         adsl=_set("TRT01P", "Medium"), listed=("S-006", "Medium")),
    Case("a subject who is not in the subject data set", BAD_DATA,
         ("not in the subject data set",),
         adsl=lambda frame: frame.drop(index=5), listed=("S-006",)),
    Case("a subject who is in the subject data set twice", BAD_DATA, ("one row per subject",),
         adsl=lambda frame: pd.concat([frame, frame.iloc[[5]]]), listed=("S-006",)),
    Case("an empty population", BAD_DATA, ("none of 60 subjects", "EFFFL == 'Y'"),
         adsl=_set("EFFFL", "N", row=-1)),
    Case("a text among the values", BAD_DATA, ("'ND'", "AVAL", "expected numbers"),
         adqs=_set("AVAL", "ND"), listed=("S-002", "ND")),
    Case("an infinite value", BAD_DATA, ("inf", "AVAL"),
         adqs=_set("AVAL", np.inf), listed=("S-002", "inf")),
    Case("a date that is none", BAD_DATA, ("no dates", "ADT"),
         adqs=_set("ADT", "2026-02-30"), listed=("S-002", "2026-02-30")),
    Case("fewer rows than the protocol expects", BAD_DATA,
         ("adqs.csv", "217", "300"), "dataset: adqs\n", "dataset: adqs\n    rows: 300\n"),
    Case("another file than the protocol expects", BAD_DATA, ("adqs.csv", "SHA-256", "0" * 64),
         "dataset: adqs\n", f'dataset: adqs\n    sha256: "{"0" * 64}"\n'),
    Case("a data set that is not there", BAD_DATA, ("no data set 'adqx'", "adqs.csv"),
         "dataset: adqs\n", "dataset: adqx\n"),
    Case("a column that is not there", BAD_DATA, ("AVALX",),
         "value: AVAL\n", "value: AVALX\n"),
)  # fmt: skip


def _refused(
    arguments: list[str], out: Path, capsys: pytest.CaptureFixture[str]
) -> tuple[int, str]:
    """Exit code and message of a run; nothing may be written, into no folder or an existing one."""
    out.mkdir()
    kept = out / "of_yesterday.txt"
    kept.write_text("kept")
    code = main([*arguments, "--out", str(out)])
    assert {file.name: file.read_text() for file in out.iterdir()} == {kept.name: "kept"}
    shutil.rmtree(out)
    assert main([*arguments, "--out", str(out)]) == code
    assert not out.exists()
    return code, capsys.readouterr().err


def _write(case: Case, folder: Path) -> Path:
    adsl, adqs = subjects(), records(subjects())
    return write_trial(
        folder,
        protocol=case.protocol(),
        adsl=case.adsl(adsl) if case.adsl else adsl,
        adqs=case.adqs(adqs) if case.adqs else adqs,
    )


@pytest.mark.parametrize("case", PROTOCOLS, ids=[case.name for case in PROTOCOLS])
def test_a_faulty_protocol_is_refused_with_file_line_and_column(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    file = _write(case, tmp_path / "trial")
    code, message = _refused(["run", str(file)], tmp_path / "out", capsys)
    assert code == case.code
    assert f"{file}:{case.place()}: " in message
    assert [text for text in case.said[1:] if text not in message] == []
    assert not (tmp_path / "written").exists()


@pytest.mark.parametrize("case", DATA, ids=[case.name for case in DATA])
def test_faulty_data_are_refused_with_the_offending_rows(
    case: Case, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = _write(case, tmp_path / "trial")
    code, message = _refused(["run", str(file)], tmp_path / "out", capsys)
    assert code == case.code
    assert [text for text in (*case.said, *case.listed) if text not in message] == []


def test_all_faults_of_a_protocol_are_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PROTOCOL.replace("label: Low Dose", "lable: Low Dose").replace("[44, 71]", "[40, 71]")
    file = write_trial(tmp_path / "trial", protocol=text)
    code, message = _refused(["run", str(file)], tmp_path / "out", capsys)
    assert code == BAD_PROTOCOL
    assert len(re.findall(rf"{re.escape(str(file))}:\d+:\d+: ", message)) >= 4  # of two runs


def test_all_refused_formulas_are_said_at_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PROTOCOL.replace("TRT01P + SEX + BASE", "eval(SEX)").replace("BASE * AVISIT", "SEX.x")
    file = write_trial(tmp_path / "trial", protocol=text)
    code, message = _refused(["run", str(file)], tmp_path / "out", capsys)
    assert code == BAD_PROTOCOL
    assert "analyses.locf.model" in message
    assert "analyses.mmrm.model" in message


@pytest.fixture
def transport(tmp_path: Path) -> Path:
    """The small trial with its data as transport files, written by a program that is not ours."""
    folder = tmp_path / "xpt"
    file = write_trial(folder)
    for name, frame in (("adsl", subjects()), ("adqs", records(subjects()))):
        (folder / "data" / f"{name}.csv").unlink()
        target = folder / "data" / f"{name}.xpt"
        pyreadstat.write_xport(frame, str(target), table_name=name.upper(), file_format_version=5)
    return file


def test_transport_files_are_read_as_csv_is(
    transport: Path, small_run: Path, tmp_path: Path
) -> None:
    assert main(["run", str(transport), "--out", str(tmp_path / "out")]) == 0
    for name in ("results.csv",):
        assert (tmp_path / "out" / name).read_bytes() == (small_run / "out" / name).read_bytes()


@pytest.mark.parametrize("lost", [1, 137, 1000])
def test_a_cut_transport_file_is_refused(
    lost: int, transport: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = transport.parent / "data" / "adqs.xpt"
    data.write_bytes(data.read_bytes()[:-lost])
    code, message = _refused(["run", str(transport)], tmp_path / "out", capsys)
    assert code == BAD_DATA
    assert str(data) in message
    assert "cut" in message


def test_a_cut_transport_file_of_the_pilot_is_refused(
    study_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "data"
    shutil.copytree(study_data / "cdisc_pilot", data, copy_function=shutil.copyfile)
    cut = data / "adqsadas.xpt"
    cut.write_bytes(cut.read_bytes()[:-777])
    protocol = Path(__file__).parents[2] / "protocols" / "cdisc_pilot_adas"
    arguments = ["run", str(protocol), "--data", str(data)]
    code, message = _refused(arguments, tmp_path / "out", capsys)
    assert code == BAD_DATA
    assert str(cut) in message


def test_an_output_folder_that_is_a_file_is_refused_and_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_trial(tmp_path / "trial")
    out = tmp_path / "out"
    out.write_text("kept")
    assert main(["run", str(file), "--out", str(out)]) == BAD_PROTOCOL
    assert f"the output folder {out} is a file" in capsys.readouterr().err
    assert out.read_text() == "kept"


def test_an_output_folder_below_a_file_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_trial(tmp_path / "trial")
    (tmp_path / "file").write_text("kept")
    out = tmp_path / "file" / "out"
    assert main(["run", str(file), "--out", str(out)]) == BAD_PROTOCOL
    assert f"{out} cannot be written to" in capsys.readouterr().err


def test_an_output_folder_that_cannot_be_made_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # permissions do not hold for root; the kernel's own file system takes no folders from anybody
    kernel = Path("/proc/self")
    if not kernel.exists():
        pytest.skip("no /proc on this system")
    file = write_trial(tmp_path / "trial")
    assert main(["run", str(file), "--out", str(kernel / "out")]) == BAD_PROTOCOL
    assert "cannot be written to" in capsys.readouterr().err


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="permissions do not hold for root"
)
def test_a_read_only_output_folder_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_trial(tmp_path / "trial")
    out = tmp_path / "out"
    out.mkdir(mode=0o555)
    assert main(["run", str(file), "--out", str(out)]) == BAD_PROTOCOL
    assert "cannot be written to" in capsys.readouterr().err
    assert list(out.iterdir()) == []


def test_a_folder_in_which_no_file_can_be_made_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(tempfile, "TemporaryFile", refuse)
    file = write_trial(tmp_path / "trial")
    out = tmp_path / "out"
    out.mkdir()
    assert main(["run", str(file), "--out", str(out)]) == BAD_PROTOCOL
    message = capsys.readouterr().err
    assert f"{out} cannot be written to (Permission denied)" in message
    assert "--out" in message
    assert list(out.iterdir()) == []
