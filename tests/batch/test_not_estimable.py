"""Cells without data read NE with a note; analyses that fail leave a page, and the others run."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from rtf_reader import read_cells, read_text
from small_trial import PROTOCOL, records, subjects, write_trial

from trialmlm.cli import main
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

#: an output for each analysis is all these tests look at
KEYS = {
    "analysis": "mmrm",
    "method": "MMRM",
    "endpoint": "score_change",
    "population": "efficacy",
    "statistic": "estimate",
}


def _run(folder: Path, *, code: int, protocol: str = PROTOCOL, **data: pd.DataFrame) -> Path:
    file = write_trial(folder / "trial", protocol=protocol, **data)
    out = folder / "out"
    assert main(["run", str(file), "--out", str(out)]) == code
    return out


def _results(out: Path) -> Results:
    return Results.from_json((out / "results.json").read_text(encoding="utf-8"))


def _of(arm: str) -> set[str]:
    people = subjects()
    return set(people.loc[people["TRT01P"] == arm, "USUBJID"])


def _without(arm: str, *visits: str) -> pd.DataFrame:
    """The records, without those of an arm at some visits."""
    made = records(subjects())
    return made[~(made["USUBJID"].isin(_of(arm)) & made["AVISIT"].isin(visits))]


def _notes(out: Path, number: str) -> list[str]:
    """The footnotes of an output that explain NE; a long one is joined again."""
    text = " ".join(read_text(out / f"t_{number}.rtf").split())
    return [f"NE: {part.split('.')[0]}." for part in text.split("NE: ")[1:]]


@pytest.fixture(scope="module")
def empty_cell(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run in which arm High has nobody at Week 8."""
    return _run(tmp_path_factory.mktemp("cell"), code=0, adqs=_without("High", "Week 8"))


def test_an_arm_and_visit_without_data_reads_ne_and_the_others_are_estimated(
    empty_cell: Path,
) -> None:
    results = _results(empty_cell)
    estimates = {
        (arm, visit): results.value(**KEYS, quantity="ls-mean", arm=arm, visit=visit)
        for arm in ("PBO", "LOW", "HIGH")
        for visit in ("Week 4", "Week 8", "Week 12")
    }
    lacking = [cell for cell, value in estimates.items() if value is None or math.isnan(value)]
    assert lacking == [("HIGH", "Week 8")]
    rows = read_cells(empty_cell / "t_4.rtf")
    (means,) = (row for row in rows if row[0].startswith("LS Means") and "NE" in row)
    assert means[-1] == "NE"
    assert "NE" not in means[1:-1]
    assert ["n", "11", "16", "0"] in rows


def test_the_table_says_why_it_reads_ne(empty_cell: Path) -> None:
    assert _notes(empty_cell, "4") == ["NE: not estimable: no data for High Dose at Week 8."]
    assert _notes(empty_cell, "3") == [
        "NE: not estimable: no data for High Dose at Week 8 (Windowed)."
    ]
    assert _notes(empty_cell, "2") == []


def test_the_results_say_why_there_is_no_estimate(empty_cell: Path) -> None:
    results = _results(empty_cell)
    keys = {**KEYS, "quantity": "ls-mean", "arm": "HIGH"}
    assert results.note(**keys, visit="Week 8") == "not estimable: no data"
    assert results.note(**keys, visit="Week 4") == ""


def test_a_mean_over_visits_needs_data_at_every_visit_and_says_where_they_lack(
    tmp_path: Path,
) -> None:
    averaged = "df: kenward-roger\n    average_over: visits"
    protocol = PROTOCOL.replace("df: kenward-roger", averaged)
    out = _run(tmp_path, code=0, protocol=protocol, adqs=_without("High", "Week 8"))
    (means,) = (row for row in read_cells(out / "t_4.rtf") if row[0].startswith("LS Means"))
    assert means[-1] == "NE"
    assert _notes(out, "4") == ["NE: not estimable: no data at Week 8 for High Dose."]


def test_an_arm_without_any_value_reads_ne_throughout(tmp_path: Path) -> None:
    out = _run(tmp_path, code=0, adqs=_without("High", "Week 4", "Week 8", "Week 12"))
    assert _notes(out, "4") == [
        "NE: not estimable: no data for High Dose at Week 4, Week 8, Week 12."
    ]
    assert _notes(out, "2") == ["NE: not estimable: no data at Week 12 for High Dose."]
    difference = {**KEYS, "quantity": "difference", "visit": "Week 12", "versus": "PBO"}
    results = _results(out)
    low, high = (results.value(**difference, arm=arm) for arm in ("LOW", "HIGH"))
    assert low is not None
    assert math.isfinite(low)
    assert high is not None
    assert math.isnan(high)


def test_an_arm_without_any_subject_has_its_column_and_reads_ne(tmp_path: Path) -> None:
    people, made = subjects(), records(subjects())
    adsl, adqs = people[people["TRT01P"] != "High"], made[~made["USUBJID"].isin(_of("High"))]
    out = _run(tmp_path, code=0, adsl=adsl, adqs=adqs)
    assert "High Dose (N=0)" in read_cells(out / "t_4.rtf")[0]
    assert "no subject of the population is in arm 'High'" in (out / "run.log").read_text()


def test_a_visit_without_any_data_reads_ne_for_every_arm(tmp_path: Path) -> None:
    made = records(subjects())
    out = _run(tmp_path, code=0, adqs=made[made["AVISIT"] != "Week 8"])
    assert _notes(out, "4") == [
        "NE: not estimable: no data for Placebo at Week 8; Low Dose at Week 8; High Dose at Week 8."
    ]


def test_one_value_has_a_mean_and_no_standard_deviation(tmp_path: Path) -> None:
    made = _without("High", "Week 8")
    one = records(subjects()).query("USUBJID == 'S-006' and AVISIT == 'Week 8'")
    out = _run(tmp_path, code=0, adqs=pd.concat([made, one]))
    (row,) = (
        row
        for row in read_cells(out / "t_3.rtf")
        if row[0] == "Week 8 (Windowed)" and row[1] == "1"
    )
    assert row[2] != "NE"
    assert row[3] == "NE"
    assert _notes(out, "3") == [
        "NE: not estimable: a single value for High Dose at Week 8 (Windowed)."
    ]


def test_a_blank_covariate_is_missing_and_not_a_level(tmp_path: Path) -> None:
    people = subjects()
    people.loc[0, "SEX"] = ""
    out = _run(tmp_path, code=0, adsl=people)
    record = _results(out).analysis("mmrm")
    assert record is not None
    assert "3 of 141 rows not used: SEX missing in 3" in record.notes
    assert {arm: n for arm, visit, n in record.counts if visit == "Week 4"}["PBO"] == 17


def _broken() -> Iterator[tuple[str, dict[str, pd.DataFrame], dict[str, str]]]:
    made = records(subjects())
    half = made["USUBJID"].isin(subjects()["USUBJID"][:30])
    week_8, week_12 = made["AVISIT"] == "Week 8", made["AVISIT"] == "Week 12"
    apart = made[~((half & week_12) | (~half & week_8))]
    yield "visits that nobody has both of", {"adqs": apart}, {"mmrm": "Week 8 and Week 12"}
    alike = subjects().assign(SEX="F")
    only = "SEX has only the level 'F'"
    yield "a factor of one level", {"adsl": alike}, {"locf": only, "mmrm": only}


BROKEN = {name: (data, said) for name, data, said in _broken()}


@pytest.mark.parametrize("name", BROKEN)
def test_an_analysis_that_cannot_be_fitted_leaves_a_page_and_the_others_are_delivered(
    name: str, tmp_path: Path
) -> None:
    data, said = BROKEN[name]
    out = _run(tmp_path, code=1, **data)
    failed = {"locf": "2", "mmrm": "4"}
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    status = {output["number"]: output["status"] for output in manifest["outputs"]}
    expected = {number: "failed" for analysis, number in failed.items() if analysis in said}
    assert status == {"1": "made", "2": "made", "3": "made", "4": "made"} | expected
    for analysis, reason in said.items():
        number = failed[analysis]
        plain = (out / f"t_{number}.txt").read_text(encoding="utf-8")
        for text in (read_text(out / f"t_{number}.rtf"), plain):
            joined = " ".join(text.split())
            assert "This output was not made" in joined
            assert reason in joined
        record = _results(out).analysis(analysis)
        assert record is not None
        assert reason in record.failure
    assert "ERROR: analysis mmrm" in (out / "run.log").read_text(encoding="utf-8")
    assert len(read_cells(out / "t_3.rtf")) > 20
