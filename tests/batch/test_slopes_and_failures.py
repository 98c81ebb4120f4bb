"""Slopes in the results are the model's; what fails is said, and what does not is delivered."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pandas as pd
import pytest
from eventful_trial import (
    eventful_protocol,
    eventful_subjects,
    eventful_trial,
    inputs_of,
    measured,
    task_of,
)
from rtf_reader import read_cells
from small_trial import records, subjects

import trialmlm as tm
from trialmlm.cli import main
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from pathlib import Path

SLOPE = {"analysis": "slope", "method": "LMM", "endpoint": "score", "population": "efficacy"}


def _run(folder: Path, *, code: int, only: tuple[str, ...] = (), **changes: object) -> Path:
    """The folder of what a run wrote: all outputs, or those and the analyses that a test reads."""
    file = eventful_trial(folder / "trial", **changes)  # type: ignore[arg-type]
    chosen = ["--only", *only] if only else []
    assert main(["run", str(file), "--out", str(folder / "out"), *chosen]) == code
    return folder / "out"


def _results(out: Path) -> Results:
    return Results.from_json((out / "results.json").read_text(encoding="utf-8"))


def _statuses(out: Path) -> dict[str, str]:
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    return {output["number"]: output["status"] for output in manifest["outputs"]}


def _plain(path: Path) -> str:
    return " ".join(path.read_text(encoding="utf-8").split())


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _run(tmp_path_factory.mktemp("eventful"), code=0)


def test_slopes_and_differences_are_those_of_lmm_on_the_same_rows(out: Path) -> None:
    task = task_of(inputs_of(out.parent / "trial" / "protocol.yaml"), "slope")
    assert task.analysis.model is not None
    fit = tm.lmm(task.analysis.model, task.frame, df=task.analysis.df)
    slopes = fit.slopes("YEARS", by="TRT01P")
    results = _results(out)
    for arm, row in zip(("PBO", "LOW", "HIGH"), slopes.frame.itertuples(), strict=True):
        found = [
            results.value(**SLOPE, quantity="slope", arm=arm, statistic=name)
            for name in ("estimate", "std_error", "df", "ci_low", "ci_high")
        ]
        expected = [row.estimate, row.std_error, row.df, row.ci_low, row.ci_high]
        assert found == pytest.approx(expected, rel=1e-12)
    contrasts = slopes.contrasts("vs-control").frame
    for arm, row in zip(("LOW", "HIGH"), contrasts.itertuples(), strict=True):
        keys = {**SLOPE, "quantity": "slope-difference", "arm": arm, "versus": "PBO"}
        found = [results.value(**keys, statistic=name) for name in ("estimate", "p_value")]
        assert found == pytest.approx([row.estimate, row.p_value], rel=1e-12)


def test_the_relative_reduction_is_one_less_the_ratio_of_the_slopes(out: Path) -> None:
    results = _results(out)
    slope = {
        arm: results.value(**SLOPE, quantity="slope", arm=arm, statistic="estimate")
        for arm in ("PBO", "LOW")
    }
    found = results.value(
        **SLOPE, quantity="relative-reduction", arm="LOW", versus="PBO", statistic="estimate"
    )
    assert slope["LOW"] is not None
    assert slope["PBO"] is not None
    assert found == pytest.approx(100 * (1 - slope["LOW"] / slope["PBO"]))


def test_counts_are_of_the_rows_used(out: Path) -> None:
    frame = task_of(inputs_of(out.parent / "trial" / "protocol.yaml"), "slope").frame
    results = _results(out)
    for arm, value in (("PBO", "Placebo"), ("LOW", "Low"), ("HIGH", "High")):
        own = frame[frame["TRT01P"] == value]
        keys = {**SLOPE, "quantity": "count", "arm": arm}
        assert results.value(**keys, statistic="n") == own["USUBJID"].nunique()
        assert results.value(**keys, statistic="values") == len(own)


def test_every_row_used_is_a_record_that_the_figures_may_show(out: Path) -> None:
    made = pd.read_csv(out / "records.csv", keep_default_na=False)
    own = made[made["analysis"] == "slope"]
    frame = task_of(inputs_of(out.parent / "trial" / "protocol.yaml"), "slope").frame
    assert len(own) == len(frame)
    assert own["observed"].astype(float).sum() == pytest.approx(frame["AVAL"].sum())
    assert set(own["arm"]) == {"PBO", "LOW", "HIGH"}
    assert own["time"].astype(float).min() == 0.0


def test_the_table_of_slopes_prints_the_results(out: Path) -> None:
    results = _results(out)
    rows = {row[0]: row[1:] for row in read_cells(out / "t_5.rtf")}
    values = [
        (
            results.value(**SLOPE, quantity="slope", arm=arm, statistic="estimate"),
            results.value(**SLOPE, quantity="slope", arm=arm, statistic="std_error"),
        )
        for arm in ("PBO", "LOW", "HIGH")
    ]
    assert rows["Adjusted rate (SE) per year [1]"] == [f"{a:.2f} ({b:.3f})" for a, b in values]


def test_strategies_are_said_in_words(out: Path) -> None:
    said = (
        "Intercurrent events: rescue (hypothetical), death (hypothetical); hypothetical: as if "
        "rescue or death had not happened."
    )
    assert said in _plain(out / "t_5.txt")


@pytest.fixture(scope="module")
def one_fails(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run whose MMRM has two visits that nobody has both of."""
    made = records(subjects())
    half = made["USUBJID"].isin(subjects()["USUBJID"][:30])
    week_8, week_12 = made["AVISIT"] == "Week 8", made["AVISIT"] == "Week 12"
    apart = made[~((half & week_12) | (~half & week_8))]
    folder = tmp_path_factory.mktemp("fails")
    return _run(folder, code=1, rescue="treatment-policy", adqs=apart)


def test_an_analysis_that_failed_is_a_row_among_the_methods_compared(one_fails: Path) -> None:
    assert _statuses(one_fails)["6"] == "made"
    rows = read_cells(one_fails / "t_6.rtf")
    text = _plain(one_fails / "t_6.txt")
    assert [row[0] for row in rows[1:]].count("mmrm") == 1
    assert "Not made:" in text
    assert sum(row[0].startswith(("Random slopes", "locf")) for row in rows) == 4


def test_the_forest_of_the_methods_stands_although_one_of_them_failed(one_fails: Path) -> None:
    assert _statuses(one_fails)["11"] == "made"
    assert (one_fails / "f_11.png").read_bytes()[:4] == b"\x89PNG"


def test_an_output_of_the_failed_analysis_alone_is_a_page_that_says_why(one_fails: Path) -> None:
    assert _statuses(one_fails)["10"] == "failed"
    assert "This output was not made. analysis mmrm:" in _plain(one_fails / "t_10.txt")
    assert {n: s for n, s in _statuses(one_fails).items() if s != "made"} == {
        "10": "failed",
        "4": "failed",
    }


def _at_one_time() -> pd.DataFrame:
    """Baseline on day 1 and one visit on its target day: two rows determine no random slope."""
    made = measured()
    kept = made[made["AVISIT"].isin(["Baseline", "Week 4"])].copy()
    first = kept["USUBJID"].map(dict(zip(subjects()["USUBJID"], subjects()["TRTSDT"], strict=True)))
    days = (kept["AVISIT"] == "Week 4") * 28
    moved = pd.to_datetime(first) + pd.to_timedelta(days, unit="D")
    return kept.assign(ADT=moved.dt.strftime("%Y-%m-%d")).drop(columns="DAY")


def test_random_slopes_on_one_visit_leave_a_page_and_the_others_are_delivered(
    tmp_path: Path,
) -> None:
    text = eventful_protocol("treatment-policy").replace(
        "at: Week 12\n    dose", "at: Week 4\n    dose"
    )
    out = _run(tmp_path, code=1, only=("5", "7", "8", "9"), protocol=text, adqs=_at_one_time())
    statuses = _statuses(out)
    record = _results(out).analysis("slope")
    assert record is not None
    assert record.failure
    assert statuses["5"] == "failed"
    assert statuses["7"] == statuses["8"] == statuses["9"] == "made"
    assert f"analysis slope: {record.failure.split()[0]}" in _plain(out / "t_5.txt")


@pytest.mark.parametrize(
    ("remedies", "code", "said"),
    [
        ("[report-failure]", 0, ""),
        ("[restart, report-failure]", 0, ""),
        ("[{G: diagonal}]", 1, "a simpler model: not available in this version"),
    ],
)
def test_remedies_that_are_not_built_are_refused_and_the_others_change_nothing(
    tmp_path: Path, remedies: str, code: int, said: str
) -> None:
    main_analysis = "    df: kenward-roger\n"
    text = eventful_protocol().replace(
        main_analysis, f"{main_analysis}    if_unconverged: {remedies}\n"
    )
    out = _run(tmp_path, code=code, only=("mmrm", "10"), protocol=text)
    assert said in _plain(out / "run.log")


def test_a_shell_of_one_analysis_refuses_several(tmp_path: Path) -> None:
    text = eventful_protocol().replace(
        "covariance, analyses: [mmrm]", "covariance, analyses: [mmrm, locf]"
    )
    out = _run(tmp_path, code=1, only=("10",), protocol=text)
    assert _statuses(out)["10"] != "made"
    assert "one analysis" in _plain(out / "t_10.txt")


def test_a_sandwich_and_its_df_are_those_asked_for_and_said(tmp_path: Path) -> None:
    asked = "    df: between-within\n    vcov: CR2\n"
    text = eventful_protocol().replace("    df: kenward-roger\n", asked)
    out = _run(tmp_path, code=0, only=("mmrm",), protocol=text)
    results = _results(out)
    record = results.analysis("mmrm")
    assert record is not None
    assert record.specification["degrees of freedom"] == "between-within degrees of freedom"
    assert record.specification["standard errors"] == "CR2 sandwich"
    task = task_of(inputs_of(out.parent / "trial" / "protocol.yaml"), "mmrm")
    fit = tm.mmrm(task.analysis.model or "", task.frame, df="between-within", vcov="CR2")
    means = fit.ls_means("TRT01P", by="AVISIT").contrasts("vs-control", control="Placebo").frame
    row = means[(means["AVISIT"] == "Week 12") & (means["contrast"] == "High - Placebo")]
    keys = {**SLOPE, "analysis": "mmrm", "method": "MMRM", "endpoint": "score_change"}
    keys |= {"quantity": "difference", "arm": "HIGH", "versus": "PBO", "visit": "Week 12"}
    found = [results.value(**keys, statistic=name) for name in ("std_error", "df")]
    assert found == pytest.approx(row[["std_error", "df"]].to_numpy()[0].tolist(), rel=1e-12)


def test_random_slopes_have_the_sandwich_asked_for(tmp_path: Path) -> None:
    model = "    model: AVAL ~ TRT01P * YEARS + SEX + (1 + YEARS | USUBJID)\n"
    asked = f"{model}    df: satterthwaite\n    vcov: CR2\n"
    out = _run(
        tmp_path, code=0, only=("slope",), protocol=eventful_protocol().replace(model, asked)
    )
    results = _results(out)
    record = results.analysis("slope")
    assert record is not None
    assert record.specification["standard errors"] == "CR2 sandwich"
    task = task_of(inputs_of(out.parent / "trial" / "protocol.yaml"), "slope")
    fit = tm.lmm(task.analysis.model or "", task.frame, vcov="CR2")
    slopes = fit.slopes("YEARS", by="TRT01P").frame.set_index("TRT01P").loc["High"]
    keys = {**SLOPE, "quantity": "slope", "arm": "HIGH"}
    found = [results.value(**keys, statistic=name) for name in ("std_error", "df")]
    assert found == pytest.approx(slopes[["std_error", "df"]].tolist(), rel=1e-12)


def test_a_covariance_for_each_arm_and_means_over_the_subjects(tmp_path: Path) -> None:
    text = eventful_protocol()
    assert "us(AVISIT | USUBJID)" in text
    text = text.replace("us(AVISIT | USUBJID)", "cs(AVISIT | TRT01P / USUBJID)").replace(
        "    df: kenward-roger\n", "    df: kenward-roger\n    weights: counterfactual\n"
    )
    out = _run(tmp_path, code=0, only=("10",), protocol=text)
    results = _results(out)
    task = task_of(inputs_of(out.parent / "trial" / "protocol.yaml"), "mmrm")
    fit = tm.mmrm(task.analysis.model or "", task.frame, df="kenward-roger")
    keys = {**SLOPE, "analysis": "mmrm", "method": "MMRM", "endpoint": "score_change"}
    for key, arm in task.protocol.ordered_arms.items():
        own = fit.covariance[arm.value]
        found = results.value(
            **{**keys, "quantity": "covariance", "arm": key, "visit": own.index[1]},
            group=own.index[0],
            statistic="estimate",
        )
        assert found == pytest.approx(own.iloc[1, 0], rel=1e-12)
    means = fit.ls_means("TRT01P", by="AVISIT", weights="counterfactual").frame
    wanted = means[(means["AVISIT"] == "Week 12") & (means["TRT01P"] == "High")]["estimate"]
    keys |= {"quantity": "ls-mean", "arm": "HIGH", "versus": "", "visit": "Week 12"}
    assert results.value(**keys, statistic="estimate") == pytest.approx(wanted.item(), rel=1e-12)
    record = results.analysis("mmrm")
    assert record is not None
    assert record.specification["covariance"].endswith("over the visits, one for each arm")
    assert "each under every treatment" in record.specification["LS means"]
    page = _plain(out / "t_10.txt")
    assert "High" in page


def test_a_sandwich_with_kenward_roger_is_not_available(tmp_path: Path) -> None:
    asked = "    df: kenward-roger\n    vcov: CR2\n"
    text = eventful_protocol().replace("    df: kenward-roger\n", asked)
    out = _run(tmp_path, code=1, only=("mmrm",), protocol=text)
    said = "vcov: CR2 with df: kenward-roger: not available in this version"
    assert said in _plain(out / "run.log")


@pytest.fixture(scope="module")
def by_site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same trial with random sites, and containment df."""
    people = eventful_subjects()
    people["SITE"] = [f"site {i % 4}" for i in range(len(people))]
    old = "SEX + (1 + YEARS | USUBJID)"
    text = eventful_protocol()
    assert text.count(old) == 1
    text = text.replace(old, "SEX + (1 | SITE) + (1 + YEARS | USUBJID)")
    return _run(tmp_path_factory.mktemp("sites"), code=0, protocol=text, adsl=people)


def test_several_grouping_factors_are_fitted_and_told(by_site: Path) -> None:
    task = task_of(inputs_of(by_site.parent / "trial" / "protocol.yaml"), "slope")
    assert task.analysis.model is not None
    fit = tm.lmm(task.analysis.model, task.frame, df=task.analysis.df)
    results = _results(by_site)
    (record,) = (r for r in results.analyses if r.name == "slope")
    told = "random intercept by SITE; random intercept and slope of YEARS by subject, unstructured"
    assert record.specification["covariance"] == told
    # subjects are counted by the subject's column, not by the first factor's
    counted = results.value(**SLOPE, quantity="fit", statistic="n_subjects")
    assert counted == task.frame["USUBJID"].nunique()
    table = fit.variance_components().set_index(["group", "term", "term_2"])["variance"]
    for keys, value in table.items():
        found = results.value(
            **SLOPE,
            quantity="variance-component",
            group=" ".join(keys).strip(),
            statistic="variance",
        )
        assert found == pytest.approx(value, rel=1e-9, abs=1e-12)
