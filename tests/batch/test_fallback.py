"""The fallback of a protocol: which model the numbers are of, and where that is said."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from small_trial import PROTOCOL, records, subjects, write_trial

from trialmlm.cli import main
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from pathlib import Path

LIST = "if_unconverged: [restart, {R: toeph, df: satterthwaite}, {R: cs}, report-failure]"
MMRM = {"analysis": "mmrm", "method": "MMRM", "endpoint": "score", "population": "efficacy"}


def _protocol(remedies: str = LIST) -> str:
    return PROTOCOL.replace("    df: kenward-roger\n", f"    df: kenward-roger\n    {remedies}\n")


def _apart() -> pd.DataFrame:
    """No subject has both Week 8 and Week 12."""
    made = records(subjects())
    odd = made["USUBJID"].str[-1].astype(int) % 2 == 1
    gone = (odd & (made["AVISIT"] == "Week 8")) | (~odd & (made["AVISIT"] == "Week 12"))
    return made[~gone]


def _run(folder: Path, code: int, protocol: str, adqs: pd.DataFrame | None = None) -> Path:
    file = write_trial(folder / "trial", protocol=protocol, adqs=adqs)
    assert main(["run", str(file), "--out", str(folder / "out")]) == code
    return folder / "out"


def _results(out: Path) -> Results:
    return Results.from_json((out / "results.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def fallen(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("fallen"), 0, _protocol(), _apart())


def test_the_rows_carry_the_step_and_its_degrees_of_freedom(fallen: Path) -> None:
    frame = pd.read_csv(fallen / "results.csv", keep_default_na=False)
    rows = frame[frame["analysis"] == "mmrm"]
    assert set(rows["step"]) == {"2 of 3: toeph, satterthwaite"}
    assert set(rows["df_method"]) == {"satterthwaite"}
    assert set(frame.loc[frame["analysis"] == "locf", "step"]) == {""}


def test_the_record_names_the_model_that_was_fitted_and_why_not_the_first(fallen: Path) -> None:
    record = _results(fallen).analysis("mmrm")
    assert record is not None
    said = record.specification
    assert said["model"].endswith("+ toeph(AVISIT | USUBJID)")
    assert said["covariance"] == "heterogeneous toeplitz covariance over the visits"
    assert said["degrees of freedom"] == "Satterthwaite degrees of freedom"
    assert said["fallback"].startswith(
        "Pre-specified fallback, step 2 of 3: heterogeneous toeplitz covariance "
        "(toeph, satterthwaite). Not used: us, kenward-roger: no subject has both visits Week 8"
    )


def test_a_footnote_tells_it(fallen: Path) -> None:
    page = " ".join((fallen / "t_4.txt").read_text(encoding="utf-8").split())
    assert "Pre-specified fallback, step 2 of 3: heterogeneous toeplitz covariance" in page
    assert "MMRM: CHG ~ TRT01P * AVISIT + BASE * AVISIT + SEX + toeph(AVISIT | USUBJID)" in page


def test_the_first_model_is_used_where_it_can_be(tmp_path: Path) -> None:
    out = _run(tmp_path / "list", 0, _protocol())
    plain = _run(tmp_path / "plain", 0, PROTOCOL)
    one, two = _results(out), _results(plain)
    keys = {**MMRM, "quantity": "difference", "arm": "HIGH", "versus": "PBO", "visit": "Week 12"}
    for name in ("estimate", "std_error", "df"):
        assert one.value(**keys, statistic=name) == two.value(**keys, statistic=name)
    record = one.analysis("mmrm")
    assert record is not None
    assert "fallback" not in record.specification
    assert {s.step for s in one.statistics if s.analysis == "mmrm"} == {"1 of 3: us, kenward-roger"}
    assert {s.step for s in two.statistics} == {""}


def test_when_all_fail_every_reason_is_on_the_page_and_no_number(tmp_path: Path) -> None:
    made = _apart()
    base = made["USUBJID"].map(dict(zip(made["USUBJID"], made["BASE"], strict=True)))
    flat = made.assign(AVAL=base * 2, CHG=base)
    out = _run(tmp_path, 1, _protocol(), flat)
    record = _results(out).analysis("mmrm")
    assert record is not None
    assert record.failure.startswith("none of the 3 pre-specified models can be fitted; step 1 not")
    assert "step 3 not used: cs, kenward-roger: " in record.failure
    assert not [s for s in _results(out).statistics if s.analysis == "mmrm"]
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert {o["number"]: o["status"] for o in manifest["outputs"]}["4"] == "failed"


def test_a_step_with_a_sandwich(tmp_path: Path) -> None:
    remedy = "if_unconverged: [{R: toeph, vcov: CR3, df: between-within}]"
    out = _run(tmp_path, 0, _protocol(remedy), _apart())
    rows = [s for s in _results(out).statistics if s.analysis == "mmrm"]
    assert {s.step for s in rows} == {"2 of 2: toeph, CR3, between-within"}
    assert {s.df_method for s in rows} == {"between-within"}
    record = _results(out).analysis("mmrm")
    assert record is not None
    assert record.specification["standard errors"] == "CR3 sandwich"
    page = " ".join((out / "t_4.txt").read_text(encoding="utf-8").split())
    assert "CR3 sandwich" in page


@pytest.mark.parametrize(
    ("remedy", "said"),
    [
        ("{R: magic}", "if_unconverged: covariance magic: not available in this version"),
        ("{R: sp_exp}", "if_unconverged: covariance sp_exp"),
        ("{R: toeph, vcov: CR3}", "if_unconverged: vcov: CR3 with df: kenward-roger"),
        ("{G: diagonal}", "if_unconverged: a simpler model"),
    ],
)
def test_a_step_that_is_not_built_is_refused_before_the_run(
    tmp_path: Path, remedy: str, said: str
) -> None:
    out = _run(tmp_path, 1, _protocol(f"if_unconverged: [{remedy}]"))
    assert said in " ".join((out / "run.log").read_text(encoding="utf-8").split())
