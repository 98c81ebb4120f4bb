"""Retrieved dropouts of a protocol: what the imputation is told, and the assumption in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
from eventful_trial import eventful_protocol

from trialmlm.batch.imputed_words import imputed_in_words
from trialmlm.batch.retrieval import retrieval_of
from trialmlm.batch.run import run
from trialmlm.batch.sample import draw_sample
from trialmlm.batch.sample_analysis import SampleTask, differences
from trialmlm.batch.sample_imputation import Bench
from trialmlm.protocol import load_protocol
from trialmlm.simulate import simulate_trial
from trialmlm.simulate.from_protocol import asked_of
from trialmlm.simulate.streams import child_seed
from validation.missing_data.__main__ import SEED
from validation.missing_data.assembled import assembled

if TYPE_CHECKING:
    from pathlib import Path

    from trialmlm.protocol import Protocol
    from trialmlm.protocol.analyses import Analysis

MODEL = "CHG ~ TRT01P * AVISIT + BASE * AVISIT + SEX * AVISIT + us(AVISIT | USUBJID)"


def _protocol(folder: Path, retrieved: str) -> Protocol:
    analysis = f"""\
  retrieved:
    role: main
    estimand: E1
    model: {MODEL}
    analyse: {{model: CHG ~ TRT01P + BASE + SEX, at: Week 12}}
    missing:
      method: conditional-mean
      rules: [{{after: rescue, assume: retrieved-dropout{retrieved}}}]
"""
    text = eventful_protocol("treatment-policy").replace("outputs:\n", f"{analysis}\noutputs:\n", 1)
    file = folder / "protocol.yaml"
    file.write_text(text, encoding="utf-8")
    return load_protocol(file)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("", "as those observed after it."),
        (", retrieved: arm", "as those observed after it."),
        (", retrieved: common", "as those of all arms observed after it."),
        (", retrieved: arm-visit", "as those observed after it at the same visit."),
        (", retrieved: arm-time", "as those observed after it, by the time since."),
    ],
)
def test_a_report_says_by_what_the_shift_differs(written: str, words: str, tmp_path: Path) -> None:
    protocol = _protocol(tmp_path, written)
    missing = protocol.analysis("retrieved").missing
    assert missing is not None
    wanted = f"Missing at random; after rescue {words} Conditional means."
    assert imputed_in_words(protocol, missing) == wanted


def test_the_target_days_of_the_schedule_are_the_times_of_a_shift_in_time(tmp_path: Path) -> None:
    protocol = _protocol(tmp_path, ", retrieved: arm-time")
    missing, schedule = protocol.analysis("retrieved").missing, protocol.schedule
    assert missing is not None
    assert schedule is not None
    asked = retrieval_of(protocol, missing)
    assert asked["retrieved"] == "arm-time"
    assert asked["targets"].pop(schedule.baseline.name) < 0
    # study day 1 is the day counted from, so that week 4, day 29, is 28 days after it
    assert asked["targets"] == {visit.name: visit.day - 1 for visit in schedule.visits}
    by_arm = _protocol(tmp_path, "").analysis("retrieved").missing
    assert by_arm is not None
    assert retrieval_of(protocol, by_arm) == {"retrieved": "arm"}


def _form(analysis: Analysis, form: str) -> Analysis:
    """The analysis with another form of the shift."""
    missing = analysis.missing
    assert missing is not None
    rules = tuple(rule.model_copy(update={"retrieved": form}) for rule in missing.rules)
    return analysis.model_copy(update={"missing": missing.model_copy(update={"rules": rules})})


def _estimates(design: str, name: str, folder: Path, forms: list[str], trials: int) -> list[float]:
    """By trial and form the difference at the last visit."""
    protocol = assembled(design, folder)
    _, simulated = asked_of(protocol)
    found = []
    for number in range(trials):
        seed = child_seed(SEED, 0, number)  # the trials of the truth table
        bench = Bench(draw_sample(protocol, simulated, "off_drug", seed), 10)
        for form in forms:
            analysis = _form(protocol.analysis(name), form)
            task = SampleTask(name, protocol, simulated, analysis, child_seed(seed, 0))
            made = differences(task, bench)
            numbers = made[f"{name} [rubin]"]
            found.append(float("nan") if isinstance(numbers, str) else numbers[0])
    return found


def test_a_run_of_the_protocol_shifts_by_the_target_days(tmp_path: Path) -> None:
    name, rule = "A1.retrieved", "retrieved: arm-visit"
    file = tmp_path / "protocol.yaml"
    assembled("mdd_madrs", tmp_path)
    text = file.read_text(encoding="utf-8")
    assert text.count(rule) == 1
    seed = child_seed(child_seed(SEED, 0, 0), 0)
    text = text.replace(rule, "retrieved: arm-time").replace("seed: 1", f"seed: {seed}")
    file.write_text(text, encoding="utf-8")
    protocol = load_protocol(file)
    made = simulate_trial("off_drug", child_seed(SEED, 0, 0), design="mdd_madrs")
    made.write(tmp_path / "adam")
    results = run(protocol, tmp_path / "adam", tmp_path / "out", only=[name]).results
    (row,) = (
        row.value
        for row in results.select(analysis=name)
        if (row.quantity, row.statistic, row.group) == ("difference", "estimate", "")
    )
    _, simulated = asked_of(protocol)
    bench = Bench(draw_sample(protocol, simulated, "off_drug", child_seed(SEED, 0, 0)))
    quick = differences(SampleTask(name, protocol, simulated, protocol.analysis(name), seed), bench)
    assert row == pytest.approx(quick[f"{name} [rubin]"][0], rel=1e-6)
    said = (tmp_path / "out" / "results.json").read_text(encoding="utf-8")
    assert "as those observed after it, by the time since" in said


@pytest.mark.slow
def test_where_benefit_wears_off_only_a_shift_in_time_tells_no_bias(tmp_path: Path) -> None:
    # 101.5 mL, Monte-Carlo error 0.1: treatment policy at week 52 of the scenario off_drug of
    # ipf_fvc, in which FVC falls as on placebo from the stop on (validation/missing_data)
    trials, truth = 200, 101.5
    forms = ["arm", "arm-time"]
    made = _estimates("ipf_fvc", "A2.retrieved", tmp_path, forms, trials)
    arm, in_time = np.reshape(made, (trials, len(forms))).T
    answered = ~np.isnan(in_time)  # a resample may hold too few subjects who were retrieved
    assert answered.mean() > 0.95
    arm, in_time = arm[answered], in_time[answered]
    error = in_time.std(ddof=1) / np.sqrt(in_time.size)
    assert abs(in_time.mean() - truth) < 3 * error
    assert arm.mean() - truth > 3 * error
    # what the page on imputation shows
    shown = [arm.mean() - truth, in_time.mean() - truth, error]
    assert shown == pytest.approx([11.0, 0.9, 1.9], abs=0.1)


def test_each_form_is_an_imputation_of_its_own(tmp_path: Path) -> None:
    forms = ["arm", "arm-time", "arm"]
    first, in_time, again = _estimates("mdd_madrs", "A1.retrieved", tmp_path, forms, 1)
    assert first == again
    assert abs(in_time - first) > 1e-3
