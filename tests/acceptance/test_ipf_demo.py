"""The flagship: a simulated trial from nothing to its tables, figures and index page."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from rtf_reader import read_cells, read_text

import trialmlm as tm
from trialmlm.cli import main

PROTOCOL = Path(__file__).parents[2] / "protocols" / "ipf_fvc"
RUN = "import sys; from trialmlm.cli import main; sys.exit(main(sys.argv[1:]))"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The commands of `make demo`, in this process."""
    folder = tmp_path_factory.mktemp("demo")
    assert main(["simulate", str(PROTOCOL), "--out", str(folder / "data")]) == 0
    arguments = ["--data", str(folder / "data"), "--out", str(folder), "--run-time", "now"]
    assert main(["run", str(PROTOCOL), *arguments]) == 0
    return folder


def test_every_output_is_made_and_none_is_empty(demo: Path) -> None:
    manifest = json.loads((demo / "manifest.json").read_text())
    assert [made["status"] for made in manifest["outputs"]] == ["made"] * 26
    for page in demo.glob("t_*.txt"):
        assert "No data to report" not in page.read_text(), page.name


def test_check_finds_every_column_that_the_protocol_names(
    demo: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(PROTOCOL), "--data", str(demo / "data")]) == 0
    said = capsys.readouterr().out
    assert "cannot be" not in said
    assert "NOT MADE" not in said


def test_every_page_says_that_the_data_are_simulated(demo: Path) -> None:
    for page in demo.glob("t_*.rtf"):
        assert "SIMULATED DATA" in read_text(page), page.name
    assert "SIMULATED DATA" in (demo / "index.html").read_text()


def test_the_rate_of_decline_is_that_of_the_model_on_the_data(demo: Path) -> None:
    fvc = pd.read_csv(demo / "data" / "adfvc.csv", keep_default_na=False)
    fvc = fvc[(fvc["PARAMCD"] == "FVC") & (fvc["ANL01FL"] == "Y")]
    subjects = pd.read_csv(demo / "data" / "adsl.csv", keep_default_na=False)
    columns = ["USUBJID", "SEX", "AGE", "HEIGHT"]
    data = fvc[["USUBJID", "TRT01P", "AVAL", "YEARS"]].merge(subjects[columns], on="USUBJID")
    data["TRT01P"] = pd.Categorical(data["TRT01P"], ["Placebo", "Active 150 mg bid"])
    data = data.astype({"AVAL": float, "YEARS": float})
    fit = tm.lmm(
        "AVAL ~ TRT01P * YEARS + SEX + AGE + HEIGHT + (1 + YEARS | USUBJID)",
        data,
        df="kenward-roger",
    )
    slopes = fit.slopes("YEARS", by="TRT01P")
    cells = {row[0]: row[1:] for row in read_cells(demo / "t_14_2_1_1.rtf")}
    printed = [f"{s.estimate:.1f} ({s.std_error:.2f})" for s in slopes.frame.itertuples()]
    assert cells["Adjusted rate (SE), mL/year [1]"] == printed
    (difference,) = slopes.contrasts("vs-control").frame.to_dict("records")
    expected = f"{difference['estimate']:.1f} ({difference['std_error']:.2f})"
    assert cells["Difference from Placebo (SE)"] == ["", expected]


def test_the_slope_of_the_sap_s_text_is_that_of_the_model_whose_parts_can_be_told(
    demo: Path,
) -> None:
    results = json.loads((demo / "results.json").read_text())
    found = pd.DataFrame(results["statistics"], columns=results["columns"])
    found = found[found["quantity"] == "slope-difference"].set_index(["analysis", "statistic"])
    for statistic in ("estimate", "std_error"):
        well_posed = found.loc[("A1", statistic), "value"]
        # a few percent: the residual's structure moves weights of visits, not the question
        assert found.loc[("A1.sap_text", statistic), "value"] == pytest.approx(well_posed, rel=0.03)
    (record,) = (one for one in results["analyses"] if one["name"] == "A1.sap_text")
    assert "its division is a convention" in record["specification"]["covariance"]
    assert any("random-intercept variance can be moved" in note for note in record["notes"])


def test_sites_are_printed_as_the_model_predicts_them(demo: Path) -> None:
    fvc = pd.read_csv(demo / "data" / "adfvc.csv", keep_default_na=False)
    fvc = fvc[(fvc["PARAMCD"] == "FVC") & (fvc["ANL01FL"] == "Y")]
    subjects = pd.read_csv(demo / "data" / "adsl.csv", keep_default_na=False)
    columns = ["USUBJID", "SITEID", "SEX", "AGE", "HEIGHT"]
    data = fvc[["USUBJID", "TRT01P", "AVAL", "YEARS"]].merge(subjects[columns], on="USUBJID")
    data = data.astype({"AVAL": float, "YEARS": float})
    sites = "AVAL ~ TRT01P * YEARS + SEX + AGE + HEIGHT + (1 + YEARS | SITEID/USUBJID)"
    table = tm.lmm(sites, data).random_effects()
    table = table[table["group"] == "SITEID"].set_index(["level", "term"])
    counts = data.groupby("SITEID")["USUBJID"].agg(["nunique", "size"])
    cells = {row[0]: row[1:] for row in read_cells(demo / "t_14_2_1_11.rtf")}
    for site in counts.index:
        own = [table.loc[site, term] for term in ("(Intercept)", "YEARS")]
        printed = [f"{one['estimate']:.1f} ({one['std_error']:.2f})" for one in own]
        printed = [text.replace("-0.0 ", "0.0 ") for text in printed]
        assert cells[site] == [*map(str, counts.loc[site]), *printed]


def test_methods_stand_side_by_side_with_role_and_assumption(demo: Path) -> None:
    text = " ".join(read_text(demo / "t_14_2_1_3.rtf").split())
    for said in ("Random slopes", "MMRM of completers", "ANCOVA with LOCF", "Comparator"):
        assert said in text
    assert "slope, mL/year" in text
    assert "Missing at random" in text


#: the set of the statistical analysis plan, section 4.3: number -> analysis and its role
SET = {
    "S-1": ("A1.mar", "sensitivity"),
    "S-2": ("A1.dead_worst", "sensitivity"),
    "S-3": ("A1.jump", "sensitivity"),
    "S-4": ("A1.copy", "sensitivity"),
    "S-5": ("A1.increments", "sensitivity"),
    "S-6": ("A1.tipping", "sensitivity"),
    "S-7": ("A2.locf", "comparator"),
    "S-8": ("A2.worst", "comparator"),
    "S-9": ("A2.ranks", "supplementary"),
    "S-11": ("A1.on_drug", "supplementary"),
    "S-12": ("A1.completers", "comparator"),
    "S-13": ("A1.no_exacerbation", "sensitivity"),
    "S-14": ("A1.quadratic", "supplementary"),
    "S-15": ("A1.robust", "sensitivity"),
}


def test_the_set_of_missing_data_analyses_is_made_in_the_roles_of_the_plan(demo: Path) -> None:
    results = json.loads((demo / "results.json").read_text())
    made = {one["name"]: one for one in results["analyses"]}
    assert {made[name]["role"] == role for name, role in SET.values()} == {True}
    assert {made[name]["failure"] for name, _ in SET.values()} == {""}
    found = pd.DataFrame(results["statistics"], columns=results["columns"])
    slope = found[(found["quantity"] == "slope-difference") & (found["group"] == "")]
    estimates = slope[slope["statistic"] == "estimate"].set_index("analysis")["value"]
    errors = slope[slope["statistic"] == "monte_carlo_se"].set_index("analysis")["value"]
    # imputing at random and analysing as A1 does asks what the likelihood of A1 answers; the
    # imputation model is richer, so the two differ by a share of the standard error of 24
    assert estimates["A1.mar"] == pytest.approx(estimates["A1"], abs=3.0)
    # borrowing from placebo after the stop pulls the slope on active towards that on placebo
    for name in ("A1.jump", "A1.copy", "A1.increments"):
        assert estimates[name] < estimates["A1.mar"] - 2.0 * errors[name]


def test_records_and_results_carry_what_figures_show(demo: Path) -> None:
    records = pd.read_csv(demo / "records.csv", keep_default_na=False)
    fitted = {"A1", "A1.sap_text", "A1.sites", "A1.robust", "A1.no_exacerbation", "A1.on_drug",
              "A1.quadratic", "A1.completers", "A2", "A2.completers"}  # fmt: skip
    assert set(records["analysis"]) == fitted
    own = records[records["analysis"] == "A1"]
    assert own["subject"].nunique() == 513
    assert (own["observed"] != "").all()


#: what stands on the six analyses that impute for the random slopes, by the same code as A2.jump
#: and A2.tipping do for the repeated measures, and that take half the time of a run
MANY = {"14.2.1.3", "14.2.1.4", "14.2.1.13"}


def elsewhere(demo: Path, out: Path, *options: str) -> dict[str, bytes]:
    """The files that another process makes of the same data, with its own order of sets."""
    arguments = ["run", str(PROTOCOL), "--data", str(demo / "data"), "--out", str(out)]
    subprocess.run(
        [sys.executable, "-c", RUN, *arguments, "--run-time", "now", *options],
        check=True,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
    )
    return {path.name: path.read_bytes() for path in out.iterdir() if path.is_file()}


def test_another_process_makes_the_same_bytes_of_nearly_every_output(
    demo: Path, tmp_path: Path
) -> None:
    outputs = json.loads((demo / "manifest.json").read_text())["outputs"]
    chosen = [made["number"] for made in outputs if made["number"] not in MANY]
    assert len(chosen) == 23
    made = elsewhere(demo, tmp_path, "--only", *chosen)
    pages = [name for name in made if name.startswith(("t_", "f_"))]
    assert len(pages) > 2 * len(chosen)
    assert [name for name in pages if made[name] != (demo / name).read_bytes()] == []


@pytest.mark.slow
def test_another_process_makes_the_same_bytes(demo: Path, tmp_path: Path) -> None:
    first = {path.name: path.read_bytes() for path in demo.iterdir() if path.is_file()}
    second = elsewhere(demo, tmp_path)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == []
