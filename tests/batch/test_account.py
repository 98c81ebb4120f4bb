"""Who is not analysed, and why: said by check, by the log, and kept with the results."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from small_trial import PROTOCOL, records, subjects, write_trial

from trialmlm.batch.plan import make_plan
from trialmlm.batch.run import run
from trialmlm.cli import main
from trialmlm.protocol.load import load_protocol
from trialmlm.results.analysis import AnalysisRecord
from trialmlm.results.results import Results

if TYPE_CHECKING:
    from pathlib import Path

BAD_USAGE = 2


@pytest.fixture
def lossy(tmp_path: Path) -> Path:
    """The small trial with a subject who has only a baseline, and one whose sex is not known."""
    adqs, adsl = records(subjects()), subjects()
    lost = (adqs["USUBJID"] == "S-002") & (adqs["AVISIT"] != "Baseline")
    adsl.loc[adsl["USUBJID"] == "S-005", "SEX"] = ""
    return write_trial(tmp_path / "trial", adsl=adsl, adqs=adqs[~lost])


def test_every_subject_not_analysed_is_kept_with_the_reason(lossy: Path, tmp_path: Path) -> None:
    results = run(lossy, lossy.parent / "data", tmp_path / "out").results
    record = results.analysis("mmrm")
    assert record is not None
    reasons = {subject: (arm, reason) for subject, arm, reason in record.exclusions}
    assert reasons["S-002"] == ("LOW", "no post-baseline value")
    assert reasons["S-005"] == ("LOW", "the model needs SEX")
    assert reasons["S-060"] == ("HIGH", "not in the population: EFFFL == 'Y'")
    assert Results.from_json(results.to_json()).analysis("mmrm") == record


def test_subjects_analysed_and_not_analysed_are_all_subjects(lossy: Path, tmp_path: Path) -> None:
    results = run(lossy, lossy.parent / "data", tmp_path / "out").results
    frame = results.frame()
    for name in ("mmrm", "locf"):
        of = frame[(frame["analysis"] == name) & (frame["quantity"] == "fit")]
        fitted = of.set_index("statistic")["value"]
        n = fitted["n_subjects" if name == "mmrm" else "n_obs"]
        record = results.analysis(name)
        assert record is not None
        assert len({subject for subject, _, _ in record.exclusions}) == len(record.exclusions)
        assert n + len(record.exclusions) == len(subjects())


def test_the_log_and_check_name_the_subjects_of_the_population(
    lossy: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(lossy, lossy.parent / "data", tmp_path / "out")
    log = (tmp_path / "out" / "run.log").read_text(encoding="utf-8")
    assert main(["check", str(lossy), "--data", str(lossy.parent / "data")]) == 0
    for text in (log, capsys.readouterr().out):
        assert "1 subject not analysed: no post-baseline value (S-002 in LOW)" in text
        assert "1 subject not analysed: the model needs SEX (S-005 in LOW)" in text
        assert "6 subjects not analysed: not in the population: EFFFL == 'Y'\n" in text
    assert "treatment codes: unblinded: true, data simulated, as the protocol states" in log


def test_subjects_without_a_value_at_the_visit_are_named(tmp_path: Path) -> None:
    text = PROTOCOL.replace("    missing: {method: locf}\n", "")
    file = write_trial(tmp_path / "trial", protocol=text)
    record = run(file, file.parent / "data", tmp_path / "out", only=["locf"]).results.analysis(
        "locf"
    )
    assert record is not None
    late = [reason for _, _, reason in record.exclusions if reason == "no value at Week 12"]
    adqs = records(subjects())
    there = set(adqs.loc[adqs["AVISIT"] == "Week 12", "USUBJID"])
    efficacy = subjects().query("EFFFL == 'Y'")["USUBJID"]
    assert len(late) == sum(subject not in there for subject in efficacy)


def test_check_says_that_a_model_names_a_column_that_the_data_lack(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = PROTOCOL.replace("TRT01P + SEX + BASE\n    at", "TRT01P + SEXX + BASE\n    at")
    file = write_trial(tmp_path / "trial", protocol=text)
    main(["check", str(file), "--data", str(file.parent / "data")])
    said = capsys.readouterr().out
    assert "the model cannot be fitted: the data have no column SEXX; did you mean SEX?" in said


def test_results_of_an_older_run_are_without_exclusions() -> None:
    record = AnalysisRecord("A", "main", "MMRM", "e", "p", {})
    plain = record.as_dict()
    del plain["exclusions"]
    assert AnalysisRecord.from_dict(plain) == record


@pytest.fixture
def blinded(tmp_path: Path) -> Path:
    text = PROTOCOL.replace("unblinded: true", "unblinded: false")
    return write_trial(
        tmp_path / "trial",
        protocol=text.replace("data_origin: simulated", "data_origin: collected"),
    )


@pytest.mark.parametrize("command", ["run", "check"])
def test_collected_data_are_not_read_while_the_trial_is_blinded(
    command: str, blinded: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--data", str(tmp_path / "nowhere")]  # it is not even looked for
    out = ["--out", str(tmp_path / "out")] if command == "run" else []
    assert main([command, str(blinded), *options, *out]) == BAD_USAGE
    message = capsys.readouterr().err
    assert f"{blinded}:7: protocol.unblinded: false" in message
    assert "state unblinded: true once the unblinding is on record" in message
    assert not (tmp_path / "out").exists()


def test_simulated_data_hold_no_codes_to_unblind(tmp_path: Path) -> None:
    text = PROTOCOL.replace("unblinded: true", "unblinded: false")
    file = write_trial(tmp_path / "trial", protocol=text)
    assert run(file, file.parent / "data", tmp_path / "out").exit_code == 0


@pytest.mark.parametrize(
    "handling",
    [
        "treatment-policy",
        "hypothetical",
        "{strategy: composite, failure: worst-observed}",
        "while-on-treatment",
    ],
)
def test_every_strategy_for_an_event_is_carried_out(handling: str, tmp_path: Path) -> None:
    text = PROTOCOL.replace(
        "  scores:\n", "  events: {stop: {dataset: adsl, date: TRTSDT}}\n  scores:\n"
    ).replace("    summary:", f"    events: {{stop: {handling}}}\n    summary:")
    plan = make_plan(load_protocol(write_trial(tmp_path / "trial", protocol=text)))
    assert plan.analyses[0].refusal == ""
