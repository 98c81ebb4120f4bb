"""CDISC Pilot 01: the tables of its clinical study report come out, cell for cell.

The RTF is parsed, not the results. Published numbers: clinical study report of 27 June 2006; at
full precision: R 4.2.2 (lm, emmeans, mmrm at the optimum), as the reference files say.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import published
import pytest
from published import ARMS, reference_table

from trialmlm.cli import main
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from collections.abc import Callable

PROTOCOL = Path(__file__).parents[2] / "protocols" / "cdisc_pilot_adas"
KEYS = {"placebo": "PBO", "low": "LOW", "high": "HIGH"}


@dataclass(frozen=True)
class Table:
    """A published table: its file, its rows, and how many numbers it displays."""

    number: str
    rows: Callable[[dict[str, object]], published.Rows]
    cells: int

    @property
    def file(self) -> str:
        return f"t_{self.number.replace('-', '_').replace('.', '_')}.rtf"


#: numbers beside the labels; of 14-1.01 each count has its percentage
TABLES = (
    Table("14-1.01", published.populations, 40),
    Table("14-3.01", published.ancova, 70),
    Table("14-3.10", published.over_time, 252),
    Table("14-3.11", published.repeated, 21),
)
every_table = pytest.mark.parametrize("table", TABLES, ids=[table.number for table in TABLES])


@pytest.fixture(scope="module")
def out(study_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output folder of the protocol as it is shipped."""
    folder = tmp_path_factory.mktemp("shipped") / "out"
    data = study_data / "cdisc_pilot"
    assert main(["run", str(PROTOCOL), "--data", str(data), "--out", str(folder)]) == 0
    return folder


@pytest.fixture(scope="module")
def results(out: Path) -> Results:
    return Results.from_json((out / "results.json").read_text(encoding="utf-8"))


@every_table
def test_every_displayed_cell_is_the_published_one(
    table: Table, out: Path, reference: Path
) -> None:
    expected = table.rows(reference_table(reference, table.number))
    assert published.body(out / table.file) == expected
    assert published.numbers(expected) == table.cells


@every_table
def test_every_column_gives_the_published_number_of_subjects(
    table: Table, out: Path, reference: Path
) -> None:
    described = reference_table(reference, "14-3.11")
    counts = described["N"]
    if table.number == "14-1.01":
        counts = reference_table(reference, table.number)["published"]["ITTFL"]
    words = {
        "placebo": "Placebo",
        "low": "Xanomeline Low Dose",
        "high": "Xanomeline High Dose",
        "total": "Total",
    }
    assert published.headings(out / table.file) == {
        f"{words[arm]} (N={n})" for arm, n in counts.items()
    }


def test_the_number_of_published_counts_of_subjects_is_20(reference: Path) -> None:
    rows = published.populations(reference_table(reference, "14-1.01"))
    assert sum(len(row) - 1 for row in rows) == 20


def test_a_difference_that_rounds_to_zero_keeps_its_sign_as_published(out: Path) -> None:
    rows = published.body(out / "t_14_3_11.rtf")
    assert rows[2][2] == "-0.0 (0.70)"


def test_the_text_tables_show_the_same_numbers_as_the_rtf(out: Path) -> None:
    for table in TABLES:
        text = (out / table.file).with_suffix(".txt").read_text(encoding="utf-8")
        words = [line.split() for line in text.splitlines()]
        for row in published.body(out / table.file):
            cells = " ".join(row[1:]).split()
            assert any(line[-len(cells) :] == cells for line in words), row


def _estimates(results: Results, names: dict[str, str], **keys: str) -> dict[str, float | None]:
    return {
        short: results.value(statistic=name, **keys) for short, name in names.items()
    }  # fmt: skip


NAMES = {
    "est": "estimate",
    "se": "std_error",
    "df": "df",
    "t": "statistic",
    "p": "p_value",
    "lower": "ci_low",
    "upper": "ci_high",
}
ANCOVA = {
    "analysis": "primary",
    "method": "ANCOVA",
    "endpoint": "adas_change",
    "population": "efficacy",
}
REPEATED = {**ANCOVA, "analysis": "repeated", "method": "MMRM"}


def _assert_equal(
    found: Results, keys: dict[str, str], held: dict[str, float], rtol: float
) -> None:
    names = {short: NAMES[short] for short in held}
    values = _estimates(found, names, **keys)
    for short, expected in held.items():
        np.testing.assert_allclose(values[short], expected, rtol=rtol, err_msg=f"{keys} {short}")


def test_ancova_ls_means_agree_with_r_at_full_precision(results: Results, reference: Path) -> None:
    model = reference_table(reference, "14-3.01")["reproduced_full_precision"]["model"]
    for arm in ARMS:
        keys = {**ANCOVA, "quantity": "ls-mean", "arm": KEYS[arm]}
        _assert_equal(results, keys, model["lsmeans_om"][arm], rtol=1e-9)


def test_ancova_differences_and_trend_agree_with_r_at_full_precision(
    results: Results, reference: Path
) -> None:
    model = reference_table(reference, "14-3.01")["reproduced_full_precision"]["model"]
    for pair, held in model["contrasts"].items():
        first, second = (KEYS[arm] for arm in pair.split("_"))
        keys = {**ANCOVA, "quantity": "difference", "arm": first, "versus": second}
        _assert_equal(results, keys, held, rtol=1e-9)
    trend = model["dose_response"]
    held = {"est": trend["slope"], "se": trend["se"], "df": trend["df_error"], "p": trend["p"]}
    _assert_equal(results, {**ANCOVA, "quantity": "dose-response"}, held, rtol=1e-9)


def test_repeated_measures_agree_with_the_reml_optimum(results: Results, reference: Path) -> None:
    held = reference_table(reference, "14-3.11")["reproduced_full_precision"]["at_reml_optimum"]
    averaged = held["main_effect_average_over_visits"]
    for arm in ARMS:
        keys = {**REPEATED, "quantity": "ls-mean", "arm": KEYS[arm]}
        _assert_equal(results, keys, averaged["lsmeans"][arm], rtol=1e-6)
    for pair, difference in averaged["diffs"].items():
        first, second = (KEYS[arm] for arm in pair.split("_"))
        keys = {**REPEATED, "quantity": "difference", "arm": first, "versus": second}
        _assert_equal(results, keys, difference, rtol=1e-6)


def test_the_covariance_and_the_likelihood_are_those_of_the_reml_optimum(
    results: Results, reference: Path
) -> None:
    held = reference_table(reference, "14-3.11")["reproduced_full_precision"]["at_reml_optimum"]
    weeks = ["Week 8", "Week 16", "Week 24"]
    keys = {**REPEATED, "quantity": "covariance", "statistic": "estimate"}
    for i, first in enumerate(weeks):
        for j, second in enumerate(weeks[: i + 1]):
            value = results.value(**keys, visit=first, group=second)
            assert value == pytest.approx(held["cov"][i][j], rel=1e-6)
    minus2 = results.value(**REPEATED, quantity="fit", statistic="minus2_loglik")
    assert minus2 == pytest.approx(3087.8430349, abs=1e-6)


def test_standard_errors_agree_with_the_sas_listing_that_stopped_early(
    results: Results, reference: Path
) -> None:
    listing = reference_table(reference, "14-3.11")["published"]["csr_sas_listing"]
    for arm in ARMS:
        keys = {**REPEATED, "quantity": "ls-mean", "arm": KEYS[arm], "statistic": "std_error"}
        assert results.value(**keys) == pytest.approx(listing["lsmeans"][arm]["se"], rel=2e-4)


def test_the_fit_used_the_subjects_and_visits_of_the_report(
    results: Results, reference: Path
) -> None:
    table = reference_table(reference, "14-3.11")
    record = results.analysis("repeated")
    assert record is not None
    counts = {(arm, visit): n for arm, visit, n in record.counts}
    assert counts == {
        (KEYS[arm], f"Week {visit.removeprefix('w')}"): n
        for visit, by_arm in table["n_by_visit"].items()
        for arm, n in by_arm.items()
    }
    assert "converged" in record.convergence


def test_the_manifest_names_every_file_that_was_written(out: Path) -> None:
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    written = {file.name for file in out.iterdir()} - {"manifest.json"}
    assert set(manifest["files"]) == written
