"""A trial whose every text is hostile goes through the whole batch, and nothing escapes."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import TYPE_CHECKING

import openpyxl
import pytest
from eventful_trial import eventful_protocol, eventful_subjects, eventful_trial
from rtf_reader import read_text

from trialmlm.cli import main

if TYPE_CHECKING:
    from pathlib import Path

RTF = r"{\rtf1\par\field{\*\fldinst INCLUDETEXT c:\\x} }"
SCRIPT = "<script>alert(1)</script><img src=x onerror=alert(2)>"
FORMULA = '=cmd|"/c calc"!A1'
MIXED = "שלום 😀👩‍🔬 \u202eevil"
LONG = "word " * 2000
TEXTS = (RTF, SCRIPT, FORMULA, MIXED)
#: what the protocol says -> what it says here
_PLACES = {
    "title: a small synthetic trial": f"title: {json.dumps(SCRIPT + RTF)}",
    "label: Placebo,": f"label: {json.dumps(SCRIPT)},",
    "label: Low Dose,": f"label: {json.dumps(RTF)},",
    "label: High Dose,": f"label: [{json.dumps(FORMULA)}, {json.dumps(MIXED)}],",
    "{label: All Subjects,": f"{{label: {json.dumps(FORMULA)},",
    "{label: Efficacy,": f"{{label: {json.dumps(SCRIPT)},",
    "{label: Score,": f"{{label: {json.dumps(MIXED)}, unit: {json.dumps(SCRIPT)},",
    "{label: Change in Score,": f"{{label: {json.dumps(RTF)},",
    "question: mean change at Week 12": f"question: {json.dumps(SCRIPT)}",
    "question: rate of change had nobody been rescued": f"question: {json.dumps(LONG)}",
    "label: Random slopes": f"label: {json.dumps(SCRIPT)}",
    "footnotes: [model, events]": f"footnotes: [model, {json.dumps(RTF)}, {json.dumps(FORMULA)}]",
    "columns: [REASON]": f"columns: [REASON], title: {json.dumps(SCRIPT)}, "
    f"labels: {{REASON: {json.dumps(RTF)}}}, levels: {{REASON: {{DEATH: {json.dumps(SCRIPT)}}}}}",
    "columns: [SEX, AGE]": f"columns: [SEX, AGE, SITE], title: {json.dumps(FORMULA)}",
    "figure: forest": f"figure: forest, title: [{json.dumps(RTF)}, {json.dumps(MIXED)}], "
    f"footnotes: [{json.dumps(SCRIPT)}]",
}
_FIGURES = """\
  - {number: "12", figure: means-by-visit, analyses: [mmrm]}
  - {number: "13", figure: profiles, analyses: [slope]}
  - {number: "14", figure: missing-patterns, analyses: [slope]}
  - {number: "15", figure: residuals, analyses: [slope]}
"""


def hostile_protocol() -> str:
    text = eventful_protocol()
    for plain, put in _PLACES.items():
        assert plain in text, plain
        text = text.replace(plain, put, 1)
    return text + _FIGURES


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    people = eventful_subjects()
    sites = [SCRIPT, RTF, FORMULA, MIXED.replace("\u202e", ""), "../../etc/passwd", LONG.strip()]
    people["SITE"] = [sites[i % len(sites)] for i in range(len(people))]
    people.loc[5, "REASON"] = SCRIPT
    file = eventful_trial(folder / "trial", protocol=hostile_protocol(), adsl=people)
    assert main(["run", str(file), "--out", str(folder / "in" / "out")]) == 0
    return folder / "in" / "out"


class _Tags(HTMLParser):
    """The tags and attributes of a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags = set[str]()
        self.attributes = set[str]()
        self.images = list[str]()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}
        self.images += [value or "" for name, value in attrs if name == "src"]


def test_every_output_is_made(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert {made["status"] for made in manifest["outputs"]} == {"made"}
    assert len(manifest["outputs"]) == 15


def test_files_are_written_into_the_folder_and_nowhere_else(out: Path) -> None:
    assert [path.name for path in out.parent.iterdir()] == ["out"]
    assert all(path.is_file() for path in out.iterdir())
    assert all(re.fullmatch(r"[\w.]+", path.name) for path in out.iterdir())


def test_pages_run_no_script_and_load_nothing(out: Path) -> None:
    for path in out.glob("*.html"):
        page = _Tags(path.read_text(encoding="utf-8"))
        assert "script" not in page.tags, path.name
        assert not {name for name in page.attributes if name.startswith("on")}, path.name
        assert all(source.startswith("data:image/png") for source in page.images), path.name


def test_the_index_says_the_hostile_texts_as_text(out: Path) -> None:
    page = (out / "index.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    assert "\u202e" not in page
    assert "word word word" in page


def test_rtf_obeys_no_field_and_its_braces_match(out: Path) -> None:
    for path in out.glob("*.rtf"):
        content = path.read_text(encoding="ascii")
        bare = re.sub(r"\\[\\{}]", "", content)
        assert bare.count("{") == bare.count("}"), path.name
        assert not re.search(r"(?<!\\)(\\\\)*\\(\*\\)?(field|fldinst|object)\b", content), path.name
    assert "INCLUDETEXT" in read_text(out / "t_8.rtf")


def test_workbooks_hold_no_formula(out: Path) -> None:
    for path in out.glob("*.xlsx"):
        book = openpyxl.load_workbook(path)
        cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row]
        assert {cell.data_type for cell in cells} <= {"s", "n"}, path.name


def test_plain_pages_keep_their_width_and_have_no_control_characters(out: Path) -> None:
    for path in out.glob("t_*.txt"):
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"[\x00-\x08\x0b\x0e-\x1f\u202a-\u202e]", text), path.name


def test_the_long_texts_are_there_to_the_last_word(out: Path) -> None:
    # a site of that name among the levels, broken over the lines of its cell
    assert (out / "t_9.txt").read_text(encoding="utf-8").count("word") >= 2000


def test_titles_and_footnotes_that_fill_a_page_fail_alone(tmp_path: Path) -> None:
    text = eventful_protocol()
    for found, put in (
        ("columns: [SEX, AGE]", f"columns: [SEX, AGE], title: {json.dumps(LONG)}"),
        ("footnotes: [model, events]", f"footnotes: [model, {json.dumps(LONG)}]"),
        ("figure: forest", f"figure: forest, title: {json.dumps(LONG)}"),
    ):
        text = text.replace(found, put)
    file = eventful_trial(tmp_path / "trial", protocol=text)
    out = tmp_path / "out"
    assert main(["run", str(file), "--out", str(out)]) == 1
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    statuses = {made["number"]: made["status"] for made in manifest["outputs"]}
    assert {number for number, status in statuses.items() if status != "made"} <= {"5", "9", "11"}
    assert statuses["9"] == statuses["5"] == "failed"
    for number in ("5", "9"):
        page = " ".join((out / f"t_{number}.txt").read_text(encoding="utf-8").split())
        assert "This output was not made." in page
    assert (out / "f_11.png").stat().st_size > 0
    assert (out / "index.html").stat().st_size > 0


@pytest.mark.parametrize("key", ["number", "file"])
@pytest.mark.parametrize("name", ["../../evil", "/tmp/evil", "..", "a/b", "a\\b", "con\x00"])
def test_no_name_of_an_output_leaves_the_folder(
    tmp_path: Path, key: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    first = '{number: "5",'
    put = (
        f"{{number: {json.dumps(name)},"
        if key == "number"
        else f"{first} file: {json.dumps(name)},"
    )
    file = eventful_trial(tmp_path / "trial", protocol=eventful_protocol().replace(first, put))
    out = tmp_path / "in" / "out"
    assert main(["run", str(file), "--out", str(out)]) == 2
    assert "protocol.yaml:" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == ["trial"]
